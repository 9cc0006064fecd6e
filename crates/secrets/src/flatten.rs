use std::fmt;

use secrecy::SecretString;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// So many levels are divided; deeper ones stay JSON. No secret that people write has as many.
const MAX_LEVELS: usize = 32;

/// One value out of a JSON value.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The keys on the way to it, a list's by number from 0, joined with `_`; other characters than letters, digits,
    /// `.`, `-` and `_` become `_`.
    pub name: String,
    /// The same keys as they stand in the JSON, joined with `.`: for messages.
    pub path: String,
    /// A string's text; a number as it was written, `true`, `false`, `null`, `{}` or `[]`.
    pub value: SecretString,
    /// Whether it is `true`, `false` or `null`: words too common to be hidden.
    pub is_word: bool,
}

/// Divides a JSON object into its values. `None` when the text is anything else, or an object without keys.
#[must_use]
pub fn flatten(text: &str) -> Option<Vec<Leaf>> {
    let object: Object<'_> = serde_json::from_str(text).ok()?;
    let mut leaves = Vec::new();
    descend_object(&object, &Place::default(), 1, &mut leaves);
    (!leaves.is_empty()).then_some(leaves)
}

/// An object's members in their order, numbers unread: they would lose digits.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}

/// Where in the JSON a value stands: its future name, and its path.
#[derive(Default)]
struct Place {
    name: String,
    path: String,
}

impl Place {
    fn below(&self, key: &str) -> Self {
        let plain: String = key.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        Self { name: joined(&self.name, '_', &plain), path: joined(&self.path, '.', key) }
    }
}

fn joined(beginning: &str, mark: char, key: &str) -> String {
    if beginning.is_empty() { key.to_owned() } else { format!("{beginning}{mark}{key}") }
}

fn descend_object(object: &Object<'_>, place: &Place, level: usize, leaves: &mut Vec<Leaf>) {
    for (key, value) in &object.0 {
        descend(value.get(), place.below(key), level, leaves);
    }
}

fn descend(json: &str, place: Place, level: usize, leaves: &mut Vec<Leaf>) {
    let deeper = level < MAX_LEVELS;
    match json.as_bytes().first() {
        Some(b'{') if deeper => {
            if let Ok(object) = serde_json::from_str::<Object<'_>>(json)
                && !object.0.is_empty()
            {
                return descend_object(&object, &place, level + 1, leaves);
            }
        }
        Some(b'[') if deeper => {
            if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json)
                && !items.is_empty()
            {
                for (index, item) in items.iter().enumerate() {
                    descend(item.get(), place.below(&index.to_string()), level + 1, leaves);
                }
                return;
            }
        }
        _ => {}
    }
    // What is no string of Unicode (half a surrogate pair) stays as it is written.
    let text = serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned());
    let is_word = matches!(json, "true" | "false" | "null");
    let Place { name, path } = place;
    leaves.push(Leaf { name, path, value: SecretString::from(text), is_word });
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._-".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let leaves = flatten(text).unwrap_or_default();
        leaves.into_iter().map(|leaf| (leaf.name, leaf.value.expose_secret().to_owned())).collect()
    }

    #[test]
    fn keys_are_joined_and_values_become_text() {
        let text = r#" {"user":"a","db":{"host":"h","ports":[5432,{"tls":true}],"none":null},"rate":1.10,
            "big":12345678901234567890123,"e":{},"l":[],"text":"{\"a\":1}"} "#;
        let expected = [
            ("user", "a"),
            ("db_host", "h"),
            ("db_ports_0", "5432"),
            ("db_ports_1_tls", "true"),
            ("db_none", "null"),
            ("rate", "1.10"),
            ("big", "12345678901234567890123"),
            ("e", "{}"),
            ("l", "[]"),
            ("text", "{\"a\":1}"),
        ];
        assert_eq!(pairs(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let words: Vec<String> =
            flatten(text).unwrap().into_iter().filter(|leaf| leaf.is_word).map(|leaf| leaf.name).collect();
        assert_eq!(words, ["db_ports_1_tls", "db_none"]);
    }

    #[test]
    fn what_is_no_object_stays_whole() {
        for text in ["", "plain", "\"text\"", "5", "null", "[1,2]", "{}", "{\"a\":1", "{\"a\":1} x", "{a:1}"]
        {
            assert!(flatten(text).is_none(), "{text}");
        }
    }

    #[test]
    fn text_comes_unescaped_and_keys_are_made_fit() {
        assert_eq!(
            pairs("{\"a b/c\":\"l1\\nl2 \\u00e4\\ud83d\\ude00\\u0000\",\"ü.x-1\":\"\"}"),
            [("a_b_c".to_owned(), "l1\nl2 ä😀\0".to_owned()), ("_.x-1".to_owned(), String::new())]
        );
        assert_eq!(pairs("{\"a\":\"\\ud83d\"}"), [("a".to_owned(), "\"\\ud83d\"".to_owned())]);
        assert_eq!(pairs("{\"a\":\"1\",\"a\":\"2\"}").len(), 2, "the caller refuses the clash");
        let paths: Vec<String> =
            flatten(r#"{"a b":1,"a":{"b":[2]}}"#).unwrap().into_iter().map(|leaf| leaf.path).collect();
        assert_eq!(paths, ["a b", "a.b.0"]);
    }

    #[test]
    fn depth_has_an_end() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(30_000), "]".repeat(30_000));
        let leaves = flatten(&deep).unwrap_or_default();
        assert!(leaves.len() <= 1, "one value, or none where the parser refuses such depth");
    }
}
