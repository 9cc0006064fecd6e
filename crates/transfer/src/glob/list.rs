use std::path::Path;

use super::pattern::{Pattern, split};

/// An ordered list of patterns that says which files are meant.
///
/// Each line adds what it matches; a line that begins with `!` takes away what it matches, and a later
/// line can add it again. Blank lines and lines that begin with `#` mean nothing.
#[derive(Debug, Clone)]
pub struct PatternList {
    lines: Vec<Line>,
    root: Vec<Vec<u16>>,
}

#[derive(Debug, Clone)]
struct Line {
    includes: bool,
    pattern: Pattern,
}

/// A pattern that is too complex to be matched in reasonable time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern \"{0}\" is too complex (too many or too deeply nested lists)")]
pub struct InvalidPattern(String);

impl PatternList {
    /// Reads a list, one pattern a line. Upper and lower case differ, except on Windows.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidPattern> {
        Self::parse_with_case(lines, cfg!(windows))
    }

    /// As [`parse`](Self::parse), with upper and lower case told apart or not.
    pub fn parse_with_case<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        ignore_case: bool,
    ) -> Result<Self, InvalidPattern> {
        let lines = lines
            .into_iter()
            .flat_map(str::lines)
            .filter_map(|line| Line::parse(line, ignore_case).transpose())
            .collect::<Result<_, _>>()?;
        Ok(Self { lines, root: Vec::new() })
    }

    /// Says where the paths begin, so that patterns with a leading slash (or a drive) can be compared.
    #[must_use]
    pub fn rooted_at(mut self, folder: &Path) -> Self {
        let folder = with_slashes(&folder.to_string_lossy());
        let is_top = |part: &&str, index: usize| !part.is_empty() || index == 0;
        self.root = split(&folder)
            .enumerate()
            .filter(|(index, part)| is_top(part, *index))
            .map(|(_, part)| units(part))
            .collect();
        self
    }

    /// Whether a file is meant: its path below the root, with `/` between the parts.
    #[must_use]
    pub fn matches(&self, relative: &str) -> bool {
        let below: Vec<Vec<u16>> = relative.split('/').map(units).collect();
        let mut whole = None;
        self.lines.iter().fold(false, |meant, line| {
            // A line that would change nothing need not be looked at.
            if meant == line.includes {
                return meant;
            }
            let path = if line.pattern.is_rooted() {
                whole.get_or_insert_with(|| [self.root.as_slice(), below.as_slice()].concat())
            } else {
                &below
            };
            if line.pattern.matches(path) { line.includes } else { meant }
        })
    }

    /// Whether a file below this folder can be meant, so that the folder is worth entering.
    pub(crate) fn may_mean_below(&self, folder: &str) -> bool {
        let below: Vec<Vec<u16>> = folder.split('/').map(units).collect();
        self.lines.iter().fold(false, |meant, line| {
            if meant == line.includes {
                return meant;
            }
            let whole = line.pattern.is_rooted().then(|| [self.root.as_slice(), below.as_slice()].concat());
            let path = whole.as_ref().unwrap_or(&below);
            if line.includes {
                line.pattern.may_match_below(path)
            } else {
                !line.pattern.matches_all_below(path)
            }
        })
    }

    /// Whether a pattern names a folder that a file must lie in, and not only the file.
    pub(crate) fn names_folders(&self) -> bool {
        self.lines.iter().any(|line| line.pattern.names_folders())
    }
}

impl Line {
    fn parse(line: &str, ignore_case: bool) -> Result<Option<Self>, InvalidPattern> {
        let line = line.trim();
        let text = line.trim_start_matches('!');
        let includes = (line.len() - text.len()).is_multiple_of(2);
        let text = if cfg!(windows) { with_slashes(text.trim()) } else { text.trim().to_owned() };
        if text.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        match Pattern::parse(&text, ignore_case) {
            Ok(pattern) => Ok(Some(Self { includes, pattern })),
            Err(_) => Err(InvalidPattern(line.to_owned())),
        }
    }
}

/// On Windows a backslash parts folders, and escapes nothing.
fn with_slashes(text: &str) -> String {
    if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}
