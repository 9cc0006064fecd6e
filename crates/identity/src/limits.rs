//! What may go with a role session besides its name: policies that narrow it, tags, the source identity.
//!
//! The rules are those of STS `AssumeRole` in the AWS STS API Reference, and of "Pass session tags in AWS STS" and
//! "Monitor and control actions taken with assumed roles" in the IAM User Guide.

use std::fmt;
use std::str::FromStr;

use causeway_types::{AccountId, Partition};

use crate::session::{InvalidSessionSetting, is_session_character};

/// A policy, as JSON, that narrows what the session may do (parameter `Policy`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPolicy(String);

impl SessionPolicy {
    const LONGEST: usize = 2048;

    /// The JSON without the space between its parts, which counts towards the limit.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionPolicy {
    type Err = InvalidSessionSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |problem: String| Err(InvalidSessionSetting::new(problem));
        let policy: serde_json::Value = match serde_json::from_str(text) {
            Ok(policy) => policy,
            Err(error) => return invalid(format!("it is not JSON: {error}")),
        };
        if policy.get("Statement").is_none() {
            return invalid("it is not an IAM policy: it has no Statement".to_owned());
        }
        if let Some(odd) = text.chars().find(|character| *character > '\u{ff}') {
            return invalid(format!("AWS takes characters up to U+00FF only, and it holds \"{odd}\""));
        }
        let compact = without_space(text);
        if compact.chars().count() > Self::LONGEST {
            return invalid(format!("AWS takes {} characters at most", Self::LONGEST));
        }
        Ok(Self(compact))
    }
}

/// JSON without the space outside its strings, and otherwise as it was written: a parser would keep only the last of two
/// equal keys, so that a condition could go and the session be wider than what was asked for. AWS refuses such a policy.
fn without_space(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |character: &char| {
        in_string ^= *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        in_string || !character.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}

/// The ARN of a managed policy that narrows what the session may do (parameter `PolicyArns`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicyArn {
    text: String,
    partition: &'static str,
}

impl ManagedPolicyArn {
    /// STS takes so many.
    pub const MOST: usize = 10;

    /// The ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition that the ARN names.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        self.partition
    }
}

impl FromStr for ManagedPolicyArn {
    type Err = InvalidSessionSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let arn = match fields[..] {
            ["arn", partition, "iam", "", owner, resource] => Partition::by_id(partition)
                .filter(|_| owner == "aws" || owner.parse::<AccountId>().is_ok())
                .filter(|_| resource.strip_prefix("policy/").is_some_and(|name| !name.is_empty()))
                .filter(|_| text.bytes().all(|byte| byte.is_ascii_graphic()))
                .map(|partition| Self { text: text.to_owned(), partition: partition.id() }),
            _ => None,
        };
        arn.ok_or_else(|| {
            InvalidSessionSetting::new(
                "give ARNs of managed policies, such as arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
            )
        })
    }
}

/// A tag of the session, which policies can ask for as `aws:PrincipalTag/<key>` (parameter `Tags`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTag {
    /// 1 to 128 characters.
    pub key: String,
    /// At most 256 characters.
    pub value: String,
}

impl SessionTag {
    /// STS takes so many.
    pub const MOST: usize = 50;

    /// Whether two keys are one to STS, which does not tell them apart by case.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        self.key.to_lowercase() == key.to_lowercase()
    }
}

impl FromStr for SessionTag {
    type Err = InvalidSessionSetting;

    /// Reads `key=value`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |problem: &str| InvalidSessionSetting::new(problem.to_owned());
        let (key, value) = text.split_once('=').ok_or_else(|| invalid("give key=value, one a line"))?;
        let (key, value) = (key.trim(), value.trim());
        let allowed = |character: char| {
            character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
        };
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(invalid("a tag's key has 1 to 128 characters, its value 256 at most"));
        }
        if !key.chars().chain(value.chars()).all(allowed) {
            return Err(invalid("tags have only letters, digits, spaces and characters of _.:/=+-@"));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid("a tag's key must not begin with aws:, which AWS keeps for itself"));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

/// Who began the chain of sessions: it stays through all roles, and CloudTrail shows it (parameter `SourceIdentity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceIdentity(String);

impl SourceIdentity {
    /// The text as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceIdentity {
    type Err = InvalidSessionSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (2..=64).contains(&text.len()) && text.chars().all(is_session_character) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSessionSetting::new(
                "a source identity has 2 to 64 letters, digits or characters of _=,.@-+".to_owned(),
            ))
        }
    }
}

impl fmt::Display for SourceIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_policies_are_compacted_and_bounded() {
        let policy: SessionPolicy = "{ \"Version\": \"2012-10-17\",\n  \"Statement\": [] }".parse().unwrap();
        assert_eq!(policy.as_str(), r#"{"Version":"2012-10-17","Statement":[]}"#);
        assert!("{}".parse::<SessionPolicy>().unwrap_err().to_string().contains("Statement"));
        assert!("nope".parse::<SessionPolicy>().unwrap_err().to_string().contains("JSON"));
        let long = format!(r#"{{"Statement":"{}"}}"#, "x".repeat(2048));
        assert!(long.parse::<SessionPolicy>().unwrap_err().to_string().contains("2048"));
        assert!(r#"{"Statement":"€"}"#.parse::<SessionPolicy>().unwrap_err().to_string().contains("U+00FF"));
    }

    #[test]
    fn a_session_policy_reaches_aws_with_all_that_was_written() {
        for (text, sent) in [
            (
                "{ \"Statement\": { \"Condition\": {\n \"Bool\": {\"a\": \"b\"},\t\"Bool\": {\"c\": \"d\"} } } }\r\n",
                r#"{"Statement":{"Condition":{"Bool":{"a":"b"},"Bool":{"c":"d"}}}}"#,
            ),
            (r#"{"Statement": "a b \" c \\", "Sid" : " "}"#, r#"{"Statement":"a b \" c \\","Sid":" "}"#),
        ] {
            assert_eq!(text.parse::<SessionPolicy>().unwrap().as_str(), sent);
        }
    }

    #[test]
    fn managed_policies_are_arns_of_policies() {
        for good in ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws-cn:iam::123456789012:policy/team/x"] {
            assert!(good.parse::<ManagedPolicyArn>().is_ok(), "{good}");
        }
        for wrong in [
            "ReadOnlyAccess",
            "arn:aws:iam::aws:role/x",
            "arn:aws:iam::aws:policy/",
            "arn:aws:iam::aws:policy/a b",
        ] {
            assert!(wrong.parse::<ManagedPolicyArn>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_are_read_as_sts_takes_them() {
        let tag: SessionTag = " team = shop=web ".parse().unwrap();
        assert_eq!((tag.key.as_str(), tag.value.as_str()), ("team", "shop=web"));
        assert!(tag.has_key("TEAM"));
        assert!("team=".parse::<SessionTag>().is_ok());
        for wrong in ["team", "=x", "aws:team=x", "a;b=c", &format!("{}=x", "k".repeat(129))] {
            assert!(wrong.parse::<SessionTag>().is_err(), "{wrong}");
        }
    }
}
