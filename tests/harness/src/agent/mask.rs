//! What the agent hides in the log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// The registered secrets and their encoded forms (`HostContext.cs`: JSON, URI data and backslash escapes).
#[derive(Debug, Clone, Default)]
pub struct Masker {
    values: Vec<String>,
}

impl Masker {
    /// Registers a secret. An empty one is ignored; there is no minimum length unless the job sets one.
    pub fn add(&mut self, value: &str) {
        for form in [value.to_owned(), json_escape(value), uri_escape(value), undo_backslashes(value)] {
            if !form.is_empty() && !self.values.contains(&form) {
                self.values.push(form);
            }
        }
    }

    /// Registers a secret variable that the job begins with, in the further forms that the agent gives such a
    /// value (`Worker.cs`: escaped for commands, base64, without surrounding space or quotes).
    pub fn add_job_secret(&mut self, value: &str) {
        if value.trim().is_empty() {
            return;
        }
        let lines_escaped = value.replace('\r', "%0D").replace('\n', "%0A");
        let escaped = value.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A");
        for form in [value.to_owned(), escaped, lines_escaped, STANDARD.encode(value)] {
            self.add(&form);
            self.add(form.trim_matches(['\r', '\n', ' ']));
            for quote in ['\'', '"'] {
                if form.starts_with(quote) && form.ends_with(quote) {
                    self.add(form.trim_matches(quote));
                }
            }
        }
    }

    /// Replaces every occurrence by `***`; occurrences that overlap or touch become one.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut hidden: Vec<(usize, usize)> =
            self.values.iter().flat_map(|value| occurrences(text, value)).collect();
        hidden.sort_unstable();
        let mut masked = String::new();
        let mut shown_from = 0;
        let mut hidden = hidden.into_iter().peekable();
        while let Some((start, mut end)) = hidden.next() {
            while let Some(&(next_start, next_end)) = hidden.peek() {
                if next_start > end {
                    break;
                }
                end = end.max(next_end);
                hidden.next();
            }
            let _ = write!(masked, "{}***", &text[shown_from..start]);
            shown_from = end;
        }
        masked + &text[shown_from..]
    }
}

fn occurrences(text: &str, value: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(value) {
        let start = from + at;
        found.push((start, start + value.len()));
        from = start + value.chars().next().map_or(1, char::len_utf8);
    }
    found
}

/// `JsonConvert.ToString` without its quotes.
pub(crate) fn json_escape(value: &str) -> String {
    value.chars().fold(String::new(), |mut escaped, letter| {
        let _ = match letter {
            '"' => write!(escaped, "\\\""),
            '\\' => write!(escaped, "\\\\"),
            '\n' => write!(escaped, "\\n"),
            '\r' => write!(escaped, "\\r"),
            '\t' => write!(escaped, "\\t"),
            '\u{8}' => write!(escaped, "\\b"),
            '\u{c}' => write!(escaped, "\\f"),
            '\0'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                write!(escaped, "\\u{:04x}", u32::from(letter))
            }
            other => write!(escaped, "{other}"),
        };
        escaped
    })
}

/// `Uri.EscapeDataString`.
pub(crate) fn uri_escape(value: &str) -> String {
    value.bytes().fold(String::new(), |mut escaped, byte| {
        let _ = match byte {
            b'-' | b'_' | b'.' | b'~' => write!(escaped, "{}", char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => write!(escaped, "{}", char::from(byte)),
            byte => write!(escaped, "%{byte:02X}"),
        };
        escaped
    })
}

/// The agent's "backslash escape" takes escapes away: a value as a shell would print it.
fn undo_backslashes(value: &str) -> String {
    value.replace("\\\\", "\\").replace("\\'", "'").replace("\\\"", "\"").replace("\\t", "\t")
}
