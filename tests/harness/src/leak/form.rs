use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::Leak;
use crate::agent::command::escape;
use crate::agent::mask::{json_escape, uri_escape};

/// One way in which a secret can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    secret: String,
    kind: &'static str,
    pub(super) text: String,
}

impl Form {
    pub(super) fn stands_in(&self, text: &str) -> bool {
        text.contains(&self.text)
    }

    pub(super) fn leak(&self, place: &str) -> Leak {
        Leak { secret: self.secret.clone(), form: self.kind, place: place.to_owned() }
    }
}

/// The value, its lines, and both escaped and in base64, wherever in a longer text that base64 begins.
pub(super) fn forms(secret: &str, value: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut add = |kind: &'static str, text: String| {
        if text.chars().count() >= 4 && !forms.iter().any(|form| form.text == text) {
            forms.push(Form { secret: secret.to_owned(), kind, text });
        }
    };
    let lines = value.lines().map(|line| ("a line", line.trim()));
    for (kind, text) in std::iter::once(("as it is", value)).chain(lines) {
        if text.chars().count() < 4 {
            continue;
        }
        add(kind, text.to_owned());
        add("JSON-escaped", json_escape(text));
        add("URI-escaped", uri_escape(text));
        add("escaped for a command", escape(text, true));
        for offset in 0..3 {
            base64_inside(text.as_bytes(), offset).into_iter().for_each(|text| add("base64", text));
        }
    }
    forms
}

/// The base64 of a value that begins `offset` bytes into a group of three, without the letters that its neighbours
/// share. Short values would be found by chance.
fn base64_inside(value: &[u8], offset: usize) -> Vec<String> {
    if value.len() < 8 {
        return Vec::new();
    }
    let padded = [&vec![0; offset], value].concat();
    let (first, last) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)]
        .into_iter()
        .map(|text| text[first..last].to_owned())
        .collect()
}
