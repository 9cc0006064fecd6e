//! `$(Name)`: what is unknown stays as it is.

use std::collections::BTreeMap;

use super::variables::{Variable, Variables};

/// Expands macros once, and not in what they bring (`VarUtil.ExpandValues`).
pub(super) fn once(text: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some((start, end)) = next_macro(&text, from) {
        match lookup(&text[start + 2..end]) {
            Some(value) => {
                text.replace_range(start..=end, &value);
                from = start + value.len();
            }
            None => from = start + 1,
        }
    }
    text
}

/// With variables first, and then with the environment of the agent itself.
pub(super) fn with(text: &str, variables: &Variables, machine: &BTreeMap<String, String>) -> String {
    let text = once(text, |name| variables.value(name).map(str::to_owned));
    once(&text, |name| machine.get(name).cloned())
}

/// The variables with their own macros expanded, through any depth; what refers to itself stays as it is
/// (`Variables.cs`, `RecalculateExpanded`). A variable with a secret in it is secret.
pub(super) fn variables(raw: &Variables) -> Variables {
    let mut expanded = Variables::default();
    for variable in raw.iter() {
        let mut secret = variable.secret;
        let value = deep(&variable.value, raw, &[variable.name.to_lowercase()], &mut secret);
        let value = value.unwrap_or_else(|| variable.value.clone());
        expanded.set(Variable { value, secret, ..variable.clone() });
    }
    expanded
}

/// `None` when the value leads back to a name on the way to it.
fn deep(text: &str, raw: &Variables, way: &[String], secret: &mut bool) -> Option<String> {
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some((start, end)) = next_macro(&text, from) {
        let name = text[start + 2..end].to_lowercase();
        let Some(nested) = raw.get(&name) else {
            from = start + 1;
            continue;
        };
        if way.contains(&name) {
            return None;
        }
        *secret |= nested.secret;
        let way = [way, &[name]].concat();
        let value = deep(&nested.value, raw, &way, secret)?;
        text.replace_range(start..=end, &value);
        from = start + value.len();
    }
    Some(text)
}

/// The next `$(name)` from a position on: its start and the place of its closing parenthesis.
fn next_macro(text: &str, from: usize) -> Option<(usize, usize)> {
    let start = from + text.get(from..)?.find("$(")?;
    let end = start + 2 + text[start + 2..].find(')')?;
    Some((start, end))
}
