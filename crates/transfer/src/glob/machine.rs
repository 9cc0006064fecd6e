use super::token::{Class, Opener, Quantifier, Token};

/// Deeper groups than this are refused: matching walks them by recursion.
const MAX_DEPTH: usize = 64;

/// A path part's pattern, ready to run.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    steps: Vec<Node>,
    refusals: usize,
    ignore_case: bool,
}

#[derive(Debug, Clone)]
enum Node {
    Literal(u16),
    AnyUnit,
    AnyRun,
    Class(Class),
    Group(Vec<Vec<Node>>, Quantifier),
    /// The number says where its answers are remembered.
    Refuse(Vec<Vec<Node>>, usize),
    End,
    NotEmpty,
    NotDots,
}

/// Why pieces make no machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unbuildable {
    /// The brackets do not pair: minimatch lets such a pattern match nothing.
    Unpaired,
    TooDeep,
}

impl Machine {
    pub(super) fn build(tokens: &[Token], ignore_case: bool) -> Result<Self, Unbuildable> {
        let mut builder = Builder { rest: tokens, refusals: 0 };
        let mut alternatives = builder.alternatives(0)?;
        match (builder.rest, alternatives.pop()) {
            ([], Some(steps)) if alternatives.is_empty() => {
                Ok(Self { steps, refusals: builder.refusals, ignore_case })
            }
            _ => Err(Unbuildable::Unpaired),
        }
    }

    /// Whether the whole name matches.
    pub(super) fn matches(&self, name: &[u16]) -> bool {
        let remembered = vec![None; self.refusals * (name.len() + 1)];
        let mut run = Run { name, ignore_case: self.ignore_case, remembered };
        let mut start = vec![false; name.len() + 1];
        start[0] = true;
        run.sequence(&self.steps, start)[name.len()]
    }
}

struct Builder<'a> {
    rest: &'a [Token],
    refusals: usize,
}

impl Builder<'_> {
    /// Reads up to the bracket that closes this level, or to the end.
    fn alternatives(&mut self, depth: usize) -> Result<Vec<Vec<Node>>, Unbuildable> {
        if depth > MAX_DEPTH {
            return Err(Unbuildable::TooDeep);
        }
        let mut alternatives = vec![Vec::new()];
        while let [token, rest @ ..] = self.rest {
            if matches!(token, Token::Close(_)) {
                break;
            }
            self.rest = rest;
            let node = match token {
                Token::Or => {
                    alternatives.push(Vec::new());
                    continue;
                }
                Token::Open(opener) => self.group(*opener, depth)?,
                other => single(other),
            };
            if let Some(current) = alternatives.last_mut() {
                current.push(node);
            }
        }
        Ok(alternatives)
    }

    fn group(&mut self, opener: Opener, depth: usize) -> Result<Node, Unbuildable> {
        let alternatives = self.alternatives(depth + 1)?;
        let [Token::Close(quantifier), rest @ ..] = self.rest else { return Err(Unbuildable::Unpaired) };
        self.rest = rest;
        Ok(match opener {
            Opener::Group => Node::Group(alternatives, *quantifier),
            Opener::Refuse => {
                self.refusals += 1;
                Node::Refuse(alternatives, self.refusals - 1)
            }
        })
    }
}

fn single(token: &Token) -> Node {
    match token {
        Token::Literal(unit) => Node::Literal(*unit),
        Token::AnyUnit => Node::AnyUnit,
        Token::Class(class) => Node::Class(class.clone()),
        Token::End => Node::End,
        Token::NotEmpty => Node::NotEmpty,
        Token::NotDots => Node::NotDots,
        // Brackets never come here: the builder takes them apart.
        Token::AnyRun | Token::Open(_) | Token::Close(_) | Token::Or => Node::AnyRun,
    }
}

/// For each position in the name (before each unit, and at the end) whether it has been reached.
type Positions = Vec<bool>;

/// One name being matched.
struct Run<'a> {
    name: &'a [u16],
    ignore_case: bool,
    /// What each refusal said at each position: the answer never changes within one name.
    remembered: Vec<Option<bool>>,
}

