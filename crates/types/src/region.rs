use std::fmt;
use std::str::FromStr;

use crate::Partition;

/// The name of an AWS region, such as `eu-west-1`.
///
/// It becomes part of a host name, so anything but lower-case words and a number is refused: a region such
/// as `evil.example/x` would otherwise send a token to somebody else's host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Region(String);

/// The text cannot be the name of a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not the name of an AWS region (such as eu-west-1)")]
pub struct InvalidRegion(String);

impl Region {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that this region belongs to.
    #[must_use]
    pub fn partition(&self) -> &'static Partition {
        Partition::of_region(&self.0)
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    /// Reads a name; surrounding space is dropped and upper case lowered, as the AWS Toolkit does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_ascii_lowercase();
        let parts: Vec<&str> = name.split('-').collect();
        let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
        let well_formed = name.len() <= 32
            && parts.len() >= 3
            && parts.split_last().is_some_and(|(number, words)| {
                words.iter().all(is_word)
                    && (1..=2).contains(&number.len())
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            });
        if well_formed { Ok(Self(name)) } else { Err(InvalidRegion(text.to_owned())) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_regions_are_read_and_lowered() {
        for (text, name) in [
            ("eu-west-1", "eu-west-1"),
            (" US-East-1\n", "us-east-1"),
            ("us-gov-west-1", "us-gov-west-1"),
            ("eusc-de-east-1", "eusc-de-east-1"),
            ("us-iso-east-1", "us-iso-east-1"),
        ] {
            assert_eq!(text.parse::<Region>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_could_leave_the_host_name_is_refused() {
        for wrong in [
            "",
            "evil.example/x",
            "eu-west-1.evil.example",
            "eu-west-1@x",
            "eu--1",
            "eu-west-",
            "-west-1",
            "eu-west-123",
            "eu-west-1#",
            "aws-global",
            "eu west 1",
            "éu-west-1",
            "eu-west-1\neu-west-2",
        ] {
            assert!(wrong.parse::<Region>().is_err(), "{wrong}");
        }
    }
}
