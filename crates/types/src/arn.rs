use std::fmt;
use std::str::FromStr;

use crate::{AccountId, Partition};

/// The ARN of an IAM role: `arn:<partition>:iam::<account>:role/<path and name>`.
///
/// The parts are those of the IAM User Guide, "IAM identifiers": a name of at most 64 characters out of
/// letters, digits and `+=,.@_-`, below a path of printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleArn {
    text: String,
    partition: &'static str,
    account: AccountId,
}

/// The text is not the ARN of a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not the ARN of an IAM role (arn:aws:iam::<account>:role/<name>): {reason}")]
pub struct InvalidRoleArn {
    text: String,
    reason: &'static str,
}

impl RoleArn {
    /// The ARN as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The account that owns the role.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The partition that the ARN names, such as `aws-cn`.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        self.partition
    }

    /// The role's name without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for RoleArn {
    type Err = InvalidRoleArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason| InvalidRoleArn { text: text.to_owned(), reason };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("it holds spaces or characters that no ARN has"));
        }
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, region, account, resource] = fields[..] else {
            return Err(invalid("an ARN has six parts separated by colons"));
        };
        if arn != "arn" {
            return Err(invalid("it does not begin with \"arn:\""));
        }
        let partition = Partition::by_id(partition).ok_or_else(|| invalid("AWS has no such partition"))?;
        if service != "iam" || !region.is_empty() {
            return Err(invalid("it does not name something of IAM"));
        }
        let account = account.parse().map_err(|_| invalid("the account is not twelve digits"))?;
        let path = resource.strip_prefix("role/").ok_or_else(|| invalid("it does not name a role"))?;
        if !is_role_name(path.rsplit('/').next().unwrap_or_default()) {
            return Err(invalid(
                "the role's name is empty, over 64 characters, or has a character that names have not",
            ));
        }
        Ok(Self { text: text.to_owned(), partition: partition.id(), account })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn is_role_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
}

/// The account field of any ARN, such as the `Arn` that STS `GetCallerIdentity` answers.
#[must_use]
pub fn account_of_arn(arn: &str) -> Option<AccountId> {
    arn.split(':').nth(4)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_with_a_path_is_read() {
        let role: RoleArn = "arn:aws-cn:iam::123456789012:role/team/a/deploy+x=1,2.@_-".parse().unwrap();
        assert_eq!(role.account().as_str(), "123456789012");
        assert_eq!(role.partition(), "aws-cn");
        assert_eq!(role.name(), "deploy+x=1,2.@_-");
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        for (wrong, reason) in [
            ("", "six parts"),
            ("arn:aws:iam::123456789012:role/my role", "spaces"),
            (" arn:aws:iam::123456789012:role/a", "spaces"),
            ("arn:aws:iam::123456789012:role/a\u{200b}", "spaces"),
            ("arn:mars:iam::123456789012:role/a", "partition"),
            ("arn:aws:sts::123456789012:assumed-role/a/b", "IAM"),
            ("arn:aws:iam:eu-west-1:123456789012:role/a", "IAM"),
            ("arn:aws:iam::1234:role/a", "twelve digits"),
            ("arn:aws:iam::123456789012:user/a", "role"),
            ("arn:aws:iam::123456789012:role/", "name"),
            ("arn:aws:iam::123456789012:role/a;b", "name"),
            ("urn:aws:iam::123456789012:role/a", "arn:"),
        ] {
            let error = wrong.parse::<RoleArn>().unwrap_err().to_string();
            assert!(error.contains(reason), "{wrong}: {error}");
        }
    }

    #[test]
    fn an_assumed_role_tells_its_account() {
        let account = account_of_arn("arn:aws:sts::123456789012:assumed-role/deploy/run-7").unwrap();
        assert_eq!(account.as_str(), "123456789012");
        assert!(account_of_arn("arn:aws:s3:::bucket").is_none());
    }
}
