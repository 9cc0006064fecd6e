use super::scan::{MAX_TOKENS, TooComplex};
use super::token::Token;

/// A negated list `!(…)` and where its pieces lie: from its first to behind its last.
pub(super) struct Negation {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The pieces that close a negated list: its alternatives, the refusal, what it consumes, and itself.
const PIECES_BEHIND_ALTERNATIVES: usize = 3;

/// Makes every negated list look ahead at what follows it, so that `*.!(x).!(y)` refuses `a.x.z` as a whole
/// and not because `.!(x)` could also take less.
///
/// As minimatch does it: what follows is repeated inside the refusal, without the closing brackets of the
/// groups around it; only where nothing follows must the name end.
pub(super) fn look_ahead(
    tokens: &mut Vec<Token>,
    negations: &[Negation],
    inner: bool,
) -> Result<(), TooComplex> {
    for negation in negations.iter().rev() {
        let brackets = tokens[..negation.start].iter().filter(|token| opens(token)).count();
        let mut following = without_closing(&tokens[negation.end..], brackets);
        if following.is_empty() && !inner {
            following.push(Token::End);
        }
        let place = negation.end - PIECES_BEHIND_ALTERNATIVES;
        tokens.splice(place..place, following);
        if tokens.len() > MAX_TOKENS {
            return Err(TooComplex);
        }
    }
    Ok(())
}

/// Every bracket before the list counts, closed or not: so minimatch's `@(a)!(b)@(c)` loses a bracket and
/// matches nothing, and so it does here.
fn opens(token: &Token) -> bool {
    matches!(token, Token::Open(_)) || *token == Token::Literal(super::token::unit('('))
}

fn without_closing(tokens: &[Token], mut count: usize) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    for token in tokens {
        if count > 0 && matches!(token, Token::Close(_)) {
            count -= 1;
        } else {
            kept.push(token.clone());
        }
    }
    kept
}
