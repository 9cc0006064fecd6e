use std::fmt::Write;

/// Makes text from outside harmless to print: no logging command survives in it, and nothing that hides one.
///
/// The agent finds `##vso[` and `##[` anywhere in a line, in a comparison that skips characters without weight.
/// So control and invisible characters are written out (`\u{200b}`), and of two `#` that follow each other, with or
/// without such characters between them, the second is set apart by a space. Line feeds and tabs stay.
#[must_use]
pub fn neutralise(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    let mut after_hash = false;
    for character in text.chars() {
        match character {
            '#' if after_hash => harmless.push_str(" #"),
            '\n' | '\t' => harmless.push(character),
            _ if character.is_control() || is_invisible(character) => {
                // Writing to a String cannot fail.
                let _ = write!(harmless, "\\u{{{:x}}}", u32::from(character));
            }
            _ => harmless.push(character),
        }
        // A character outside ASCII may weigh nothing to the agent: it does not separate two `#`.
        if character.is_ascii() && !character.is_ascii_control() {
            after_hash = character == '#';
        }
    }
    harmless
}

/// Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt), and the interlinear marks.
fn is_invisible(character: char) -> bool {
    matches!(u32::from(character),
        0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
        | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_do_not_survive() {
        for (text, expected) in [
            ("plain text, ümlaut 😀", "plain text, ümlaut 😀"),
            ("##vso[task.complete result=Succeeded]", "# #vso[task.complete result=Succeeded]"),
            ("x ##[error]y", "x # #[error]y"),
            ("####vso[", "# # # #vso["),
            ("#\u{200b}#vso[", "#\\u{200b} #vso["),
            ("#\r#vso[", "#\\u{d} #vso["),
            ("#é#vso[", "#é #vso["),
            ("##\u{ad}vso[", "# #\\u{ad}vso["),
            ("a\u{1b}[31mred", "a\\u{1b}[31mred"),
            ("two\nlines\tand tab", "two\nlines\tand tab"),
            ("# one", "# one"),
        ] {
            assert_eq!(neutralise(text), expected);
        }
    }

    proptest! {
        #[test]
        fn no_prefix_is_left_whatever_a_reader_skips(text in "(#|v|s|o|\\[|\u{200b}|\u{ad}|é|\u{301}|\r|\u{0}|-){0,30}") {
            let harmless = neutralise(&text);
            let as_agent_reads: String = harmless.chars().filter(char::is_ascii).collect();
            prop_assert!(!as_agent_reads.contains("##"), "{harmless:?}");
        }

        #[test]
        fn doing_it_twice_changes_nothing_more(text in "(?s).{0,60}") {
            let once = neutralise(&text);
            prop_assert_eq!(neutralise(&once), once);
        }
    }
}
