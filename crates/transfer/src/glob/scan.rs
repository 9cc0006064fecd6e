use super::expression::is_expression_behind_empty_class;
use super::negation::{self, Negation};
use super::token::{Class, Opener, Quantifier, Token, unit};

/// More than any sensible pattern has. Each negated list repeats what follows it, so twenty in a row would
/// otherwise make a million pieces.
pub(super) const MAX_TOKENS: usize = 4096;

/// What a path part's pattern says, as pieces.
pub(super) struct Scanned {
    pub(super) tokens: Vec<Token>,
    /// Whether it is more than a fixed name.
    pub(super) magic: bool,
    /// It holds a class that no expression can have: it matches nothing.
    pub(super) broken: bool,
}

/// The pattern grows beyond [`MAX_TOKENS`].
#[derive(Debug)]
pub(super) struct TooComplex;

/// Reads the pattern of one path part. With `inner` it reads the content of a bracket that is no class.
pub(super) fn scan(pattern: &[u16], ignore_case: bool, inner: bool) -> Result<Scanned, TooComplex> {
    let mut scanner = Scanner::new(pattern, ignore_case);
    while let Some(&next) = pattern.get(scanner.at) {
        scanner.at += 1;
        scanner.take(next)?;
    }
    scanner.finish(inner)
}

struct Scanner<'a> {
    pattern: &'a [u16],
    at: usize,
    ignore_case: bool,
    tokens: Vec<Token>,
    magic: bool,
    broken: bool,
    escaping: bool,
    /// One of `?*+@!`, until it is known whether a `(` follows it.
    pending: Option<u16>,
    open: Vec<OpenList>,
    negations: Vec<Negation>,
}

/// An extended list such as `+(` that is not closed yet, and where its pieces begin.
struct OpenList {
    kind: u16,
    start: usize,
}

impl OpenList {
    fn is_negation(&self) -> bool {
        self.kind == unit('!')
    }

    /// How many pieces open it.
    fn width(&self) -> usize {
        if self.is_negation() { 3 } else { 1 }
    }
}

impl<'a> Scanner<'a> {
    fn new(pattern: &'a [u16], ignore_case: bool) -> Self {
        Self {
            pattern,
            at: 0,
            ignore_case,
            tokens: Vec::new(),
            magic: ignore_case,
            broken: false,
            escaping: false,
            pending: None,
            open: Vec::new(),
            negations: Vec::new(),
        }
    }

    fn take(&mut self, next: u16) -> Result<(), TooComplex> {
        let character = char::from_u32(u32::from(next)).unwrap_or(char::REPLACEMENT_CHARACTER);
        if std::mem::take(&mut self.escaping) {
            self.tokens.push(Token::Literal(next));
            return Ok(());
        }
        match character {
            '\\' => {
                self.settle_pending();
                self.escaping = true;
            }
            '*' if self.pending == Some(next) => {}
            '?' | '*' | '+' | '@' | '!' => {
                self.settle_pending();
                self.pending = Some(next);
            }
            '(' => match self.pending.take() {
                Some(kind) => self.open_list(kind),
                None => self.tokens.push(Token::Literal(next)),
            },
            ')' => match self.open.pop() {
                Some(list) => self.close_list(list),
                None => self.tokens.push(Token::Literal(next)),
            },
            '|' if !self.open.is_empty() => {
                self.settle_pending();
                self.tokens.push(Token::Or);
            }
            '[' => {
                self.settle_pending();
                self.bracket()?;
            }
            // A star before one of these comes out behind it: minimatch settles it only later.
            '|' | ']' => self.tokens.push(Token::Literal(next)),
            _ => {
                self.settle_pending();
                self.tokens.push(Token::Literal(next));
            }
        }
        Ok(())
    }

    /// Writes down a `?`, `*`, `+`, `@` or `!` that opened no list.
    fn settle_pending(&mut self) {
        let Some(kind) = self.pending.take() else { return };
        let token = alone(kind);
        self.magic |= !matches!(token, Token::Literal(_));
        self.tokens.push(token);
    }

    fn open_list(&mut self, kind: u16) {
        let list = OpenList { kind, start: self.tokens.len() };
        self.tokens.push(Token::Open(Opener::Group));
        if list.is_negation() {
            self.tokens.extend([Token::Open(Opener::Refuse), Token::Open(Opener::Group)]);
        }
        self.open.push(list);
    }

