use std::fmt;
use std::str::FromStr;

use causeway_types::{AccountId, Partition, Region};

use crate::ParameterVersion;

/// The longest name that SSM takes, an ARN included ("GetParameter", Systems Manager API reference).
const MAX_LENGTH: usize = 2048;

/// The deepest hierarchy ("Creating Parameter Store parameters", Systems Manager User Guide).
const MAX_LEVELS: usize = 15;

/// Below this path stand Secrets Manager's secrets, whose names take more characters ("Referencing Secrets
/// Manager secrets from Parameter Store parameters", Systems Manager User Guide).
const SECRET_REFERENCE: &str = "/aws/reference/secretsmanager/";

/// Which parameter: its name, or the ARN of one that another account shares; with `:3` or `:label` at the
/// end, a version of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ParameterName {
    name: String,
    selector: Option<Selector>,
}

/// Which version of a parameter is meant, where its name says so (`name:3`, `name:label`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// A version's number.
    Version(ParameterVersion),
    /// A label that somebody put on a version.
    Label(String),
}

/// The text cannot name a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not the name of an SSM parameter: {reason}")]
pub struct InvalidParameterName {
    text: String,
    reason: &'static str,
}

impl ParameterName {
    /// The name or ARN, without a selector.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The version or label that was written behind the name.
    #[must_use]
    pub fn selector(&self) -> Option<&Selector> {
        self.selector.as_ref()
    }
}

impl FromStr for ParameterName {
    type Err = InvalidParameterName;

    /// Reads a name; space around it is dropped, as SSM does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        parse(name).map_err(|reason| InvalidParameterName { text: name.to_owned(), reason })
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.selector {
            Some(selector) => write!(formatter, "{}:{selector}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(formatter),
            Self::Label(label) => formatter.write_str(label),
        }
    }
}

fn parse(text: &str) -> Result<ParameterName, &'static str> {
    if text.len() > MAX_LENGTH {
        return Err("it is longer than 2048 characters");
    }
    let prefix = if text.starts_with("arn:") { check_arn_prefix(text)? } else { "" };
    let (own, selector) = match text[prefix.len()..].split_once(':') {
        Some((own, selector)) => (own, Some(parse_selector(selector)?)),
        None => (&text[prefix.len()..], None),
    };
    check_own_name(own)?;
    Ok(ParameterName { name: format!("{prefix}{own}"), selector })
}

/// Checks `arn:<partition>:ssm:<region>:<account>:parameter` and answers that part of the ARN. The name
/// behind it begins with its own `/`.
fn check_arn_prefix(arn: &str) -> Result<&str, &'static str> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, service, region, account, resource] = fields[..] else {
        return Err("an ARN has six parts separated by colons");
    };
    Partition::by_id(partition).ok_or("AWS has no such partition")?;
    if service != "ssm" {
        return Err("the ARN does not name something of SSM");
    }
    region.parse::<Region>().map_err(|_| "the ARN has no valid region")?;
    account.parse::<AccountId>().map_err(|_| "the account in the ARN is not twelve digits")?;
    let own = resource.strip_prefix("parameter").filter(|own| own.starts_with('/'));
    let own = own.ok_or("the ARN does not name a parameter (…:parameter/<name>)")?;
    Ok(&arn[..arn.len() - own.len()])
}

fn check_own_name(name: &str) -> Result<(), &'static str> {
    if name.trim_matches('/').is_empty() {
        return Err("it is empty");
    }
    let extra = if name.starts_with(SECRET_REFERENCE) { "+=@!" } else { "" };
    if !name.chars().all(|letter| is_name_character(letter) || extra.contains(letter)) {
        return Err("names have only letters, digits, and _ . - /");
    }
    if levels(name) > MAX_LEVELS && !name.starts_with(SECRET_REFERENCE) {
        return Err("a hierarchy has at most 15 levels");
    }
    Ok(())
}

/// The characters of names and paths ("Creating Parameter Store parameters").
pub(crate) fn is_name_character(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_.-/".contains(letter)
}

fn levels(name: &str) -> usize {
    name.split('/').filter(|part| !part.is_empty()).count()
}

const NO_SELECTOR: &str = "behind the colon stands neither a version nor a label";

/// Labels: at most 100 letters, digits, `.`, `-`, `_`, no digit first ("Labeling parameters").
fn parse_selector(text: &str) -> Result<Selector, &'static str> {
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        let version = text.parse().map_err(|_| NO_SELECTOR)?;
        return Ok(Selector::Version(version));
    }
    let is_label = (1..=100).contains(&text.len())
        && text.chars().all(|letter| letter != '/' && is_name_character(letter));
    if is_label { Ok(Selector::Label(text.to_owned())) } else { Err(NO_SELECTOR) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_are_read() {
        for (text, name, selector) in [
            ("token", "token", None),
            ("  /app/dev/db_password.v-2\n", "/app/dev/db_password.v-2", None),
            ("hello/there/ok/", "hello/there/ok/", None),
            ("/app/token:3", "/app/token", Some("3")),
            ("/app/token:live", "/app/token", Some("live")),
            (
                "arn:aws:ssm:eu-west-1:123456789012:parameter/app/token",
                "arn:aws:ssm:eu-west-1:123456789012:parameter/app/token",
                None,
            ),
            (
                "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/token:7",
                "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/token",
                Some("7"),
            ),
            (
                "/aws/reference/secretsmanager/a/b/c/d/e/f/g/h/i/j/k/l/m/rds!db+x=@1",
                "/aws/reference/secretsmanager/a/b/c/d/e/f/g/h/i/j/k/l/m/rds!db+x=@1",
                None,
            ),
        ] {
            let parsed: ParameterName = text.parse().unwrap();
            assert_eq!(parsed.as_str(), name);
            assert_eq!(parsed.selector().map(ToString::to_string).as_deref(), selector, "{text}");
            assert_eq!(parsed.to_string(), text.trim());
        }
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        let long = "a".repeat(2049);
        let deep = "/a".repeat(16);
        for (wrong, reason) in [
            ("", "empty"),
            ("   ", "empty"),
            ("//", "empty"),
            (":3", "empty"),
            ("my token", "letters"),
            ("töken", "letters"),
            ("a+b", "letters"),
            ("a\nb", "letters"),
            ("token:0", "version"),
            ("token:", "label"),
            ("token:1.5", "version"),
            ("token:a/b", "label"),
            ("token:3:4", "version"),
            (&long, "2048"),
            (&deep, "15 levels"),
            ("arn:aws:ssm", "six parts"),
            ("arn:mars:ssm:eu-west-1:123456789012:parameter/a", "partition"),
            ("arn:aws:s3:eu-west-1:123456789012:parameter/a", "SSM"),
            ("arn:aws:ssm:evil.example/x:123456789012:parameter/a", "region"),
            ("arn:aws:ssm:eu-west-1:1:parameter/a", "twelve digits"),
            ("arn:aws:ssm:eu-west-1:123456789012:document/a", "parameter"),
            ("arn:aws:ssm:eu-west-1:123456789012:parameter/", "empty"),
        ] {
            let error = wrong.parse::<ParameterName>().unwrap_err().to_string();
            assert!(error.contains(reason), "{wrong}: {error}");
        }
    }
}
