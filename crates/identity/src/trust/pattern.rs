use super::request::{Request, Value};

/// A value of the policy with its wildcards and variables understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Symbol>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Plain(char),
    /// `?`
    One,
    /// `*`
    Run,
}

/// A `${…}` that cannot be resolved here; what it stands in for.
pub(super) type Unresolved = String;

impl Pattern {
    /// Text with `*` for any characters and `?` for one.
    pub(super) fn with_wildcards(text: &str) -> Self {
        Self(text.chars().map(symbol).collect())
    }

    /// A value of a policy of version 2012-10-17, where `${key}` stands for the request's value of that key and
    /// `${*}`, `${?}`, `${$}` for the characters themselves (IAM User Guide, "IAM policy elements: Variables and
    /// tags"). What a variable brings in is plain text: its wildcards match only themselves.
    pub(super) fn with_variables(text: &str, wildcards: bool, request: &Request) -> Result<Self, Unresolved> {
        let plain = |text: &str| text.chars().map(Symbol::Plain).collect::<Vec<_>>();
        let mut symbols = Vec::new();
        let mut rest = text;
        while let Some((before, variable, after)) = next_variable(rest) {
            symbols.extend(before.chars().map(if wildcards { symbol } else { Symbol::Plain }));
            symbols.extend(plain(&resolve(variable, request)?));
            rest = after;
        }
        symbols.extend(rest.chars().map(if wildcards { symbol } else { Symbol::Plain }));
        Ok(Self(symbols))
    }

    /// Text in which nothing has a meaning of its own.
    pub(super) fn plain(text: &str) -> Self {
        Self(text.chars().map(Symbol::Plain).collect())
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let length = text.chars().count();
        self.reach(text).last().is_some_and(|ends| ends.contains(&length))
    }

    pub(super) fn matches_ignoring_case(&self, text: &str) -> bool {
        let lowered = self.0.iter().flat_map(|symbol| match symbol {
            Symbol::Plain(character) => character.to_lowercase().map(Symbol::Plain).collect(),
            other => vec![*other],
        });
        Self(lowered.collect()).matches(&text.to_lowercase())
    }

    /// Where the text goes on that the pattern cannot follow, and the rest of the pattern there, if it does not match.
    pub(super) fn failure<'a>(&self, text: &'a str) -> Option<(&'a str, String)> {
        if self.matches(text) {
            return None;
        }
        let reach = self.reach(text);
        let mut followed = reach.iter().take_while(|ends| !ends.is_empty()).count() - 1;
        let mut characters = reach[followed].iter().min().copied().unwrap_or_default();
        // Back to the beginning of the word: "shop" is not "store", rather than "hop" not "tore".
        let text_symbols: Vec<Symbol> = text.chars().map(Symbol::Plain).collect();
        let both_go_on = followed < self.0.len() && characters < text_symbols.len();
        while both_go_on
            && followed > 0
            && characters > 0
            && self.0[followed - 1] == text_symbols[characters - 1]
            && self.0[followed - 1] != Symbol::Plain('/')
        {
            followed -= 1;
            characters -= 1;
        }
        let bytes = text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
        Some((&text[bytes..], Self(self.0[followed..].to_vec()).to_string()))
    }

    /// For each number of symbols, how many characters of the text they can stand for.
    fn reach(&self, text: &str) -> Vec<Vec<usize>> {
        let text: Vec<char> = text.chars().collect();
        let mut reach = vec![vec![0]];
        for symbol in &self.0 {
            let ends = reach.last().map(Vec::as_slice).unwrap_or_default();
            let next = match symbol {
                Symbol::Run => ends.first().map(|first| (*first..=text.len()).collect()).unwrap_or_default(),
                Symbol::One => ends.iter().filter(|end| **end < text.len()).map(|end| end + 1).collect(),
                Symbol::Plain(character) => {
                    ends.iter().filter(|end| text.get(**end) == Some(character)).map(|end| end + 1).collect()
                }
            };
            reach.push(next);
        }
        reach
    }

    /// An ARN's six parts: "Each of the six colon-delimited components of the ARN is checked separately". `None` for what
    /// is no ARN.
    pub(super) fn matches_arn(&self, arn: &str) -> Option<bool> {
        let patterns: Vec<_> = self.0.splitn(6, |symbol| *symbol == Symbol::Plain(':')).collect();
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        if parts.len() < 6 || parts[0] != "arn" {
            return None;
        }
        let fits = |(pattern, part): (&&[Symbol], &&str)| Self(pattern.to_vec()).matches(part);
        Some(patterns.len() == 6 && patterns.iter().zip(&parts).all(fits))
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write;
        self.0.iter().try_for_each(|symbol| match symbol {
            Symbol::Plain(character) => formatter.write_char(*character),
            Symbol::One => formatter.write_char('?'),
            Symbol::Run => formatter.write_char('*'),
        })
    }
}

