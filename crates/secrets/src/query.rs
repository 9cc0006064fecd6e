use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use crate::name::{ParameterName, is_name_character};

/// A version's number: 1 for the first value that a parameter had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParameterVersion(NonZeroU64);

/// The text is not a version's number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not the version of a parameter: that is a whole number, at least 1")]
pub struct InvalidParameterVersion(String);

impl FromStr for ParameterVersion {
    type Err = InvalidParameterVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.trim();
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        // SSM's own type is a signed 64-bit number.
        let value = number.parse::<NonZeroU64>().ok().filter(|value| i64::try_from(value.get()).is_ok());
        value.filter(|_| digits).map(Self).ok_or_else(|| InvalidParameterVersion(number.to_owned()))
    }
}

impl fmt::Display for ParameterVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A place in the hierarchy, such as `/app/dev`; `/` is the top.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ParameterPath(String);

/// The text cannot be a place in the hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a path of SSM parameters: {reason}")]
pub struct InvalidParameterPath {
    text: String,
    reason: &'static str,
}

impl ParameterPath {
    /// The path: `/` first, and none at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ParameterPath {
    type Err = InvalidParameterPath;

    /// Reads a path; a missing `/` in front is added, as the AWS Toolkit does, and slashes behind are
    /// dropped.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.trim();
        let invalid = |reason| InvalidParameterPath { text: path.to_owned(), reason };
        if path.is_empty() {
            return Err(invalid("it is empty (\"/\" is the whole tree)"));
        }
        if path.len() > 2048 {
            return Err(invalid("it is longer than 2048 characters"));
        }
        if !path.chars().all(is_name_character) {
            return Err(invalid("paths have only letters, digits, and _ . - /"));
        }
        let inner = path.trim_end_matches('/');
        Ok(Self(if inner.starts_with('/') { inner.to_owned() } else { format!("/{inner}") }))
    }
}

impl fmt::Display for ParameterPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What to read. Made by [`ParameterQuery::single`], [`ParameterQuery::names`] and [`ParameterQuery::hierarchy`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterQuery {
    /// One parameter, in its newest or in one version (`ssm:GetParameter`).
    #[non_exhaustive]
    Single {
        /// Its name or ARN.
        name: ParameterName,
        /// The version asked for apart from the name.
        version: Option<ParameterVersion>,
    },
    /// Several parameters by name (`ssm:GetParameters`).
    Names(Vec<ParameterName>),
    /// The parameters below some paths (`ssm:GetParametersByPath`).
    #[non_exhaustive]
    Hierarchy {
        /// Where they stand.
        paths: Vec<ParameterPath>,
        /// All levels below, not only the first.
        recursive: bool,
        /// How.
        plan: HierarchyPlan,
    },
}

/// How a hierarchy is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HierarchyPlan {
    /// Page after page, and from the third page on the names are listed beside it as with [`HierarchyPlan::Listed`]: what
    /// is done first counts. Where listing is refused or throttled, the pages go on alone; nothing is lost by trying.
    #[default]
    Quickest,
    /// Page after page: ten parameters a round trip, and no permission but `ssm:GetParametersByPath`.
    Pages,
    /// The names first, fifty a page and in parts side by side, and the values by tens as names come in. Needs
    /// `ssm:DescribeParameters` and `ssm:GetParameters`; where they are refused, it is read page after page.
    Listed,
}

/// A version is asked for twice: in the name and beside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" names a version or label already, and version {version} is asked for too")]
pub struct TwoSelectors {
    name: ParameterName,
    version: ParameterVersion,
}

impl ParameterQuery {
    /// One parameter.
    ///
    /// # Errors
    /// When the name has a selector of its own (`name:3`) and a version is given too.
    pub fn single(name: ParameterName, version: Option<ParameterVersion>) -> Result<Self, TwoSelectors> {
        match version {
            Some(version) if name.selector().is_some() => Err(TwoSelectors { name, version }),
            _ => Ok(Self::Single { name, version }),
        }
    }

    /// Several parameters by name.
    #[must_use]
    pub fn names(names: Vec<ParameterName>) -> Self {
        Self::Names(names)
    }

    /// The parameters below some paths: those directly there, or all.
    #[must_use]
    pub fn hierarchy(paths: Vec<ParameterPath>, recursive: bool, plan: HierarchyPlan) -> Self {
        Self::Hierarchy { paths, recursive, plan }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_whole_numbers_from_one() {
        for (text, number) in
            [("1", "1"), (" 42 ", "42"), ("007", "7"), ("9223372036854775807", "9223372036854775807")]
        {
            assert_eq!(text.parse::<ParameterVersion>().unwrap().to_string(), number);
        }
        for wrong in [
            "",
            "0",
            "-1",
            "+1",
            "abc",
            "1.5",
            "1e3",
            "3abc",
            "١",
            "9223372036854775808",
            "99999999999999999999",
        ] {
            assert!(wrong.parse::<ParameterVersion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_begin_with_a_slash_and_end_without() {
        for (text, path) in [
            ("/app/dev", "/app/dev"),
            ("app/dev", "/app/dev"),
            ("app/dev/", "/app/dev"),
            ("/app//", "/app"),
            ("/", "/"),
            (" app ", "/app"),
        ] {
            assert_eq!(text.parse::<ParameterPath>().unwrap().as_str(), path, "{text}");
        }
        for wrong in ["", "  ", "/my app", "/app:3", "/ä", "arn:aws:ssm:eu-west-1:123456789012:parameter/a"]
        {
            assert!(wrong.parse::<ParameterPath>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_version_is_asked_for_once() {
        let version = Some("2".parse().unwrap());
        assert!(ParameterQuery::single("a".parse().unwrap(), version).is_ok());
        assert!(ParameterQuery::single("a:1".parse().unwrap(), None).is_ok());
        let error = ParameterQuery::single("a:live".parse().unwrap(), version).unwrap_err().to_string();
        assert!(error.contains("a:live") && error.contains("version 2"), "{error}");
    }
}
