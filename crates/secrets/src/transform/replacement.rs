use std::ops::Range;

use regress::Match;

/// What one `$…` of a replacement text stands for.
enum Reference<'t> {
    Text(&'t str),
    Slice(Range<usize>),
}

/// Writes a replacement text with its references filled in: `GetSubstitution` of ECMA-262, section
/// 22.1.3.19.1.
pub(super) fn expand(template: &str, found: &Match, text: &[u16], output: &mut Vec<u16>) {
    let mut rest = template;
    while let Some(dollar) = rest.find('$') {
        output.extend(rest[..dollar].encode_utf16());
        let (reference, length) = read_reference(&rest[dollar..], found, text.len());
        match reference {
            Reference::Text(literal) => output.extend(literal.encode_utf16()),
            Reference::Slice(range) => output.extend_from_slice(&text[range]),
        }
        rest = &rest[dollar + length..];
    }
    output.extend(rest.encode_utf16());
}

/// Reads the reference at the start of `template` (a `$`); answers how many bytes it takes there.
fn read_reference<'t>(template: &'t str, found: &Match, text_length: usize) -> (Reference<'t>, usize) {
    match template.as_bytes().get(1) {
        Some(b'$') => (Reference::Text("$"), 2),
        Some(b'&') => (Reference::Slice(found.range()), 2),
        Some(b'`') => (Reference::Slice(0..found.start()), 2),
        Some(b'\'') => (Reference::Slice(found.end()..text_length), 2),
        Some(b'0'..=b'9') => read_numbered(template, found),
        Some(b'<') => read_named(template, found),
        _ => (Reference::Text("$"), 1),
    }
}

/// `$1` to `$99`. Two digits count only where there are so many groups, and a number without a group is text.
fn read_numbered<'t>(template: &'t str, found: &Match) -> (Reference<'t>, usize) {
    let digit = |at: usize| template.as_bytes().get(at).filter(|byte| byte.is_ascii_digit());
    let value = |byte: &u8| usize::from(byte - b'0');
    let groups = found.captures.len();
    let first = digit(1).map_or(0, value);
    let (number, length) = match digit(2).map(|second| first * 10 + value(second)) {
        Some(number) if number <= groups => (number, 3),
        _ => (first, 2),
    };
    if (1..=groups).contains(&number) {
        (Reference::Slice(found.group(number).unwrap_or(0..0)), length)
    } else {
        (Reference::Text(&template[..length]), length)
    }
}

/// `$<name>`: text where the pattern names no group at all, empty where no group has that name.
fn read_named<'t>(template: &'t str, found: &Match) -> (Reference<'t>, usize) {
    let end = template.find('>').filter(|_| found.named_groups().next().is_some());
    let Some(end) = end else {
        return (Reference::Text("$<"), 2);
    };
    let range =
        found.named_groups().find(|(name, _)| *name == &template[2..end]).and_then(|(_, range)| range);
    (Reference::Slice(range.unwrap_or(0..0)), end + 1)
}
