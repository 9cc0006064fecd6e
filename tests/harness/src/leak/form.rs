use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use url::form_urlencoded::byte_serialize;

use super::{Holder, Leak};
use crate::agent::command::escape;
use crate::agent::mask::{json_escape, uri_escape};

/// One way in which a secret can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    secret: String,
    kind: &'static str,
    pub(super) text: String,
    pub(super) holder: Holder,
}

impl Form {
    /// Tools break long base64 into lines; what a short one would be is found by chance.
    pub(super) fn may_be_wrapped(&self) -> bool {
        self.kind == BASE64 && self.text.len() > 20
    }

    pub(super) fn leak(&self, place: &str) -> Leak {
        Leak { secret: self.secret.clone(), form: self.kind, place: place.to_owned() }
    }
}

const BASE64: &str = "base64";

/// The value, its lines, and both escaped and in base64, wherever in a longer text that base64 begins.
pub(super) fn forms(secret: &str, value: &str, holder: Holder) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut add = |kind: &'static str, text: String| {
        if text.chars().count() >= 4 && !forms.iter().any(|form| form.text == text) {
            forms.push(Form { secret: secret.to_owned(), kind, text, holder });
        }
    };
    let lines = value.lines().map(|line| ("a line", line.trim()));
    for (kind, text) in std::iter::once(("as it is", value)).chain(lines) {
        if text.chars().count() < 4 {
            continue;
        }
        add(kind, text.to_owned());
        add("JSON-escaped", json_escape(text));
        add("JSON-escaped", ascii_json(text));
        add("JSON-escaped", json_escape(text).replace('/', "\\/"));
        add("URI-escaped", uri_escape(text));
        add("URI-escaped", in_lower_case(&uri_escape(text)));
        add("URI-escaped", byte_serialize(text.as_bytes()).collect());
        add("in hexadecimal", text.bytes().map(|byte| format!("{byte:02x}")).collect());
        add("escaped for a command", escape(text, true));
        for offset in 0..3 {
            base64_inside(text.as_bytes(), offset).into_iter().for_each(|text| add(BASE64, text));
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

/// JSON as Python writes it: nothing but ASCII.
fn ascii_json(text: &str) -> String {
    let escaped = json_escape(text);
    let units = |letter: char| letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    escaped.chars().map(|letter| if letter.is_ascii() { letter.to_string() } else { units(letter) }).collect()
}

/// `%2F` as `%2f`.
fn in_lower_case(escaped: &str) -> String {
    let mut parts = escaped.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (code, rest) = part.split_at(2);
        format!("{text}%{}{rest}", code.to_lowercase())
    })
}