    fn close_list(&mut self, list: OpenList) {
        self.settle_pending();
        self.magic = true;
        if !list.is_negation() {
            self.tokens.push(Token::Close(quantifier(list.kind)));
            return;
        }
        let once = Token::Close(Quantifier::Once);
        self.tokens.extend([once.clone(), once.clone(), Token::AnyRun, once]);
        self.negations.push(Negation { start: list.start, end: self.tokens.len() });
    }

    /// Reads `[…]`: a class, or, where it does not close or has a range that runs backwards, plain text.
    fn bracket(&mut self) -> Result<(), TooComplex> {
        let rest = &self.pattern[self.at..];
        let close = class_end(rest);
        let content = &rest[..close.unwrap_or(rest.len())];
        self.at += content.len() + usize::from(close.is_some());
        if close.is_some() && is_class(content) {
            self.magic = true;
            match Class::parse(content, false) {
                Some(class) => self.tokens.push(Token::Class(class)),
                None => self.broken = true,
            }
            return Ok(());
        }
        let inner = scan(content, self.ignore_case, true)?;
        self.magic |= inner.magic;
        self.broken |= inner.broken;
        self.tokens.push(Token::Literal(unit('[')));
        self.tokens.extend(inner.tokens);
        if close.is_some() {
            self.tokens.push(Token::Literal(unit(']')));
        }
        self.check_size()
    }

    fn finish(mut self, inner: bool) -> Result<Scanned, TooComplex> {
        while let Some(list) = self.open.pop() {
            self.make_literal(&list);
        }
        self.settle_pending();
        if self.escaping {
            self.tokens.push(Token::Literal(unit('\\')));
        }
        self.check_size()?;
        let guarded = matches!(
            self.tokens.first(),
            Some(Token::AnyUnit | Token::AnyRun | Token::Class(_) | Token::Open(_))
        );
        negation::look_ahead(&mut self.tokens, &self.negations, inner)?;
        if self.magic && !self.tokens.is_empty() {
            self.tokens.insert(0, Token::NotEmpty);
        }
        if guarded && self.pattern.first() != Some(&unit('.')) {
            self.tokens.insert(0, Token::NotDots);
        }
        Ok(Scanned { tokens: self.tokens, magic: self.magic, broken: self.broken })
    }

    /// A list that never closes is plain text, its `|` too; a `*` or `?` before it keeps its meaning.
    fn make_literal(&mut self, list: &OpenList) {
        self.magic = true;
        let body = list.start + list.width();
        for token in &mut self.tokens[body..] {
            if *token == Token::Or {
                *token = Token::Literal(unit('|'));
            }
        }
        self.tokens.splice(list.start..body, [alone(list.kind), Token::Literal(unit('('))]);
        for negation in self.negations.iter_mut().filter(|negation| negation.start > list.start) {
            negation.start = negation.start + 2 - list.width();
            negation.end = negation.end + 2 - list.width();
        }
    }

    fn check_size(&self) -> Result<(), TooComplex> {
        if self.tokens.len() > MAX_TOKENS { Err(TooComplex) } else { Ok(()) }
    }
}

/// Whether minimatch takes it for a class: where JavaScript takes it, brackets around it, for an expression.
fn is_class(content: &[u16]) -> bool {
    if content.first() == Some(&unit(']')) {
        return is_expression_behind_empty_class(content);
    }
    Class::parse(content, true).is_some()
}

/// What one of `?*+@!` means without a list behind it.
fn alone(kind: u16) -> Token {
    match kind {
        kind if kind == unit('*') => Token::AnyRun,
        kind if kind == unit('?') => Token::AnyUnit,
        kind => Token::Literal(kind),
    }
}

fn quantifier(kind: u16) -> Quantifier {
    match kind {
        kind if kind == unit('?') => Quantifier::Optional,
        kind if kind == unit('*') => Quantifier::Any,
        kind if kind == unit('+') => Quantifier::AtLeastOnce,
        _ => Quantifier::Once,
    }
}

/// Where the class ends. A `]` right behind the `[` is a member (POSIX.2, 2.8.3.2), as is an escaped one.
fn class_end(rest: &[u16]) -> Option<usize> {
    let mut escaped = false;
    for (index, &next) in rest.iter().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        if next == unit('\\') {
            escaped = true;
        } else if next == unit(']') && index > 0 {
            return Some(index);
        }
    }
    None
}
