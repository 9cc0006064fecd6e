use regress::{Flags, Regex};

use super::replacement::expand;

/// A JavaScript regular expression and what takes the place of its matches: `String.prototype.replace`.
///
/// Pattern and text are taken as UTF-16 code units and without the `u` flag, as the AWS Toolkit's `new
/// RegExp(pattern, flags)` does. Three differences to node 20 are known, none within the names that SSM allows: without
/// regard to case, `k` and `s` also match U+212A and U+017F; and `\b*` and modifiers (`(?i:a)`, which ECMAScript 2025 has)
/// are taken, which node 20 refuses.
#[derive(Debug, Clone)]
pub struct Substitution {
    pattern: Regex,
    replacement: String,
    global: bool,
}

/// Which matches are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubstitutionScope {
    /// All matches, not only the first (JavaScript's flag `g`).
    pub global: bool,
    /// Upper and lower case count as the same (JavaScript's flag `i`).
    pub ignore_case: bool,
}

/// The pattern is not a regular expression of JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{pattern}\" is not a regular expression: {reason}")]
pub struct InvalidPattern {
    pattern: String,
    reason: String,
}

impl Substitution {
    /// Reads a pattern. `replacement` takes `$1`, `$10`, `$&`, `` $` ``, `$'`, `$$` and `$<name>`.
    ///
    /// # Errors
    /// When the pattern is empty or JavaScript would not take it.
    pub fn new(
        pattern: &str,
        replacement: impl Into<String>,
        scope: SubstitutionScope,
    ) -> Result<Self, InvalidPattern> {
        let invalid = |reason| InvalidPattern { pattern: pattern.to_owned(), reason };
        if pattern.is_empty() {
            return Err(invalid("it is empty".to_owned()));
        }
        let flags = Flags { icase: scope.ignore_case, ..Flags::default() };
        let units: Vec<u32> = pattern.encode_utf16().map(u32::from).collect();
        let compiled =
            Regex::from_unicode(units.into_iter(), flags).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { pattern: compiled, replacement: replacement.into(), global: scope.global })
    }

    /// The text with its first match replaced, or all of them.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let text: Vec<u16> = text.encode_utf16().collect();
        let mut output = Vec::with_capacity(text.len());
        let mut done = 0;
        let limit = if self.global { usize::MAX } else { 1 };
        for found in self.pattern.find_from_ucs2(&text, 0).take(limit) {
            output.extend_from_slice(&text[done..found.start()]);
            expand(&self.replacement, &found, &text, &mut output);
            done = found.end();
        }
        output.extend_from_slice(&text[done..]);
        String::from_utf16_lossy(&output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn substitute(pattern: &str, replacement: &str, flags: &str, text: &str) -> String {
        let scope = SubstitutionScope { global: flags.contains('g'), ignore_case: flags.contains('i') };
        Substitution::new(pattern, replacement, scope).unwrap().apply(text)
    }

    /// Each row is `text.replace(new RegExp(pattern, flags), replacement)` as node 20 answers it.
    #[test]
    fn javascript_answers_the_same() {
        for (text, pattern, flags, replacement, expected) in [
            ("/a/b/c", "/", "", "_", "_a/b/c"),
            ("/a/b/c", "/", "g", "_", "_a_b_c"),
            ("Abcabc", "a", "g", "-", "Abc-bc"),
            ("Abcabc", "a", "gi", "-", "-bc-bc"),
            ("Abcabc", "A", "i", "-", "-bcabc"),
            ("/app/dev/key", "^/(\\w+)/(\\w+)/", "", "$2.$1.", "dev.app.key"),
            ("/app/dev/key", "/(?<tail>[^/]+)$", "", ":$<tail>", "/app/dev:key"),
            ("abab", "(a)(b)\\1\\2", "", "$2$1", "ba"),
            ("price", "(?<=p)r(?=i)", "", "R", "pRice"),
            ("abc", "b", "", "[$`|$&|$']", "a[a|b|c]c"),
            ("abc", "b", "", "$$1", "a$1c"),
            ("abc", "(b)", "", "$01$001$10$2$0", "ab$001b0$2$0c"),
            ("abc", "b", "", "$1$<x>", "a$1$<x>c"),
            ("abc", "(?<x>b)", "", "$<x>$<y>$<x", "ab$<xc"),
            ("abc", "(x)?b", "", "[$1]", "a[]c"),
            ("abcdefghijkl", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", "", "$10$11$12$1", "jka2al"),
            ("abc", "x*", "g", "-", "-a-b-c-"),
            ("abc", "(?:)", "", "-", "-abc"),
            ("a.b", ".", "g", "x", "xxx"),
            ("a.b", "[.]", "g", "$", "a$b"),
            ("a😀b", "^a.", "", "", "\u{fffd}b"),
            ("a😀b", "😀", "", "-", "a-b"),
        ] {
            assert_eq!(
                substitute(pattern, replacement, flags, text),
                expected,
                "{text} {pattern} {replacement}"
            );
        }
    }

    #[test]
    fn what_javascript_would_not_take_is_refused() {
        let scope = SubstitutionScope { global: true, ignore_case: true };
        for wrong in ["", "(", "[z-a]", "a**", "(?<x>a)(?<x>b)", "\\", "(?<=a", "x{2,1}"] {
            let error = Substitution::new(wrong, "", scope).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_literal_pattern_replaces_as_text_does(
            text in "[a-c/.]{0,20}",
            wanted in "[a-c/.]{1,2}",
            by in "[$&1x]{0,4}",
        ) {
            let scope = SubstitutionScope { global: true, ignore_case: false };
            let escaped = by.replace('$', "$$");
            let substitution = Substitution::new(&regress::escape(&wanted), escaped, scope).unwrap();
            prop_assert_eq!(substitution.apply(&text), text.replace(&wanted, &by));
        }
    }
}
