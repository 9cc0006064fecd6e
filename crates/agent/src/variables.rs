use secrecy::SecretString;

use crate::environment::{Environment, mangled};

/// The pipeline's variables, public and secret, and the task's own.
#[derive(Clone, Copy)]
pub struct Variables<'a> {
    environment: &'a Environment,
}

impl<'a> Variables<'a> {
    /// The variables that the agent put into `environment`.
    #[must_use]
    pub fn new(environment: &'a Environment) -> Self {
        Self { environment }
    }

    /// A variable that is not secret, by its pipeline name (`System.TeamProject`).
    ///
    /// A reference that the pipeline could not resolve reaches a task as the literal `$(Name)`; it counts as absent.
    #[must_use]
    pub fn public(&self, name: &str) -> Option<&'a str> {
        let value = self.environment.get(&mangled(name))?;
        let unresolved = value.starts_with("$(") && value.ends_with(')');
        (!unresolved).then_some(value)
    }

    /// A variable that may be secret: `SECRET_<NAME>` first, then the public one of that name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.environment
            .get(&format!("SECRET_{}", mangled(name)))
            .or_else(|| self.public(name))
            .map(SecretString::from)
    }

    /// A variable that this task set in its main step for its post-job step (`task.settaskvariable`).
    #[must_use]
    pub fn of_task(&self, name: &str) -> Option<&'a str> {
        self.environment.get(&format!("VSTS_TASKVARIABLE_{}", mangled(name)))
    }

    /// Whether the pipeline runs with `System.Debug` on.
    #[must_use]
    pub fn debug(&self) -> bool {
        self.public("System.Debug").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn secret_and_public_variables_are_found_by_their_pipeline_names() {
        let environment = Environment::from_pairs([
            ("AWS_REGION", "eu-west-1"),
            ("SECRET_AWS_SECRETACCESSKEY", "s3cret"),
            ("AWS_ACCESSKEYID", "AKIA"),
            ("UNSET", "$(Unset)"),
            ("VSTS_TASKVARIABLE_CAUSEWAY_STATE", "{}"),
        ]);
        let variables = Variables::new(&environment);
        assert_eq!(variables.public("AWS.Region"), Some("eu-west-1"));
        assert_eq!(variables.public("Unset"), None);
        assert_eq!(variables.public("AWS.SecretAccessKey"), None);
        assert_eq!(variables.secret("AWS.SecretAccessKey").unwrap().expose_secret(), "s3cret");
        assert_eq!(variables.secret("AWS.AccessKeyID").unwrap().expose_secret(), "AKIA");
        assert_eq!(variables.of_task("causeway.state"), Some("{}"));
    }
}