fn symbol(character: char) -> Symbol {
    match character {
        '*' => Symbol::Run,
        '?' => Symbol::One,
        plain => Symbol::Plain(plain),
    }
}

/// What stands before the first `${…}`, inside and behind it.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (variable, after) = rest.split_once('}')?;
    Some((before, variable, after))
}

fn resolve(variable: &str, request: &Request) -> Result<String, Unresolved> {
    if let "*" | "?" | "$" = variable {
        return Ok(variable.to_owned());
    }
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => (key.trim(), default.trim().strip_prefix('\'')),
        None => (variable.trim(), None),
    };
    let default = default.and_then(|text| text.strip_suffix('\''));
    match (request.value(key), default) {
        (Value::Present([one]), _) => Ok(one.clone()),
        (Value::Missing, Some(default)) => Ok(default.to_owned()),
        _ => Err(format!("variable ${{{variable}}}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wildcards_stand_for_what_they_should() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**a", "aa", true),
            ("sc://contoso/*/aws-*", "sc://contoso/shop/aws-prod", true),
            ("", "", true),
            ("", "a", false),
            ("ü?", "üö", true),
        ] {
            assert_eq!(Pattern::with_wildcards(pattern).matches(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn the_place_where_a_pattern_fails_is_found() {
        let failure = |pattern: &str, text: &'static str| Pattern::with_wildcards(pattern).failure(text);
        assert_eq!(failure("sc://contoso/Shop/*", "sc://contoso/shop/a"), Some(("shop/a", "Shop/*".into())));
        assert_eq!(failure("a/store", "a/shop"), Some(("shop", "store".into())));
        assert_eq!(failure("a/b/", "a/b/c"), Some(("c", String::new())));
        assert_eq!(failure("a/b/c", "a/b/"), Some(("", "c".into())));
        assert_eq!(failure("a*", "abc"), None);
    }

    #[test]
    fn an_arn_is_held_part_by_part() {
        let pattern = Pattern::with_wildcards("arn:aws:someservice:*:111122223333:finance/*");
        let fits = pattern.matches_arn("arn:aws:someservice:us-east-2:111122223333:finance/a:b");
        assert_eq!(fits, Some(true));
        // The example of the IAM User Guide, where StringLike would match.
        let other = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt";
        assert_eq!((pattern.matches_arn(other), pattern.matches(other)), (Some(false), true));
        assert_eq!(Pattern::with_wildcards("*").matches_arn(other), Some(false));
        assert_eq!(pattern.matches_arn("sc://contoso/shop/aws"), None);
    }

    proptest! {
        #[test]
        fn plain_text_matches_itself_and_nothing_else(text in "\\PC{0,20}", other in "\\PC{0,20}") {
            prop_assert!(Pattern::plain(&text).matches(&text));
            prop_assert_eq!(Pattern::plain(&text).matches(&other), text == other);
        }

        #[test]
        fn no_failure_is_reported_past_the_end(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
            let pattern = Pattern::with_wildcards(&pattern);
            prop_assert_eq!(pattern.failure(&text).is_none(), pattern.matches(&text));
        }
    }
}
