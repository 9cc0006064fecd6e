use super::super::pattern::Pattern;
use super::subject;

/// The one thing that makes `wanted`, of the policy, another text than `found`, of the token.
pub(super) fn difference(found: &str, wanted: &str) -> Option<String> {
    unseen(found, wanted)
        .or_else(|| same_but_case(found, wanted).then(|| "case differs".to_owned()))
        .or_else(|| added(found, wanted))
        .or_else(|| wildcards(found, wanted))
        .or_else(|| subject::difference(found, wanted))
}

/// Where a pattern stops to match.
pub(super) fn of_pattern(found: &str, pattern: &Pattern) -> Option<String> {
    if pattern.matches_ignoring_case(found) {
        return Some("case differs".to_owned());
    }
    let text = pattern.to_string();
    if let Some(unseen) = unseen_in(&text)
        && Pattern::with_wildcards(&visible(&text)).matches(found)
    {
        return Some(format!("{unseen} in the policy's value"));
    }
    if let Some(forms) = subject::forms_differ(found, &text) {
        return Some(forms);
    }
    let (rest, pattern) = pattern.failure(found)?;
    Some(match (rest, pattern.as_str()) {
        ("", pattern) => format!("the pattern wants \"{pattern}\" behind its end"),
        (rest, "") => format!("the pattern ends before \"{rest}\""),
        (rest, pattern) => format!("it fails at \"{rest}\", where the pattern goes on with \"{pattern}\""),
    })
}

/// A difference that no eye sees: space at an end, characters without width.
pub(super) fn unseen(found: &str, wanted: &str) -> Option<String> {
    if found == wanted || visible(found) != visible(wanted) {
        return None;
    }
    let (owner, text) = match unseen_in(wanted) {
        Some(_) => ("the policy's value", wanted),
        None => ("the token's value", found),
    };
    unseen_in(text).map(|what| format!("{what} in {owner}"))
}

fn unseen_in(text: &str) -> Option<String> {
    if text.ends_with(char::is_whitespace) {
        return Some("a space at the end".to_owned());
    }
    if text.starts_with(char::is_whitespace) {
        return Some("a space at the beginning".to_owned());
    }
    let hidden = text.chars().find(|character| is_hidden(*character))?;
    Some(format!("an invisible character (U+{:04X})", u32::from(hidden)))
}

fn visible(text: &str) -> String {
    let shown: String = text
        .chars()
        .filter(|character| !is_hidden(*character) || *character == '\u{a0}')
        .map(|character| if character == '\u{a0}' { ' ' } else { character })
        .collect();
    shown.trim().to_owned()
}

/// Control characters, the no-break space, soft hyphens, characters of no width, direction marks, byte order marks.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn same_but_case(found: &str, wanted: &str) -> bool {
    found.to_lowercase() == wanted.to_lowercase()
}

/// Something too much, or too little, at an end or in the way it is written.
fn added(found: &str, wanted: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(wanted).decode_utf8_lossy();
    let words = if wanted.trim_end_matches('/') == found.trim_end_matches('/') {
        "a slash at the end differs"
    } else if wanted.trim_start_matches("https://") == found {
        "https:// does not belong there"
    } else if decoded == found {
        "the policy's value is percent-encoded: write it as the token has it"
    } else if wanted.trim_matches(['"', '\'']) == found {
        "the policy's value has quotation marks of its own"
    } else {
        return None;
    };
    Some(words.to_owned())
}

fn wildcards(found: &str, wanted: &str) -> Option<String> {
    let pattern = Pattern::with_wildcards(wanted);
    (wanted.contains(['*', '?']) && pattern.matches(found))
        .then(|| "StringEquals takes * and ? for themselves: StringLike knows wildcards".to_owned())
}

/// The organization's GUID in an issuer of Azure DevOps, without `https://`.
pub(super) fn organization_of(provider: &str) -> Option<&str> {
    let guid = provider.strip_prefix("vstoken.dev.azure.com/")?.trim_end_matches('/');
    (!guid.is_empty()).then_some(guid)
}
