/// The words of a command line as a shell of this machine splits them, without anything of it being carried out; `None`
/// when a quotation mark is not closed.
///
/// Elsewhere than on Windows that is a POSIX shell. On Windows a backslash is a part of a path, as variables such as
/// `$(Build.SourcesDirectory)` bring it, and escapes nothing but a double quotation mark.
pub(crate) fn split_words(line: &str) -> Option<Vec<String>> {
    if cfg!(windows) { split_for_windows(line) } else { shell_words::split(line).ok() }
}

#[cfg_attr(not(windows), allow(dead_code, reason = "its rules are tested everywhere"))]
fn split_for_windows(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut open: Option<char> = None;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, open) {
            ('\\', None | Some('"')) if letters.peek() == Some(&'"') => {
                word.get_or_insert_default().extend(letters.next());
            }
            ('"' | '\'', None) => {
                open = Some(letter);
                word.get_or_insert_default();
            }
            (_, Some(quote)) if letter == quote => open = None,
            (_, None) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    open.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_of_windows_stay_in_paths() {
        for (line, words) in [
            (r"s3 cp D:\a\1\s\x.zip s3://b/", &["s3", "cp", r"D:\a\1\s\x.zip", "s3://b/"][..]),
            (r#"--file "C:\Program Files\x y\a.json""#, &["--file", r"C:\Program Files\x y\a.json"]),
            (r#"--policy "{\"a\":\"b c\"}""#, &["--policy", r#"{"a":"b c"}"#]),
            ("--query 'join(`,`, [a, \"b\"])'", &["--query", "join(`,`, [a, \"b\"])"]),
            (r"\\share\x C:\", &[r"\\share\x", r"C:\"]),
            ("one\r\n  two\t''", &["one", "two", ""]),
            (r#"a"b c"d"#, &["ab cd"]),
            ("  ", &[]),
        ] {
            assert_eq!(split_for_windows(line).unwrap(), words, "{line}");
        }
        for unclosed in ["'a", "\"a", r#""C:\dir\" b"#] {
            assert_eq!(split_for_windows(unclosed), None, "{unclosed}");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn elsewhere_a_posix_shell_splits_them() {
        assert_eq!(split_words(r#"a\ b 'c d' "e \"f" \\g"#).unwrap(), ["a b", "c d", "e \"f", r"\g"]);
        assert_eq!(split_words("'a"), None);
    }
}
