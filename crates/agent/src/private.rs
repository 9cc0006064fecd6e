use secrecy::SecretString;

use crate::environment::{Environment, mangled};

/// What only tasks get (`Handler.cs`): connections, inputs, secure files, and the task's own variables.
const PREFIXES: [&str; 4] = ["ENDPOINT_", "INPUT_", "SECUREFILE_", "VSTS_TASKVARIABLE_"];

/// Secrets that have no prefix, and the list of the names of secrets.
const NAMES: [&str; 3] = ["AGENT_PROXYPASSWORD", "AGENT_CLIENTCERTPASSWORD", "VSTS_SECRET_VARIABLES"];

impl Environment {
    /// The variables that the agent hands to a task and not to a script: what a program that a task starts must not see.
    ///
    /// Of the variables whose name begins with `SECRET_`, these are the ones that are secret variables of the pipeline; one
    /// that a step's `env:` sets is not among them.
    #[must_use]
    pub fn private_names(&self) -> Vec<&str> {
        let secrets = self.secret_names();
        let is_secret = |name: &str| {
            name.starts_with("SECRET_")
                && secrets.as_ref().is_none_or(|secrets| secrets.iter().any(|secret| secret == name))
        };
        self.with_prefix("")
            .map(|(name, _)| name)
            .filter(|name| {
                PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                    || NAMES.contains(name)
                    || is_secret(name)
            })
            .collect()
    }

    /// What the agent masks in the log before the task says anything: the values of secret variables, and every authentication
    /// parameter of the connections (`Worker.cs`, `InitializeSecretMasker`).
    #[must_use]
    pub fn masked_values(&self) -> Vec<SecretString> {
        let is_masked = |name: &&str| {
            ["SECRET_", "ENDPOINT_AUTH_PARAMETER_"].iter().any(|prefix| name.starts_with(prefix))
                || NAMES[..2].contains(name)
        };
        let names = self.private_names().into_iter().filter(is_masked);
        names.filter_map(|name| self.get(name)).map(SecretString::from).collect()
    }

    /// The names under which secret variables stand here; `None` when the agent does not list them.
    fn secret_names(&self) -> Option<Vec<String>> {
        let names: Vec<String> = serde_json::from_str(self.get("VSTS_SECRET_VARIABLES")?).ok()?;
        Some(names.iter().map(|name| format!("SECRET_{}", mangled(name))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_agent_masks_are_secret_variables_and_authentication() {
        use secrecy::ExposeSecret;

        let environment = Environment::from_pairs([
            ("ENDPOINT_AUTH_PARAMETER_ID_PASSWORD", "one"),
            ("ENDPOINT_AUTH_SCHEME_ID", "UsernamePassword"),
            ("ENDPOINT_DATA_ID_ROLEARN", "arn"),
            ("SECRET_NUGET_TOKEN", "two"),
            ("SECRET_KEY_BASE", "mapped by the user"),
            ("SECRET_EMPTY", ""),
            ("AGENT_PROXYPASSWORD", "three"),
            ("VSTS_SECRET_VARIABLES", r#"["nuget.token","empty"]"#),
        ]);
        let mut values: Vec<String> =
            environment.masked_values().iter().map(|value| value.expose_secret().to_owned()).collect();
        values.sort_unstable();
        assert_eq!(values, ["one", "three", "two"]);
    }

    #[test]
    fn what_only_tasks_get_is_private_and_what_the_pipeline_gives_is_not() {
        let environment = Environment::from_pairs([
            ("ENDPOINT_AUTH_SYSTEMVSSCONNECTION", "{}"),
            ("INPUT_INLINESCRIPT", "x"),
            ("SECUREFILE_TICKET_1", "x"),
            ("VSTS_TASKVARIABLE_A", "x"),
            ("SECRET_NUGET_TOKEN", "x"),
            ("SECRET_KEY_BASE", "mapped by the user"),
            ("VSTS_SECRET_VARIABLES", r#"["nuget.token","System.AccessToken"]"#),
            ("BUILD_BUILDID", "1"),
        ]);
        let mut private = environment.private_names();
        private.sort_unstable();
        assert_eq!(
            private,
            [
                "ENDPOINT_AUTH_SYSTEMVSSCONNECTION",
                "INPUT_INLINESCRIPT",
                "SECRET_NUGET_TOKEN",
                "SECUREFILE_TICKET_1",
                "VSTS_SECRET_VARIABLES",
                "VSTS_TASKVARIABLE_A",
            ]
        );
    }

    #[test]
    fn without_the_agents_list_every_secret_is_private() {
        assert_eq!(
            Environment::from_pairs([("SECRET_ANY", "x"), ("ANY", "x")]).private_names(),
            ["SECRET_ANY"]
        );
    }
}
