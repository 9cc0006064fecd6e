//! Dividing the names below a path into parts that leave none out, so that the parts can be listed side by side.

/// Every character of a parameter's name ("Creating Parameter Store parameters", Systems Manager User Guide).
const ALPHABET: &str = "0123456789-._/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Into so many parts one is divided, as far as its size allows.
const PARTS: usize = 4;

/// The most values of one filter ("ParameterStringFilter", Systems Manager API reference).
const VALUES: usize = 50;

/// So far the beginning that all names of a page share is followed in one division.
const STRIDE: usize = 24;

/// All names that begin with one of these prefixes, none of which begins with another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Cell(Vec<String>);

/// What a cell is divided into.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Division {
    /// The parts; with `exact` they hold every name of the cell.
    pub(super) cells: Vec<Cell>,
    /// Names that are prefixes themselves and so in none of the parts. They may not exist.
    pub(super) exact: Vec<String>,
}

impl Cell {
    /// All names that begin with this.
    pub(super) fn of(prefix: String) -> Self {
        Self(vec![prefix])
    }

    /// The values of the filter.
    pub(super) fn prefixes(&self) -> &[String] {
        &self.0
    }

    /// Divides the cell, in the light of some names that it holds.
    pub(super) fn divide(&self, seen: &[String]) -> Division {
        match &self.0[..] {
            [prefix] => divide_prefix(prefix, seen),
            prefixes => {
                Division { cells: chunks(prefixes, prefixes.len().div_ceil(PARTS)), exact: Vec::new() }
            }
        }
    }
}

/// Follows what the seen names share as one part; whatever turns off on the way there is in the others.
fn divide_prefix(prefix: &str, seen: &[String]) -> Division {
    let shared = shared_beginning(prefix, seen);
    if shared.len() == prefix.len() {
        let next: Vec<String> = ALPHABET.chars().map(|letter| format!("{prefix}{letter}")).collect();
        return Division { cells: chunks(&next, next.len().div_ceil(PARTS)), exact: vec![prefix.to_owned()] };
    }
    let mut aside = Vec::new();
    let mut exact = Vec::new();
    for (at, taken) in shared.char_indices().skip(prefix.len()) {
        let way = &shared[..at];
        exact.push(way.to_owned());
        aside.extend(
            ALPHABET.chars().filter(|letter| *letter != taken).map(|letter| format!("{way}{letter}")),
        );
    }
    let mut cells = vec![Cell::of(shared.to_owned())];
    cells.extend(chunks(&aside, VALUES));
    Division { cells, exact }
}

fn chunks(prefixes: &[String], size: usize) -> Vec<Cell> {
    prefixes.chunks(size.clamp(1, VALUES)).map(|part| Cell(part.to_vec())).collect()
}

/// What all the names begin with, at least `prefix`; names have ASCII only, and others end it.
fn shared_beginning<'a>(prefix: &'a str, names: &'a [String]) -> &'a str {
    let Some(first) = names.iter().find(|name| name.starts_with(prefix)) else {
        return prefix;
    };
    let length = names.iter().map(|name| common_length(first, name)).min().unwrap_or_default();
    let length = length.clamp(prefix.len(), prefix.len() + STRIDE);
    first.get(..length).unwrap_or(prefix)
}

fn common_length(one: &str, other: &str) -> usize {
    let pairs = one.bytes().zip(other.bytes());
    pairs.take_while(|(one, other)| one == other && ALPHABET.as_bytes().contains(one)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In how many parts a name stands.
    fn places(division: &Division, name: &str) -> usize {
        let cells = division.cells.iter();
        let within =
            cells.filter(|cell| cell.prefixes().iter().any(|prefix| name.starts_with(prefix))).count();
        within + division.exact.iter().filter(|exact| *exact == name).count()
    }

    fn name() -> impl Strategy<Value = String> {
        "/app/(sub0[0-3]/|sub/|)[a-c0-1._-]{0,3}".prop_filter("not empty", |name| !name.ends_with('/'))
    }

    proptest! {
        #[test]
        fn every_name_is_in_one_part_at_every_depth(
            names in prop::collection::vec(name(), 1..20),
            seen in prop::collection::vec(0_usize..20, 0..6),
            path in prop::collection::vec(0_usize..30, 0..12),
        ) {
            let mut cell = Cell::of("/app/".to_owned());
            for step in path {
                let within: Vec<String> = names
                    .iter()
                    .filter(|name| cell.prefixes().iter().any(|prefix| name.starts_with(prefix)))
                    .cloned()
                    .collect();
                let seen: Vec<String> =
                    seen.iter().filter_map(|at| within.get(*at % within.len().max(1))).cloned().collect();
                let division = cell.divide(&seen);
                for name in &within {
                    prop_assert_eq!(places(&division, name), 1, "{} in {:?}", name, division);
                }
                prop_assert!(division.cells.iter().all(|cell| (1..=VALUES).contains(&cell.prefixes().len())));
                cell = division.cells[step % division.cells.len()].clone();
            }
        }
    }

    #[test]
    fn a_long_beginning_is_followed_at_once() {
        let seen = ["/app/configuration/a".to_owned(), "/app/configuration/b".to_owned()];
        let division = Cell::of("/app/".to_owned()).divide(&seen);
        assert_eq!(division.cells[0], Cell::of("/app/configuration/".to_owned()));
        assert_eq!(division.exact[0], "/app/");
        let long = [format!("/app/{}", "x".repeat(100))];
        assert_eq!(Cell::of("/app/".to_owned()).divide(&long).cells[0].prefixes()[0].len(), 5 + STRIDE);
    }
}
