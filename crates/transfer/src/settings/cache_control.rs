use super::{HeaderText, InvalidHeaderText};
use crate::glob::{InvalidPattern, PatternList};
use std::path::Path;

/// Which objects get which `Cache-Control`: lines `pattern=value`, of which the first that matches counts.
#[derive(Debug, Clone, Default)]
pub struct CacheControl(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    pattern: PatternList,
    value: HeaderText,
}

/// A line that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCacheControl {
    /// There is no `=`, or nothing before or behind it.
    #[error("invalid cache control expression \"{0}\": it must be <pattern>=<value>")]
    Form(String),
    /// What stands before the `=` is no pattern.
    #[error("invalid cache control expression: {0}")]
    Pattern(#[from] InvalidPattern),
    /// What stands behind the `=` is no header.
    #[error("invalid cache control expression: {0}")]
    Value(#[from] InvalidHeaderText),
}

impl CacheControl {
    /// Reads the rules, one a line; blank lines mean nothing.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidCacheControl> {
        let lines = lines.into_iter().flat_map(str::lines).map(str::trim);
        lines.filter(|line| !line.is_empty()).map(Rule::parse).collect::<Result<_, _>>().map(Self)
    }

    /// The value for a file, by its path below the source folder.
    #[must_use]
    pub fn value_for(&self, relative: &str) -> Option<&HeaderText> {
        self.0.iter().find(|rule| rule.pattern.matches(relative)).map(|rule| &rule.value)
    }

    pub(crate) fn rooted_at(mut self, folder: &Path) -> Self {
        for rule in &mut self.0 {
            rule.pattern = rule.pattern.clone().rooted_at(folder);
        }
        self
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Self, InvalidCacheControl> {
        let form = || InvalidCacheControl::Form(line.to_owned());
        let (pattern, value) = line.split_once('=').ok_or_else(form)?;
        if pattern.trim().is_empty() || value.trim().is_empty() {
            return Err(form());
        }
        Ok(Self { pattern: PatternList::parse([pattern])?, value: value.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(rules: &'a CacheControl, path: &str) -> Option<&'a str> {
        rules.value_for(path).map(HeaderText::as_str)
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let rules =
            CacheControl::parse(["*.html = no-cache\r\n\n**/*.js=public, max-age=31536000", "**=private"])
                .unwrap();
        assert_eq!(value(&rules, "index.html"), Some("no-cache"));
        assert_eq!(value(&rules, "lib/a.js"), Some("public, max-age=31536000"));
        assert_eq!(value(&rules, "lib/index.html"), Some("private"));
        assert_eq!(value(&CacheControl::default(), "a"), None);
    }

    #[test]
    fn a_line_without_both_sides_is_refused() {
        for wrong in ["*.js=", "=value", "*.js", "*.js= ", " =x", "="] {
            let error = CacheControl::parse([wrong]).unwrap_err();
            assert!(matches!(error, InvalidCacheControl::Form(_)), "{wrong}");
            assert!(error.to_string().contains(wrong.trim()), "{error}");
        }
        assert!(matches!(CacheControl::parse(["*=a\tb"]), Err(InvalidCacheControl::Value(_))));
    }
}
