//! Dotenv files, written so that as many readers as possible read the same value back.
//!
//! bash (`set -a; source FILE`), Node (`--env-file`, `util.parseEnv`) and `docker --env-file` agree on a value without
//! quotes only: docker takes quotes for a part of the value. Quoted, in single or double quotes, bash and Node agree as
//! long as nothing in it needs an escape: Node knows none but `\n`, drops every CR, and ends a value at the next quote of
//! the same kind; and npm's `dotenv` takes a `\'` at the end of a value in single quotes for no end. The rest is written in
//! bash's `$'…'`, on one line, so that no other reader takes a part of the value for a variable of its own.

use anyhow::{Result, bail};
use causeway_secrets::SecretContent;
use secrecy::ExposeSecret;

use super::Value;

/// docker reads lines of less than 64 KiB (Go's `bufio.Scanner`).
const DOCKER_LINE: usize = 65_535;

/// The text of a dotenv file, and for whom it holds other values than it should.
#[derive(Default)]
pub(super) struct Dotenv {
    pub(super) text: String,
    /// Variables that `docker --env-file` reads otherwise, or not at all.
    pub(super) not_for_docker: Vec<String>,
    /// Variables that only bash reads as they are.
    pub(super) bash_only: Vec<String>,
}

/// How a value is written.
#[derive(Debug, PartialEq, Eq)]
enum Quoting {
    None,
    Single,
    Double,
    /// `$'…'`
    Escaped,
}

/// Writes the values; the names are what [`key`] makes of the variables'.
pub(super) fn write(values: &[Value]) -> Result<Dotenv> {
    let mut file = Dotenv::default();
    for value in values {
        let key = key(&value.variable);
        let text = SecretContent::text_or_base64(&value.content).expose_secret();
        if text.contains('\0') {
            bail!(
                "the value of {key} holds a NUL character, which no environment can hold: take outputFormat json"
            );
        }
        let quoting = Quoting::of(text);
        let start = file.text.len();
        file.text.push_str(&key);
        file.text.push('=');
        quoting.write(text, &mut file.text);
        let too_long = file.text.len() - start >= DOCKER_LINE;
        file.text.push('\n');
        if too_long || quoting != Quoting::None {
            file.not_for_docker.push(key.clone());
        }
        if quoting == Quoting::Escaped {
            file.bash_only.push(key);
        }
    }
    Ok(file)
}

/// A variable's name as shells take one: other characters than letters, digits and `_` become `_`.
pub(super) fn key(variable: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let key: String = variable.chars().map(plain).collect();
    if key.starts_with(|letter: char| letter.is_ascii_digit()) { format!("_{key}") } else { key }
}

impl Quoting {
    fn of(text: &str) -> Self {
        if text.chars().all(is_plain) {
            Self::None
        } else if !text.contains(['\'', '\r']) && !text.ends_with('\\') {
            Self::Single
        } else if !text.contains(['"', '\r', '$', '`', '\\']) {
            Self::Double
        } else {
            Self::Escaped
        }
    }

    fn write(&self, text: &str, file: &mut String) {
        match self {
            Self::None => file.push_str(text),
            Self::Single => *file += &format!("'{text}'"),
            Self::Double => *file += &format!("\"{text}\""),
            Self::Escaped => {
                file.push_str("$'");
                text.chars().for_each(|letter| escape(letter, file));
                file.push('\'');
            }
        }
    }
}

/// ANSI-C quoting ("Bash Reference Manual", 3.1.2.4).
fn escape(letter: char, file: &mut String) {
    match letter {
        '\'' | '\\' => file.extend(['\\', letter]),
        '\n' => file.push_str("\\n"),
        '\r' => file.push_str("\\r"),
        '\t' => file.push_str("\\t"),
        // To JavaScript these two end a line as well.
        '\u{2028}' => file.push_str("\\xe2\\x80\\xa8"),
        '\u{2029}' => file.push_str("\\xe2\\x80\\xa9"),
        _ if letter.is_ascii_control() => *file += &format!("\\x{:02x}", u32::from(letter)),
        _ => file.push(letter),
    }
}

/// What means itself to all readers without quotes. In an assignment shells expand no patterns and no braces.
fn is_plain(letter: char) -> bool {
    if letter.is_ascii() {
        letter.is_ascii_alphanumeric() || "_./:,@%+=-^?*[]{}!".contains(letter)
    } else {
        letter.is_alphanumeric()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(variable: &str, text: &str) -> Value {
        Value {
            origin: variable.to_owned(),
            variable: variable.to_owned(),
            content: SecretContent::Text(text.into()),
            secret: true,
            list: false,
        }
    }

    #[test]
    fn each_value_gets_the_plainest_form_that_keeps_it() {
        for (text, written, docker, others) in [
            ("", "K=\n", true, true),
            ("a-b_c.1/2:3,@4%+=^", "K=a-b_c.1/2:3,@4%+=^\n", true, true),
            ("=x", "K==x\n", true, true),
            ("größe", "K=größe\n", true, true),
            ("two words", "K='two words'\n", false, true),
            ("~", "K='~'\n", false, true),
            ("#no", "K='#no'\n", false, true),
            ("$HOME `id` \"x\" \\n", "K='$HOME `id` \"x\" \\n'\n", false, true),
            ("a\nB=b", "K='a\nB=b'\n", false, true),
            ("it's", "K=\"it's\"\n", false, true),
            ("C:\\dir\\x", "K='C:\\dir\\x'\n", false, true),
            ("C:\\dir\\", "K=$'C:\\\\dir\\\\'\n", false, false),
            ("\u{2028}B=it's $5", "K=$'\\xe2\\x80\\xa8B=it\\'s $5'\n", false, false),
            ("it's $5\nB=b", "K=$'it\\'s $5\\nB=b'\n", false, false),
            ("cr\r\n", "K=$'cr\\r\\n'\n", false, false),
            ("'\"\u{1}\u{7f}\t\\", "K=$'\\'\"\\x01\\x7f\\t\\\\'\n", false, false),
        ] {
            let file = write(&[value("K", text)]).unwrap();
            assert_eq!(file.text, written);
            assert_eq!(
                (file.not_for_docker.is_empty(), file.bash_only.is_empty()),
                (docker, others),
                "{text}"
            );
        }
    }

    #[test]
    fn lines_that_docker_cannot_read_are_told() {
        let fits = write(&[value("K", &"x".repeat(65_532))]).unwrap();
        assert!(fits.not_for_docker.is_empty());
        let long = write(&[value("K", &"x".repeat(65_533))]).unwrap();
        assert_eq!((long.not_for_docker, long.bash_only.len()), (vec!["K".to_owned()], 0));
    }

    #[test]
    fn a_nul_is_refused_by_name() {
        let error = write(&[value("a.b", "x\0y")]).err().unwrap().to_string();
        assert!(error.contains("a_b") && error.contains("json"), "{error}");
    }

    #[test]
    fn names_are_made_fit_for_shells() {
        for (variable, expected) in
            [("/app/Token", "_app_Token"), ("my.key-1", "my_key_1"), ("1st", "_1st"), ("ü", "_")]
        {
            assert_eq!(key(variable), expected);
        }
    }
}
