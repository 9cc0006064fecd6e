use std::fmt::Write;

use serde_json::Value;

/// Text in double quotes for YAML, which reads JSON's escapes and `\UNNNNNNNN`.
///
/// What no eye sees is written out, and so is the second of two `#`: an agent that finds `##vso[` in its log would act
/// on it.
pub(super) fn quoted(text: &str) -> String {
    escape(&Value::from(text).to_string(), long)
}

/// The same for HCL, where `${` and `%{` begin a template ("Strings and Templates" in Terraform's documentation), and
/// which knows no `\b` and `\f`.
pub(super) fn quoted_hcl(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{8}' | '\u{c}' => long(&mut literal, character),
            '"' | '\\' => literal.extend(['\\', character]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ => literal.push(character),
        }
    }
    let literal = literal.replace("${", "$${").replace("%{", "%%{");
    format!("\"{}\"", escape(&literal, long))
}

/// A JSON document with its invisible characters escaped.
pub(super) fn escape_unseen(json: &str) -> String {
    escape(json, |out, character| {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn long(out: &mut String, character: char) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\U{:08x}", u32::from(character));
}

fn escape(text: &str, write: fn(&mut String, char)) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut after_hash = false;
    for character in text.chars() {
        let second_hash = character == '#' && after_hash;
        if second_hash || (character != '\n' && is_unseen(character)) {
            write(&mut escaped, character);
        } else {
            escaped.push(character);
        }
        after_hash = character == '#';
    }
    escaped
}

/// Controls, and outside ASCII everything that is neither letter nor digit: among it all that has no width, but for the
/// fillers that Unicode counts as letters.
fn is_unseen(character: char) -> bool {
    let filler =
        matches!(character, '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}');
    filler || character.is_control() || (!character.is_ascii() && !character.is_alphanumeric())
}
