use std::fmt;

use causeway_types::RoleArn;
use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Why a text is not a trust policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is not JSON at all.
    #[error("the policy is not JSON: {0}")]
    NotJson(String),
    /// It is JSON that IAM would not take, or that cannot be judged.
    #[error("{place}: {problem}")]
    Malformed {
        /// Where, such as `Statement[1].Condition.StringEquls`.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

impl PolicyError {
    pub(super) fn at(place: &str, problem: impl Into<String>) -> Self {
        Self::Malformed { place: place.to_owned(), problem: problem.into() }
    }
}

/// JSON with every field as it was written: a field that stands twice must not hide the first one.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Null,
    Text(String),
    /// A number or boolean, as text: policies may write `true` and `"true"` alike.
    Scalar(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The fields of an object, each of them there once (IAM User Guide, "Grammar of the IAM JSON policy language":
    /// "Individual elements must not contain multiple instances of the same key").
    pub(super) fn fields(&self, place: &str) -> Result<&[(String, Self)], PolicyError> {
        let Self::Object(fields) = self else {
            return Err(PolicyError::at(place, format!("{} where an object is expected", self.kind())));
        };
        for (index, (name, _)) in fields.iter().enumerate() {
            if fields[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(PolicyError::at(&within(place, name), "it stands here twice"));
            }
        }
        Ok(fields)
    }

    /// One text or a list of them; numbers and booleans count as text.
    pub(super) fn texts(&self, place: &str) -> Result<Vec<String>, PolicyError> {
        match self {
            Self::Text(text) | Self::Scalar(text) => Ok(vec![text.clone()]),
            Self::List(items) => {
                items.iter().enumerate().map(|(at, item)| item.text(&format!("{place}[{at}]"))).collect()
            }
            other => Err(PolicyError::at(place, format!("{} where text is expected", other.kind()))),
        }
    }

    pub(super) fn text(&self, place: &str) -> Result<String, PolicyError> {
        match self {
            Self::Text(text) | Self::Scalar(text) => Ok(text.clone()),
            other => Err(PolicyError::at(place, format!("{} where text is expected", other.kind()))),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Text(_) => "text",
            Self::Scalar(_) => "a number or boolean",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// The path of a field.
pub(super) fn within(place: &str, field: &str) -> String {
    if place.is_empty() { field.to_owned() } else { format!("{place}.{field}") }
}

/// Finds the policy in what people have at hand: the document itself, URL-encoded as IAM's API answers it, as a JSON
/// text, or inside the output of `aws iam get-role`. The role is known in the last case.
pub(super) fn find(text: &str) -> Result<(Node, Option<RoleArn>), PolicyError> {
    let mut node = read(text)?;
    // Text in text: a document that was encoded, and put into JSON as text.
    for _ in 0..2 {
        if let Node::Text(inner) = &node {
            node = read(inner)?;
        }
    }
    let role = node.field("Role").unwrap_or(&node);
    let Some(document) = role.field("AssumeRolePolicyDocument") else {
        return Ok((node, None));
    };
    let arn = role.field("Arn").and_then(|arn| arn.text("Role.Arn").ok()).and_then(|arn| arn.parse().ok());
    match document {
        Node::Text(inner) => Ok((read(inner)?, arn)),
        document => Ok((document.clone(), arn)),
    }
}

fn read(text: &str) -> Result<Node, PolicyError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let not_json = |error: &dyn fmt::Display| PolicyError::NotJson(error.to_string());
    if !text.starts_with('%') {
        return serde_json::from_str(text).map_err(|error| not_json(&error));
    }
    let decoded = percent_decode_str(text).decode_utf8().map_err(|error| not_json(&error))?;
    serde_json::from_str(&decoded).map_err(|error| not_json(&error))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Node::Object(fields))
    }
}