impl Run<'_> {
    fn sequence(&mut self, nodes: &[Node], mut reached: Positions) -> Positions {
        for node in nodes {
            if !reached.contains(&true) {
                break;
            }
            reached = self.step(node, reached);
        }
        reached
    }

    fn step(&mut self, node: &Node, reached: Positions) -> Positions {
        let end = self.name.len();
        match node {
            Node::Literal(unit) => self.consume(reached, |run, next| run.same(*unit, next)),
            Node::AnyUnit => self.consume(reached, |_, _| true),
            Node::Class(class) => self.consume(reached, |run, next| class.contains(&run.spellings(next))),
            Node::AnyRun => onward(reached),
            Node::Group(alternatives, quantifier) => self.group(alternatives, *quantifier, reached),
            Node::Refuse(alternatives, number) => self.refuse(alternatives, *number, reached),
            Node::End => keep(reached, |position| position == end),
            Node::NotEmpty => keep(reached, |position| position < end),
            Node::NotDots => {
                let dots = (1..=2).contains(&end) && self.name.iter().all(|&next| next == u16::from(b'.'));
                keep(reached, |position| position > 0 || !dots)
            }
        }
    }

    /// Each position moves on by one where the unit behind it is accepted.
    fn consume(&self, mut reached: Positions, accepts: impl Fn(&Self, u16) -> bool) -> Positions {
        for position in (0..self.name.len()).rev() {
            reached[position + 1] = reached[position] && accepts(self, self.name[position]);
        }
        reached[0] = false;
        reached
    }

    fn group(&mut self, alternatives: &[Vec<Node>], quantifier: Quantifier, reached: Positions) -> Positions {
        let mut all = match quantifier {
            Quantifier::Once => return self.once(alternatives, &reached),
            Quantifier::AtLeastOnce => self.once(alternatives, &reached),
            Quantifier::Optional => return union(self.once(alternatives, &reached), &reached),
            Quantifier::Any => reached,
        };
        let mut fresh = all.clone();
        while fresh.contains(&true) {
            let next = self.once(alternatives, &fresh);
            fresh = next.iter().zip(&all).map(|(next, known)| *next && !known).collect();
            all = union(all, &next);
        }
        all
    }

    fn once(&mut self, alternatives: &[Vec<Node>], reached: &Positions) -> Positions {
        let mut all = vec![false; reached.len()];
        for alternative in alternatives {
            all = union(all, &self.sequence(alternative, reached.clone()));
        }
        all
    }

    fn refuse(&mut self, alternatives: &[Vec<Node>], number: usize, mut reached: Positions) -> Positions {
        for (position, reached) in reached.iter_mut().enumerate().filter(|(_, reached)| **reached) {
            *reached = !self.follows(alternatives, number, position);
        }
        reached
    }

    /// Whether one of the alternatives can be read from this position on.
    fn follows(&mut self, alternatives: &[Vec<Node>], number: usize, position: usize) -> bool {
        let slot = number * (self.name.len() + 1) + position;
        if let Some(answer) = self.remembered[slot] {
            return answer;
        }
        let mut start = vec![false; self.name.len() + 1];
        start[position] = true;
        let answer = self.once(alternatives, &start).contains(&true);
        self.remembered[slot] = Some(answer);
        answer
    }

    fn same(&self, one: u16, other: u16) -> bool {
        one == other || (self.ignore_case && upper(one) == upper(other))
    }

    fn spellings(&self, unit: u16) -> [u16; 3] {
        if self.ignore_case { [unit, upper(unit), lower(unit)] } else { [unit; 3] }
    }
}

/// Every position behind the first one reached.
fn onward(mut reached: Positions) -> Positions {
    if let Some(first) = reached.iter().position(|reached| *reached) {
        reached[first..].fill(true);
    }
    reached
}

fn keep(mut reached: Positions, condition: impl Fn(usize) -> bool) -> Positions {
    for (position, reached) in reached.iter_mut().enumerate() {
        *reached &= condition(position);
    }
    reached
}

fn union(mut one: Positions, other: &Positions) -> Positions {
    for (one, other) in one.iter_mut().zip(other) {
        *one |= other;
    }
    one
}

/// The upper-case form where it is a single unit, as regular expressions with the flag `i` compare.
pub(super) fn upper(unit: u16) -> u16 {
    single_unit(unit, |character| single_character(character.to_uppercase()))
}

fn lower(unit: u16) -> u16 {
    single_unit(unit, |character| single_character(character.to_lowercase()))
}

fn single_unit(unit: u16, change: impl Fn(char) -> Option<char>) -> u16 {
    char::from_u32(u32::from(unit))
        .and_then(change)
        .and_then(|character| u16::try_from(u32::from(character)).ok())
        .unwrap_or(unit)
}

fn single_character(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next();
    if characters.next().is_some() { None } else { first }
}
