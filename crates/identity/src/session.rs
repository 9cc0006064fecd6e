use std::fmt;
use std::str::FromStr;

/// A setting of a role session that STS would not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSessionSetting(String);

impl InvalidSessionSetting {
    pub(crate) fn new(problem: String) -> Self {
        Self(problem)
    }
}

/// The name of a role session, as CloudTrail shows it (STS `AssumeRole`, parameter `RoleSessionName`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionName(String);

impl SessionName {
    const LONGEST: usize = 64;

    /// The name for a pipeline run: `causeway-<definition>-<run>`. What STS does not allow becomes `-`, and a long
    /// definition is cut so that the number of the run stays whole.
    #[must_use]
    pub fn for_run(definition: &str, run: &str) -> Self {
        let allowed = |text: &str| -> String {
            text.chars()
                .map(|character| if is_session_character(character) { character } else { '-' })
                .collect()
        };
        let run: String = allowed(run).chars().take(20).collect();
        let room = Self::LONGEST - "causeway--".len() - run.len();
        let definition: String = allowed(definition).chars().take(room).collect();
        Self(format!("causeway-{definition}-{run}"))
    }

    /// The name where nothing is known of a run.
    #[must_use]
    pub fn unnamed() -> Self {
        Self("causeway".to_owned())
    }

    /// The name as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionName {
    type Err = InvalidSessionSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (2..=Self::LONGEST).contains(&text.len()) && text.chars().all(is_session_character) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSessionSetting(
                "a session name has 2 to 64 letters, digits or characters of _=,.@-+".to_owned(),
            ))
        }
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

pub(crate) fn is_session_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_=,.@-+".contains(character)
}

/// The word that a role's trust policy may ask for (STS `AssumeRole`, parameter `ExternalId`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalId(String);

impl ExternalId {
    /// The external ID as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExternalId {
    type Err = InvalidSessionSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |character: char| is_session_character(character) || ":/".contains(character);
        if (2..=1224).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSessionSetting(
                "an external ID has 2 to 1224 letters, digits or characters of _=,.@-+:/".to_owned(),
            ))
        }
    }
}

/// How long a role session lasts: 900 to 43200 seconds (STS `AssumeRole`, parameter `DurationSeconds`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionDuration(u32);

impl SessionDuration {
    /// The AWS Toolkit's default: a quarter of an hour.
    pub const DEFAULT: Self = Self(900);

    /// The most that AWS gives to a role that is assumed with another role's session (IAM User Guide, "Roles terms
    /// and concepts", role chaining).
    pub const MOST_CHAINED: Self = Self(3600);

    /// The length in seconds.
    #[must_use]
    pub fn seconds(self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }
}

impl FromStr for SessionDuration {
    type Err = InvalidSessionSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().parse() {
            Ok(seconds @ 900..=43200) => Ok(Self(seconds)),
            _ => Err(InvalidSessionSetting("give a whole number of seconds from 900 to 43200".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_run_names_its_session() {
        assert_eq!(SessionName::for_run("shop ci/cd", "1234").as_str(), "causeway-shop-ci-cd-1234");
        let long = SessionName::for_run(&"x".repeat(100), "987654");
        assert_eq!(long.as_str().len(), 64);
        assert!(long.as_str().ends_with("-987654"));
    }

    #[test]
    fn durations_outside_what_sts_takes_are_refused() {
        for (text, allowed) in [
            ("900", true),
            (" 43200 ", true),
            ("899", false),
            ("43201", false),
            ("1h", false),
            ("-900", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<SessionDuration>().is_ok(), allowed, "{text}");
        }
    }

    #[test]
    fn external_ids_take_colons_and_slashes_but_no_spaces() {
        assert!("contoso:prod/1".parse::<ExternalId>().is_ok());
        assert!("a b".parse::<ExternalId>().is_err());
        assert!("a".parse::<ExternalId>().is_err());
    }

    proptest! {
        #[test]
        fn every_run_gives_a_name_that_sts_takes(definition in ".{0,120}", run in ".{0,40}") {
            let name = SessionName::for_run(&definition, &run);
            prop_assert!(name.as_str().parse::<SessionName>().is_ok(), "{name}");
        }
    }
}
