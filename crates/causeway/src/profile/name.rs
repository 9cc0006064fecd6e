use std::fmt;
use std::str::FromStr;

/// The name of a profile: it becomes a section of a configuration file, an argument and a file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileName(String);

impl ProfileName {
    const LONGEST: usize = 64;
    /// Names that begin so are Causeway's own.
    const RESERVED: &str = "causeway-";

    /// The profile that is the key in the environment of whoever asks.
    pub(crate) fn environment() -> Self {
        Self(format!("{}environment", Self::RESERVED))
    }

    /// The profile without credentials: tools go on to the container endpoint.
    pub(crate) fn endpoint() -> Self {
        Self(format!("{}endpoint", Self::RESERVED))
    }

    /// Reads a name that a user gives, or one of Causeway's own.
    pub(crate) fn read(text: &str) -> Result<Self, InvalidProfileName> {
        let allowed = |character: char| character.is_ascii_alphanumeric() || "_-.+=@".contains(character);
        let good = (1..=Self::LONGEST).contains(&text.len())
            && text.chars().all(allowed)
            && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
        good.then(|| Self(text.to_owned())).ok_or(InvalidProfileName::Form)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that names no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidProfileName {
    #[error(
        "a profile's name has 1 to 64 letters, digits or characters of _-.+=@ and begins with a letter, a digit or _"
    )]
    Form,
    #[error("names that begin with causeway- are Causeway's own")]
    Reserved,
}

impl FromStr for ProfileName {
    type Err = InvalidProfileName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with(Self::RESERVED) { Err(InvalidProfileName::Reserved) } else { Self::read(text) }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        for (text, good) in [
            ("default", true),
            ("prod.eu-1_a@x", true),
            ("", false),
            ("-dev", false),
            (".dev", false),
            ("dev prod", false),
            ("../dev", false),
            ("dev]", false),
            ("causeway-environment", false),
        ] {
            assert_eq!(text.parse::<ProfileName>().is_ok(), good, "{text}");
        }
        assert!(ProfileName::read(ProfileName::environment().as_str()).is_ok());
    }
}
