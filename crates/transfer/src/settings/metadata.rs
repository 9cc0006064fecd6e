use http::HeaderName;

use super::{HeaderText, InvalidHeaderText};

/// All names and values of an object's metadata together (S3 User Guide, "User-defined object metadata").
const MAX_METADATA_BYTES: usize = 2048;
/// How many tags an object may have, and how long their keys and values may be (S3 User Guide, "Categorizing
/// your objects using tags").
const MAX_TAGS: usize = 10;
const MAX_TAG_KEY: usize = 128;
const MAX_TAG_VALUE: usize = 256;

/// Metadata of one's own on every object: `x-amz-meta-<name>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(String, HeaderText)>);

/// Tags on every object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectTags(Vec<(String, String)>);

/// A line that is no metadata, or too much of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// There is no `=`, or nothing before it.
    #[error("\"{0}\" is not of the form name=value")]
    Form(String),
    /// The name cannot stand in a header.
    #[error("\"{0}\" is not a name that metadata can have: letters, digits, hyphens and underscores")]
    Name(String),
    /// The value cannot stand in a header.
    #[error("the value of \"{0}\": {1}")]
    Value(String, InvalidHeaderText),
    /// The same name twice; S3 does not tell upper and lower case apart.
    #[error("\"{0}\" is given twice")]
    Twice(String),
    /// Together it is more than S3 takes.
    #[error("the metadata has {0} bytes, S3 takes 2048")]
    TooMuch(usize),
}

/// A line that is no tag, or one tag too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTags {
    /// There is no `=`, or nothing before it.
    #[error("\"{0}\" is not of the form key=value")]
    Form(String),
    /// Longer than S3 takes, or a beginning that AWS keeps for itself.
    #[error(
        "\"{0}\" cannot be a tag: keys have up to 128 characters and do not begin with aws:, values up to 256"
    )]
    Size(String),
    /// The same key twice.
    #[error("the tag \"{0}\" is given twice")]
    Twice(String),
    /// More than S3 takes.
    #[error("there are {0} tags, S3 takes 10")]
    TooMany(usize),
}

impl Metadata {
    /// Reads lines `name=value`; blank lines mean nothing.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidMetadata> {
        let mut pairs: Vec<(String, HeaderText)> = Vec::new();
        for line in pieces(lines) {
            let (name, value) = pair(line).ok_or_else(|| InvalidMetadata::Form(line.to_owned()))?;
            let name = name.to_ascii_lowercase();
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            if !is_name || HeaderName::try_from(format!("x-amz-meta-{name}")).is_err() {
                return Err(InvalidMetadata::Name(name));
            }
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(InvalidMetadata::Twice(name));
            }
            let value = value.parse().map_err(|error| InvalidMetadata::Value(name.clone(), error))?;
            pairs.push((name, value));
        }
        let bytes = pairs.iter().map(|(name, value)| name.len() + value.as_str().len()).sum();
        if bytes > MAX_METADATA_BYTES { Err(InvalidMetadata::TooMuch(bytes)) } else { Ok(Self(pairs)) }
    }

    /// Names without their prefix, and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl ObjectTags {
    /// Reads lines `key=value`; blank lines mean nothing, a value may be empty.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidTags> {
        let mut tags: Vec<(String, String)> = Vec::new();
        for line in pieces(lines) {
            let (key, value) = pair(line).ok_or_else(|| InvalidTags::Form(line.to_owned()))?;
            let is_sized = key.chars().count() <= MAX_TAG_KEY && value.chars().count() <= MAX_TAG_VALUE;
            if !is_sized || key.to_ascii_lowercase().starts_with("aws:") {
                return Err(InvalidTags::Size(key.to_owned()));
            }
            if tags.iter().any(|(known, _)| known == key) {
                return Err(InvalidTags::Twice(key.to_owned()));
            }
            tags.push((key.to_owned(), value.to_owned()));
        }
        if tags.len() > MAX_TAGS { Err(InvalidTags::TooMany(tags.len())) } else { Ok(Self(tags)) }
    }

    /// As the header `x-amz-tagging` has them: a URL's query.
    pub(crate) fn header(&self) -> Option<String> {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode as encode};
        let pair = |(key, value): &(String, String)| {
            format!("{}={}", encode(key, NON_ALPHANUMERIC), encode(value, NON_ALPHANUMERIC))
        };
        (!self.0.is_empty()).then(|| self.0.iter().map(pair).collect::<Vec<_>>().join("&"))
    }
}

fn pieces<'a>(lines: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    lines.into_iter().flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty())
}

fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_and_what_cannot_be_a_header_refused() {
        let metadata = Metadata::parse(["Build-Id = 42\n\ncommit=a=b", "x_y=z"]).unwrap();
        assert_eq!(
            metadata.pairs().collect::<Vec<_>>(),
            [("build-id", "42"), ("commit", "a=b"), ("x_y", "z")]
        );
        for wrong in ["novalue", "=x", "a b=c", "a:b=c", "ü=c", "a=ü", "a=", "a=1\nA=2"] {
            assert!(Metadata::parse([wrong]).is_err(), "{wrong}");
        }
        let long = format!("a={}", "x".repeat(2047));
        assert!(Metadata::parse([long.as_str()]).is_ok());
        assert_eq!(Metadata::parse([long.as_str(), "b=1"]), Err(InvalidMetadata::TooMuch(2050)));
    }

    #[test]
    fn tags_become_a_query() {
        let tags = ObjectTags::parse(["team=a b&c", "ü=é", "empty="]).unwrap();
        assert_eq!(tags.header().as_deref(), Some("team=a%20b%26c&%C3%BC=%C3%A9&empty="));
        assert_eq!(ObjectTags::default().header(), None);
        for wrong in ["x", "=x", "aws:x=y", "a=1\na=2", &format!("{}=x", "k".repeat(129))] {
            assert!(ObjectTags::parse([wrong]).is_err(), "{wrong}");
        }
        let eleven: Vec<String> = (0..11).map(|index| format!("k{index}=v")).collect();
        assert_eq!(ObjectTags::parse(eleven.iter().map(String::as_str)), Err(InvalidTags::TooMany(11)));
    }
}
