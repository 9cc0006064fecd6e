use super::machine::{Machine, Unbuildable};
use super::scan::{TooComplex, scan};
use super::token::unit;

/// One pattern: what each part of a path must look like.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    rooted: bool,
}

#[derive(Debug, Clone)]
enum Part {
    /// `**`: any number of path parts.
    Anything,
    Name(Vec<u16>),
    Machine(Machine),
    /// A part that cannot match, such as one with brackets that minimatch loses.
    Nothing,
}

impl Pattern {
    /// Reads a pattern without the `!` of an exclude.
    pub(super) fn parse(text: &str, ignore_case: bool) -> Result<Self, TooComplex> {
        let mut parts = Vec::new();
        for (index, part) in split(text).enumerate() {
            let part = Part::parse(&part.encode_utf16().collect::<Vec<_>>(), index, ignore_case)?;
            if !matches!((&part, parts.last()), (Part::Anything, Some(Part::Anything))) {
                parts.push(part);
            }
        }
        Ok(Self { parts, rooted: is_rooted(text) })
    }

    /// Whether it names a place in the whole file system, and not below the source folder.
    pub(super) fn is_rooted(&self) -> bool {
        self.rooted
    }

    /// Whether it names a folder that a file must lie in, and not only the file.
    pub(super) fn names_folders(&self) -> bool {
        let above = self.parts.len().saturating_sub(1);
        self.parts[..above].iter().any(|part| !matches!(part, Part::Anything))
    }

    /// Whether the path with these parts matches.
    pub(super) fn matches(&self, path: &[Vec<u16>]) -> bool {
        reach(&self.parts, path)[path.len()]
    }

    /// Whether something below the folder with these parts can match.
    pub(super) fn may_match_below(&self, folder: &[Vec<u16>]) -> bool {
        // A part must be left for what lies in the folder, and what stands before it must lead to the folder.
        (0..self.parts.len()).any(|before| {
            let reached = reach(&self.parts[..before], folder);
            let goes_on = matches!(self.parts[before], Part::Anything) && reached.contains(&true);
            goes_on || reached[folder.len()]
        })
    }

    /// Whether everything below the folder with these parts matches.
    pub(super) fn matches_all_below(&self, folder: &[Vec<u16>]) -> bool {
        match self.parts.as_slice() {
            // The folder, or one that it lies in.
            [before @ .., Part::Anything] => reach(before, folder).contains(&true),
            _ => false,
        }
    }
}

impl Part {
    fn parse(text: &[u16], index: usize, ignore_case: bool) -> Result<Self, TooComplex> {
        if text == [unit('*'), unit('*')] {
            return Ok(Self::Anything);
        }
        // Nothing before the first slash is the root; elsewhere it is a slash at the end, which no file has.
        if text.is_empty() {
            return Ok(if index == 0 { Self::Name(Vec::new()) } else { Self::Nothing });
        }
        let scanned = scan(text, ignore_case, false)?;
        if scanned.broken {
            return Ok(Self::Nothing);
        }
        if !scanned.magic {
            return Ok(Self::Name(unescape(text)));
        }
        match Machine::build(&scanned.tokens, ignore_case) {
            Ok(machine) => Ok(Self::Machine(machine)),
            Err(Unbuildable::Unpaired) => Ok(Self::Nothing),
            Err(Unbuildable::TooDeep) => Err(TooComplex),
        }
    }

    fn matches(&self, name: &[u16]) -> bool {
        match self {
            Self::Anything => true,
            Self::Name(expected) => name == expected,
            Self::Machine(machine) => machine.matches(name),
            Self::Nothing => false,
        }
    }
}

/// Up to where in the path the pattern may have been read.
fn reach(parts: &[Part], path: &[Vec<u16>]) -> Vec<bool> {
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        reached = match part {
            Part::Anything => spread(reached, path, is_last),
            part => advance(&reached, path, part),
        };
    }
    reached
}

/// `**`: on from every part reached, over all parts but `.` and `..`; at the end of a pattern over at
/// least one.
fn spread(mut reached: Vec<bool>, path: &[Vec<u16>], is_last: bool) -> Vec<bool> {
    if is_last {
        reached[path.len()] = false;
    }
    for (index, part) in path.iter().enumerate() {
        let dots = matches!(part.as_slice(), [46] | [46, 46]);
        reached[index + 1] |= reached[index] && !dots;
    }
    reached
}

fn advance(reached: &[bool], path: &[Vec<u16>], part: &Part) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    for (index, name) in path.iter().enumerate() {
        next[index + 1] = reached[index] && part.matches(name);
    }
    next
}

/// The parts of a path or pattern; several slashes count as one, one at either end makes an empty part.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    let leading = text.starts_with('/').then_some("");
    let trailing = text.ends_with('/').then_some("");
    leading.into_iter().chain(text.split('/').filter(|part| !part.is_empty())).chain(trailing)
}

fn is_rooted(text: &str) -> bool {
    let drive = cfg!(windows) && text.as_bytes().get(1) == Some(&b':');
    text.starts_with('/') || drive
}

/// A fixed name without its backslashes.
fn unescape(text: &[u16]) -> Vec<u16> {
    let mut name = Vec::with_capacity(text.len());
    let mut units = text.iter().copied().peekable();
    while let Some(next) = units.next() {
        name.push(if next == unit('\\') { units.next().unwrap_or(next) } else { next });
    }
    name
}
