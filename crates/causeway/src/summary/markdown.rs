use std::fmt::Write;

use causeway_agent::neutralise;

use super::hidden::Hidden;

/// A Markdown table with two columns, of which the cells are literal text without what is hidden.
pub(super) struct Table<'a> {
    hidden: &'a Hidden,
    text: String,
    /// Whether the first column holds labels of ours, and not literal texts.
    labels: bool,
    rows: usize,
}

impl<'a> Table<'a> {
    /// Rows beyond these are counted, not shown.
    const MOST: usize = 200;

    /// An empty table with our own words as headings.
    pub(super) fn new([first, second]: [&'static str; 2], hidden: &'a Hidden) -> Self {
        let text = format!("| {first} | {second} |\n|:---|:---|\n");
        Self { hidden, text, labels: false, rows: 0 }
    }

    /// An empty table of labels, which are our own words, and texts.
    pub(super) fn of_facts(hidden: &'a Hidden) -> Self {
        Self { labels: true, ..Self::new(["Step", " "], hidden) }
    }

    pub(super) fn row(&mut self, [first, second]: [&str; 2]) {
        self.rows += 1;
        if self.rows > Self::MOST {
            return;
        }
        let cell = |text| literal(&self.hidden.without(text));
        let (first, second) = (if self.labels { first.to_owned() } else { cell(first) }, cell(second));
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "| {first} | {second} |");
    }

    pub(super) fn into_text(mut self) -> String {
        if let Some(more) = self.rows.checked_sub(Self::MOST).filter(|more| *more > 0) {
            let _ = write!(self.text, "\nand {more} more\n");
        }
        self.text
    }
}

/// Longer texts are cut.
const LONGEST: usize = 400;

/// `text` as a code span, in which Markdown and HTML mean nothing. What could end the span or its cell, or open a tag
/// in a reader that does not keep to CommonMark, is written out as `\u{60}`.
fn literal(text: &str) -> String {
    let mut span = String::from("`");
    let cut = text.chars().count() > LONGEST;
    for character in neutralise(&text.chars().take(LONGEST).collect::<String>()).chars() {
        match character {
            '`' | '|' | '<' | '>' | '&' | '\n' | '\t' => {
                let _ = write!(span, "\\u{{{:x}}}", u32::from(character));
            }
            _ => span.push(character),
        }
    }
    span.push_str(if cut { "…`" } else { "`" });
    // A span without content is none.
    if span == "``" { String::new() } else { span }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_read_as_they_are() {
        for name in [
            "arn:aws:iam::123456789012:role/a+b=c,d@e_f",
            "*.txt [x](y) _z_ # $(a) \\",
            "größe 😀",
            "https://x",
        ] {
            assert_eq!(literal(name), format!("`{name}`"));
        }
        assert_eq!(literal(""), "");
    }

    #[test]
    fn what_could_mean_something_is_written_out() {
        for (text, expected) in [
            ("a`b", r"`a\u{60}b`"),
            ("a | b", r"`a \u{7c} b`"),
            ("<img src=x onerror=alert(1)>", r"`\u{3c}img src=x onerror=alert(1)\u{3e}`"),
            ("&lt;", r"`\u{26}lt;`"),
            ("two\nlines\tand\rmore", r"`two\u{a}lines\u{9}and\u{d}more`"),
            ("##vso[task.complete]", "`# #vso[task.complete]`"),
            ("\u{202e}gpj", r"`\u{202e}gpj`"),
        ] {
            assert_eq!(literal(text), expected);
        }
        assert_eq!(literal(&"x".repeat(500)), format!("`{}…`", "x".repeat(400)));
    }

    #[test]
    fn a_long_table_is_cut_and_says_so() {
        let hidden = Hidden::default();
        let mut table = Table::new(["Read", "Into variable"], &hidden);
        for number in 0..205 {
            table.row([&format!("p{number}"), "v"]);
        }
        let text = table.into_text();
        assert!(text.ends_with("| `p199` | `v` |\n\nand 5 more\n"), "{text}");
    }

    proptest! {
        #[test]
        fn a_cell_stays_one_code_span_in_one_cell(text in "(?s)(`|\\||<|>|&|#|\n|\r|a| |\\\\|.){0,40}") {
            let cell = literal(&text);
            let inner = cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or_default();
            prop_assert!(!inner.contains(['`', '|', '<', '>', '&', '\n', '\r']), "{cell}");
            prop_assert!(!inner.contains("##"), "{cell}");
        }
    }
}
