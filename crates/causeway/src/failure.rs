use crate::diagnosis;

/// The one text that the reader gets for a failed step: what failed, why, and what to do next.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let words = cause.to_string();
        // Transparent errors repeat their cause's words.
        if text.ends_with(&words) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&words);
    }
    let hint = error.chain().find_map(diagnosis::sentences).or_else(|| diagnosis::of_clock(&text));
    if let Some(hint) = hint {
        text.push_str(if text.ends_with('.') { " " } else { ". " });
        text.push_str(&hint);
    }
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}
