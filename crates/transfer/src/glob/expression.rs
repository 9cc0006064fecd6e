//! Whether JavaScript takes a text for a regular expression, without the flag `u` (ECMA-262, annex B.1.2).

use super::token::{Class, unit};

/// Whether `[` and the content of a bracket that begins with `]` and a closing `]` are an expression together.
///
/// minimatch asks that to see whether a bracket is a class. In JavaScript `[]` is a class of its own, so that what
/// stands behind it is read as an expression.
pub(super) fn is_expression_behind_empty_class(content: &[u16]) -> bool {
    let text: Vec<u16> = content.iter().copied().skip(1).chain([unit(']')]).collect();
    let mut reader = Reader { rest: &text, open: Vec::new() };
    reader.read().is_some() && reader.open.is_empty()
}

struct Reader<'a> {
    rest: &'a [u16],
    /// For each group that is open whether it may be repeated.
    open: Vec<bool>,
}

impl Reader<'_> {
    /// `None`: it is no expression.
    fn read(&mut self) -> Option<()> {
        // The empty class stands before.
        let mut repeatable = true;
        while let Some(next) = self.next() {
            repeatable = match char::from_u32(u32::from(next)).unwrap_or(char::REPLACEMENT_CHARACTER) {
                '*' | '+' | '?' => self.repeat(repeatable)?,
                '{' => match self.bounds() {
                    Some((least, most)) if repeatable && least <= most => self.repeat(true)?,
                    Some(_) => return None,
                    None => true,
                },
                '(' => {
                    let kind = self.group()?;
                    self.open.push(kind);
                    false
                }
                ')' => self.open.pop()?,
                '|' | '^' | '$' => false,
                '[' => self.class()?,
                '\\' => {
                    let escaped = self.next()?;
                    escaped != unit('b') && escaped != unit('B')
                }
                _ => true,
            };
        }
        Some(())
    }

    fn next(&mut self) -> Option<u16> {
        let (next, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*next)
    }

    fn skip(&mut self, text: &str) -> bool {
        let length = text.len();
        let follows =
            self.rest.len() >= length && text.bytes().map(u16::from).eq(self.rest[..length].iter().copied());
        if follows {
            self.rest = &self.rest[length..];
        }
        follows
    }

    /// Behind a quantifier: a `?` makes it lazy, and nothing repeats it again.
    fn repeat(&mut self, repeatable: bool) -> Option<bool> {
        self.skip("?");
        repeatable.then_some(false)
    }

    /// Behind a `{`: the rest of `{1}`, `{1,}`, `{1,2}`. Anything else is plain text.
    fn bounds(&mut self) -> Option<(u64, u64)> {
        let before = self.rest;
        let bounds = self.number().and_then(|least| {
            let most = if self.skip(",") { self.number().unwrap_or(u64::MAX) } else { least };
            self.skip("}").then_some((least, most))
        });
        if bounds.is_none() {
            self.rest = before;
        }
        bounds
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = None;
        while let Some(digit) = self.rest.first().filter(|next| (48..58).contains(*next)) {
            number = Some(number.unwrap_or(0_u64).saturating_mul(10).saturating_add(u64::from(digit - 48)));
            self.rest = &self.rest[1..];
        }
        number
    }

    /// Behind a `(`: whether the group may be repeated.
    fn group(&mut self) -> Option<bool> {
        if !self.skip("?") || self.skip(":") || self.skip("=") || self.skip("!") {
            return Some(true);
        }
        if self.skip("<=") || self.skip("<!") {
            return Some(false);
        }
        self.skip("<").then(|| self.name())?
    }

    /// The name of a group, with its `>`.
    fn name(&mut self) -> Option<bool> {
        let end = self.rest.iter().position(|next| *next == unit('>'))?;
        let name = String::from_utf16(&self.rest[..end]).ok()?;
        self.rest = &self.rest[end + 1..];
        let is_letter = |next: char| next.is_alphabetic() || next == '_' || next == '$';
        let is_name =
            name.starts_with(is_letter) && name.chars().all(|next| is_letter(next) || next.is_numeric());
        is_name.then_some(true)
    }

    /// Behind a `[`: no range in it may run backwards.
    fn class(&mut self) -> Option<bool> {
        let mut escaped = false;
        let end = self.rest.iter().position(|next| {
            let closes = !escaped && *next == unit(']');
            escaped = !escaped && *next == unit('\\');
            closes
        })?;
        // Only `^` negates here.
        let content = &self.rest[..end];
        let content = content.strip_prefix(&[unit('^')]).unwrap_or(content);
        self.rest = &self.rest[end + 1..];
        let plain = [&[unit('^')], content].concat();
        Class::parse(&plain, true).map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_javascript_compiles_and_what_not() {
        // As `new RegExp("[" + content + "]")` under node.
        for (content, is_one) in EXPRESSIONS {
            let units: Vec<u16> = content.encode_utf16().collect();
            assert_eq!(is_expression_behind_empty_class(&units), *is_one, "{content}");
        }
    }

    const EXPRESSIONS: &[(&str, bool)] = &[
        (r"]", true),
        (r"]a", true),
        (r"]))?|", false),
        (r"](", false),
        (r"](a)", true),
        (r"](a", false),
        (r"]a)", false),
        (r"]*", true),
        (r"]*?", true),
        (r"]**", false),
        (r"]+*", false),
        (r"]??", true),
        (r"]???", false),
        (r"]|*", false),
        (r"](*)", false),
        (r"]^*", false),
        (r"]$+", false),
        (r"]\b*", false),
        (r"]\a*", true),
        (r"]\]", true),
        (r"]\]a*", true),
        (r"][", true),
        (r"][a", true),
        (r"][b-a", false),
        (r"][^b-a", false),
        (r"][!-a", true),
        (r"][a-!", false),
        (r"]a[", true),
        (r"]{2}", true),
        (r"]{2,1}", false),
        (r"]{a}", true),
        (r"]|{2}", false),
        (r"]{", true),
        (r"]{1}{2}", false),
        (r"]{1}?", true),
        (r"]{2,}", true),
        (r"](?:a)*", true),
        (r"](?=a)*", true),
        (r"](?!a)+", true),
        (r"](?<=a)", true),
        (r"](?<=a)*", false),
        (r"](?<!a)?", false),
        (r"](?<n>a)*", true),
        (r"](?<1>a)", false),
        (r"](?a)", false),
        (r"](?", false),
        (r"]a|b", true),
        (r"]|", true),
        (r"](|)", true),
        (r"]((a)", false),
        (r"].+?", true),
        (r"]a-b", true),
        (r"][\]", true),
        (r"][a\-b", true),
        (r"]()*", true),
        (r"](?:)", true),
        (r"]{,2}", true),
        (r"]{1,a}*", true),
    ];
}
