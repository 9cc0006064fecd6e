use std::str::FromStr;

/// A tag, written `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The text is not a tag that AWS takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a tag: {reason}")]
pub struct InvalidTag {
    text: String,
    reason: &'static str,
}

impl FromStr for Tag {
    type Err = InvalidTag;

    /// Reads `key=value`; the value may be empty. Lengths: "Tag" in the API references of both services.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason| InvalidTag { text: text.to_owned(), reason };
        let (key, value) = text.split_once('=').ok_or_else(|| invalid("write key=value"))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.chars().count() > 128 {
            return Err(invalid("a key has 1 to 128 characters"));
        }
        if value.chars().count() > 256 {
            return Err(invalid("a value has at most 256 characters"));
        }
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(invalid("keys that begin with aws: belong to AWS"));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_keys_and_values() {
        for (text, key, value) in
            [("a=b", "a", "b"), (" team = web = shop ", "team", "web = shop"), ("k=", "k", "")]
        {
            let tag: Tag = text.parse().unwrap();
            assert_eq!((tag.key.as_str(), tag.value.as_str()), (key, value));
        }
        let long = format!("{}=x", "k".repeat(129));
        for wrong in ["", "a", "=b", "aws:x=y", "AWS:x=y", &long] {
            assert!(wrong.parse::<Tag>().is_err(), "{wrong}");
        }
    }
}
