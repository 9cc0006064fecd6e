use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// The name of a bucket, as the S3 User Guide allows it ("General purpose bucket naming rules").
///
/// Only the rules for the form are checked. The reserved beginnings and endings are left to S3: some of
/// them, such as `-s3alias`, name things that objects can be put into.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BucketName(String);

/// The text cannot be the name of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" is not the name of an S3 bucket: {reason}")]
pub struct InvalidBucketName {
    name: String,
    reason: &'static str,
}

impl BucketName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = InvalidBucketName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(reason) => Err(InvalidBucketName { name: text.to_owned(), reason }),
        }
    }
}

fn fault(name: &str) -> Option<&'static str> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-') {
        return Some("it may hold only lower-case letters, digits, dots and hyphens");
    }
    if !(3..=63).contains(&name.len()) {
        return Some("it must be 3 to 63 characters long");
    }
    if !name.bytes().next().is_some_and(is_word) || !name.bytes().last().is_some_and(is_word) {
        return Some("it must begin and end with a letter or a digit");
    }
    if name.contains("..") {
        return Some("it must not hold two dots in a row");
    }
    name.parse::<Ipv4Addr>().is_ok().then_some("it must not look like an IP address")
}

impl fmt::Display for BucketName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_names_are_read() {
        for name in ["abc", "my-bucket.with.dots", "0a1", "a--b", &"a".repeat(63), "data-x-s3alias"] {
            assert_eq!(name.parse::<BucketName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        for (name, reason) in [
            ("", "3 to 63"),
            ("ab", "3 to 63"),
            (&"a".repeat(64), "3 to 63"),
            ("My-Bucket", "lower-case"),
            ("my_bucket", "lower-case"),
            ("bücket", "lower-case"),
            ("bucket/folder", "lower-case"),
            ("s3://bucket", "lower-case"),
            (" bucket", "lower-case"),
            ("-bucket", "begin and end"),
            ("bucket.", "begin and end"),
            ("my..bucket", "two dots"),
            ("192.168.5.4", "IP address"),
        ] {
            let error = name.parse::<BucketName>().unwrap_err().to_string();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }
}
