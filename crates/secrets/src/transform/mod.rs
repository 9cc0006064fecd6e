//! From a parameter's name to a variable's.

mod replacement;
mod substitution;

pub use substitution::{InvalidPattern, Substitution, SubstitutionScope};

/// How a variable gets its name from a parameter's.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NameTransform {
    /// The parameter's own name.
    None,
    /// The last part of the name that is not empty: `ok` for `hello/there/ok/`.
    Leaf,
    /// What a regular expression and its replacement make of the name.
    Substitute(Substitution),
    /// This name, for a single parameter.
    Custom(String),
}

impl NameTransform {
    /// The variable for a parameter of this name; empty when nothing of the name is left.
    #[must_use]
    pub fn apply(&self, name: &str) -> String {
        match self {
            Self::None => name.to_owned(),
            Self::Leaf => name.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default().to_owned(),
            Self::Substitute(substitution) => substitution.apply(name),
            Self::Custom(variable) => variable.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leaf_is_the_last_part_that_is_not_empty() {
        for (name, leaf) in [
            ("hello/there/ok/", "ok"),
            ("/app/dev/token", "token"),
            ("token", "token"),
            ("//a//", "a"),
            ("arn:aws:ssm:eu-west-1:123456789012:parameter/app/token", "token"),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(NameTransform::Leaf.apply(name), leaf, "{name}");
        }
    }

    #[test]
    fn none_keeps_and_custom_replaces_the_name() {
        assert_eq!(NameTransform::None.apply("/a/b"), "/a/b");
        assert_eq!(NameTransform::Custom("Token".to_owned()).apply("/a/b"), "Token");
    }
}
