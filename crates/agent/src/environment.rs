use std::collections::HashMap;

/// The environment of this process, read once.
///
/// Everything that the agent tells a task stands here; tests make their own with [`Environment::from_pairs`].
#[derive(Clone, Default)]
pub struct Environment {
    values: HashMap<String, String>,
}

impl Environment {
    /// Reads the environment of this process. What is not Unicode is read with replacement characters.
    #[must_use]
    pub fn capture() -> Self {
        let values = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        Self { values }
    }

    /// An environment of exactly these variables.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self { values: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// A variable by its exact name; an empty one counts as absent, as it does for the agent's tasks.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variables whose name begins with `prefix`: the rest of the name, and the value.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.values.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

/// The environment form of an input's or variable's name: `.` and space become `_`, then upper case.
pub(crate) fn mangled(name: &str) -> String {
    name.replace(['.', ' '], "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mangled_as_the_agent_does() {
        for (name, expected) in [
            ("AWS.AccessKeyID", "AWS_ACCESSKEYID"),
            ("region name", "REGION_NAME"),
            ("my-input", "MY-INPUT"),
            ("aws.rolecredential.maxduration", "AWS_ROLECREDENTIAL_MAXDURATION"),
        ] {
            assert_eq!(mangled(name), expected);
        }
    }

    #[test]
    fn an_empty_variable_is_absent() {
        let environment = Environment::from_pairs([("A", ""), ("B", "x")]);
        assert_eq!(environment.get("A"), None);
        assert_eq!(environment.get("B"), Some("x"));
    }
}
