//! The words an image is named by: repository, tag, digest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a repository, such as `team/shop`.
///
/// Rule: "Pulling manifests", OCI Distribution Specification; length: `CreateRepository`, ECR API Reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryName(String);

/// A tag, such as `1.4.2`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(String);

/// The digest of a blob or manifest, such as `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Which manifest of a repository is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// The one that the tag points to now.
    Tag(Tag),
    /// This very one.
    Digest(Digest),
}

/// The text is no name of the kind that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not {kind}")]
pub struct InvalidName {
    text: String,
    kind: &'static str,
}

impl RepositoryName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a name of any text as the AWS Toolkit's `forceDockerNamingConventions` does: lower case, without the
    /// characters that no name has (`m!y@r #e$p%o` is `myrepo`).
    ///
    /// # Errors
    /// When nothing that is a name is left.
    pub fn coerced(text: &str) -> Result<Self, InvalidName> {
        let lower = text.to_ascii_lowercase();
        let allowed: String = lower.chars().filter(|c| is_repository_character(*c) || *c == '/').collect();
        let parts = allowed.split('/').map(|part| part.trim_matches(['.', '_', '-']));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        parts.join("/").parse().map_err(|_| InvalidName { text: text.to_owned(), kind: REPOSITORY })
    }
}

const REPOSITORY: &str = "the name of a repository (2 to 256 lower-case letters, digits and ._- between them, parts \
     separated by /; no host and no tag)";

fn is_repository_character(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
}

impl FromStr for RepositoryName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_end =
            |c: Option<char>| c.is_some_and(|c| is_repository_character(c) && c.is_ascii_alphanumeric());
        let is_part = |part: &str| {
            is_end(part.chars().next())
                && is_end(part.chars().next_back())
                && part.chars().all(is_repository_character)
                && !part.contains("..")
        };
        if (2..=256).contains(&text.len()) && text.split('/').all(is_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName { text: text.to_owned(), kind: REPOSITORY })
        }
    }
}

impl Tag {
    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if begins && text.len() <= 128 && text.bytes().all(is_tag) {
            Ok(Self(text.to_owned()))
        } else {
            let kind = "a tag (up to 128 letters, digits and ._-, not beginning with . or -)";
            Err(InvalidName { text: text.to_owned(), kind })
        }
    }
}

impl Digest {
    /// Takes text that is known to be a digest.
    pub(crate) fn of_checked(text: String) -> Self {
        Self(text)
    }

    /// `algorithm:hex`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The algorithm, `sha256` or `sha512`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.0.rsplit(':').next().unwrap_or_default()
    }
}

impl FromStr for Digest {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_hex = |digits: &str| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let valid = match text.split_once(':') {
            Some(("sha256", digits)) => digits.len() == 64 && is_hex(digits),
            Some(("sha512", digits)) => digits.len() == 128 && is_hex(digits),
            _ => false,
        };
        let kind = "a digest (sha256: and 64 hexadecimal digits)";
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidName { text: text.to_owned(), kind }) }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl Reference {
    /// The tag or the digest.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }

    /// What joins it to the repository's name: `:` or `@`.
    #[must_use]
    pub fn joint(&self) -> char {
        if matches!(self, Self::Tag(_)) { ':' } else { '@' }
    }
}

impl FromStr for Reference {
    type Err = InvalidName;

    /// A text with a colon is a digest, any other a tag.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.contains(':') { text.parse().map(Self::Digest) } else { text.parse().map(Self::Tag) }
    }
}

impl From<Tag> for Reference {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Reference {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

macro_rules! shown_as_text {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    )*};
}
shown_as_text!(RepositoryName, Tag, Digest, Reference);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_read_or_refused() {
        for name in ["ab", "team/shop", "a.b_c-d/e__f", "0/1", "a--b"] {
            assert!(name.parse::<RepositoryName>().is_ok(), "{name}");
        }
        let long = "a".repeat(257);
        for wrong in [
            "",
            "a",
            "Team/shop",
            "team//shop",
            "/team",
            "team/",
            "-a",
            "a-",
            "a b",
            "a:b",
            "a..b",
            "ü",
            &long,
        ] {
            assert!(wrong.parse::<RepositoryName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn any_text_can_be_made_a_name_as_the_toolkit_does() {
        for (text, name) in [
            ("m!y@r #e$p%o^n&a*m(e)", "myreponame"),
            ("Team/Shop", "team/shop"),
            ("-team-//.shop", "team/shop"),
        ] {
            assert_eq!(RepositoryName::coerced(text).unwrap().as_str(), name);
        }
        assert!(RepositoryName::coerced("!!").is_err());
    }

    #[test]
    fn tags_and_digests_are_told_apart() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        assert!(matches!(digest.parse(), Ok(Reference::Digest(_))));
        assert!(matches!("1.4.2-rc_1".parse(), Ok(Reference::Tag(_))));
        let uneven = format!("sha256:{}", "0F".repeat(32));
        for wrong in ["", "-x", ".x", "a b", "sha256:12", "md5:00", &uneven, &"t".repeat(129)] {
            assert!(wrong.parse::<Reference>().is_err(), "{wrong}");
        }
        assert!("../../etc/passwd".parse::<Digest>().is_err());
    }
}
