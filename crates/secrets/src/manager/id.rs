use std::fmt;
use std::str::FromStr;

use causeway_types::{AccountId, Partition, Region};

/// The longest name ("CreateSecret") and id ("GetSecretValue", Secrets Manager API reference).
const MAX_NAME: usize = 512;
const MAX_ID: usize = 2048;

/// Which secret: its name, or its ARN with or without the six characters at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretId(String);

/// Which secrets: one, or all whose name begins with something (`prod/*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretPattern {
    /// This one; it must be there.
    Exact(SecretId),
    /// All whose name begins so, none if there is none.
    Prefix(String),
}

/// Which version of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretVersion {
    /// By its id.
    Id(String),
    /// By a staging label, such as `AWSPREVIOUS`.
    Stage(String),
}

/// The text cannot be the name or ARN of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not the name or ARN of a secret: {reason}")]
pub struct InvalidSecretId {
    text: String,
    reason: &'static str,
}

impl SecretId {
    /// The name or ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an ARN.
    #[must_use]
    pub fn is_arn(&self) -> bool {
        self.0.starts_with("arn:")
    }

    /// Whether a secret of this name and ARN is meant.
    pub(super) fn means(&self, name: &str, arn: &str) -> bool {
        let short = arn.len().checked_sub(7).and_then(|end| arn.get(..end));
        self.0 == name || self.0 == arn || (self.is_arn() && short == Some(self.as_str()))
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for SecretPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(id) => id.fmt(formatter),
            Self::Prefix(prefix) => write!(formatter, "{prefix}*"),
        }
    }
}

impl FromStr for SecretId {
    type Err = InvalidSecretId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.trim();
        let checked = if id.starts_with("arn:") { check_arn(id) } else { check_name(id) };
        checked
            .map(|()| Self(id.to_owned()))
            .map_err(|reason| InvalidSecretId { text: id.to_owned(), reason })
    }
}

impl FromStr for SecretPattern {
    type Err = InvalidSecretId;

    /// Reads a name, an ARN, or the beginning of names with a `*` behind it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(prefix) = text.trim().strip_suffix('*') else {
            return text.parse().map(Self::Exact);
        };
        let invalid = |reason| InvalidSecretId { text: text.trim().to_owned(), reason };
        if prefix.is_empty() {
            return Err(invalid(
                "a * alone would be every secret of the account; put the beginning of names before it",
            ));
        }
        if prefix.starts_with("arn:") {
            return Err(invalid("* goes with the beginning of names, not of ARNs"));
        }
        check_name(prefix).map_err(invalid)?;
        Ok(Self::Prefix(prefix.to_owned()))
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.len() > MAX_NAME {
        return Err("it is longer than 512 characters");
    }
    // "CreateSecret"; secrets that other services keep have `!` in their names (`rds!db-…`).
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "/_+=.@-!".contains(letter)) {
        return Err("names have only letters, digits, and / _ + = . @ -, and * only at the end");
    }
    Ok(())
}

fn check_arn(arn: &str) -> Result<(), &'static str> {
    if arn.len() > MAX_ID {
        return Err("it is longer than 2048 characters");
    }
    let fields: Vec<&str> = arn.splitn(7, ':').collect();
    let [_, partition, service, region, account, kind, name] = fields[..] else {
        return Err("the ARN of a secret has seven parts separated by colons");
    };
    Partition::by_id(partition).ok_or("AWS has no such partition")?;
    if (service, kind) != ("secretsmanager", "secret") {
        return Err("the ARN does not name a secret of Secrets Manager");
    }
    region.parse::<Region>().map_err(|_| "the ARN has no valid region")?;
    account.parse::<AccountId>().map_err(|_| "the account in the ARN is not twelve digits")?;
    check_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbC12d";

    #[test]
    fn names_arns_and_beginnings_are_read() {
        for text in ["prod/db", " a+b=c.d@e-f_G1 ", "rds!db-1234", ARN] {
            assert_eq!(text.parse::<SecretId>().unwrap().as_str(), text.trim());
            assert!(matches!(text.parse(), Ok(SecretPattern::Exact(_))));
        }
        assert_eq!("prod/*".parse(), Ok(SecretPattern::Prefix("prod/".to_owned())));
        assert_eq!("prod/*".parse::<SecretPattern>().unwrap().to_string(), "prod/*");
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        let long = "a".repeat(513);
        for (wrong, reason) in [
            ("", "empty"),
            ("a b", "letters"),
            ("a*b", "only at the end"),
            ("a**", "only at the end"),
            ("*", "every secret"),
            ("sécret", "letters"),
            (&long, "512"),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret", "seven"),
            ("arn:mars:secretsmanager:eu-west-1:123456789012:secret:a", "partition"),
            ("arn:aws:ssm:eu-west-1:123456789012:secret:a", "Secrets Manager"),
            ("arn:aws:secretsmanager:evil.example/x:123456789012:secret:a", "region"),
            ("arn:aws:secretsmanager:eu-west-1:1:secret:a", "twelve"),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod*", "not of ARNs"),
        ] {
            let error = wrong.parse::<SecretPattern>().unwrap_err().to_string();
            assert!(error.contains(reason), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_secret_is_known_by_name_and_by_whole_and_short_arn() {
        let means = |id: &str| id.parse::<SecretId>().unwrap().means("prod/db", ARN);
        assert!(means("prod/db") && means(ARN) && means(&ARN[..ARN.len() - 7]));
        assert!(!means("prod/d") && !means(&ARN[..ARN.len() - 8]) && !means("prod/db-AbC12d"));
    }
}
