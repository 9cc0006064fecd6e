//! Policy documents compared by what they mean, and shown line by line.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// A document as IAM answers it: JSON, URL-encoded ("compliant with RFC 3986", IAM API Reference, `GetRole`).
pub(crate) fn document(text: &str) -> Value {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    let read = serde_json::from_str(text).or_else(|_| serde_json::from_str(&decoded));
    read.unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// Whether two documents say the same: the order of keys and of lists of texts means nothing in a policy, and a list of one is
/// its element.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    canonical(one) == canonical(other)
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            Value::Object(
                keys.into_iter().map(|key| (key.clone(), canonical(&fields[key]))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canonical).collect();
            if items.iter().all(Value::is_string) {
                items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
            match items.len() {
                1 => items.remove(0),
                _ => Value::Array(items),
            }
        }
        // Policies take `true` and `"true"` alike.
        Value::Bool(flag) => Value::String(flag.to_string()),
        other => other.clone(),
    }
}

/// The lines that differ, with `-` and `+` before them, and those that stay with a space.
pub(crate) fn difference(before: &Value, after: &Value) -> Vec<String> {
    let (before, after) = (format!("{before:#}"), format!("{after:#}"));
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    // Longest common subsequence; policies have some hundred lines at most.
    let mut common = vec![vec![0_usize; after.len() + 1]; before.len() + 1];
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            common[i][j] =
                if old == new { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            lines.push(format!("  {}", before[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < before.len() && (j == after.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("- {}", before[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", after[j]));
            j += 1;
        }
    }
    lines
}

/// A new document, every line with `+`.
pub(crate) fn added(document: &Value) -> Vec<String> {
    format!("{document:#}").lines().map(|line| format!("+ {line}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_means_the_same_is_the_same() {
        let one = json!({"a": ["x", "y"], "b": {"c": "z"}, "d": true});
        assert!(same(&one, &json!({"d": "true", "b": {"c": ["z"]}, "a": ["y", "x"]})));
        assert!(!same(&one, &json!({"d": "true", "b": {"c": ["Z"]}, "a": ["y", "x"]})));
        assert_eq!(document("%7B%22a%22%3A1%7D"), json!({"a": 1}));
        assert_eq!(document("{\"a\":\"100%25\"}"), json!({"a": "100%25"}));
    }

    #[test]
    fn a_difference_shows_what_goes_and_what_comes() {
        let lines = difference(&json!({"a": 1, "b": 2}), &json!({"a": 1, "b": 3}));
        assert_eq!(lines, ["  {", "    \"a\": 1,", "-   \"b\": 2", "+   \"b\": 3", "  }"]);
    }

    proptest! {
        #[test]
        fn a_difference_can_be_applied(
            before in proptest::collection::vec("[a-c]{1,2}", 0..12),
            after in proptest::collection::vec("[a-c]{1,2}", 0..12),
        ) {
            let lines = difference(&json!(before), &json!(after));
            let kept = |sign: &str| -> Vec<String> {
                lines.iter().filter(|line| !line.starts_with(sign)).map(|line| line[2..].to_owned()).collect()
            };
            prop_assert_eq!(kept("+").join("\n"), format!("{:#}", json!(before)));
            prop_assert_eq!(kept("-").join("\n"), format!("{:#}", json!(after)));
        }
    }
}
