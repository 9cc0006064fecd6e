//! What was injected, and how often.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use super::judge::Finding;
use super::kind::Kind;
use super::machine::Machine;

/// The faults of one pipeline's runs.
#[derive(Debug, Default)]
pub(super) struct Tally {
    runs: u64,
    /// How often each happened, and in how many runs.
    met: BTreeMap<Kind, (usize, usize)>,
}

/// From so many runs on, a kind that never happened is a hole in the test and not bad luck.
const MANY: u64 = 4 * Machine::TURNS;

impl Tally {
    pub(super) fn add(&mut self, met: &[Kind]) {
        self.runs += 1;
        for kind in Kind::ALL {
            let times = met.iter().filter(|one| **one == kind).count();
            let sum = self.met.entry(kind).or_default();
            *sum = (sum.0 + times, sum.1 + usize::from(times > 0));
        }
    }

    /// The kinds that so many runs should have met.
    pub(super) fn unmet(&self, file: &str) -> Vec<Finding> {
        let missing = self.met.iter().filter(|(_, (times, _))| *times == 0);
        let missing: Vec<String> = missing.map(|(kind, _)| kind.to_string()).collect();
        let short = self.runs < MANY || missing.is_empty();
        if short {
            Vec::new()
        } else {
            vec![format!("{file}: in {} runs there was no {missing:?}", self.runs)]
        }
    }
}

static ALL: Mutex<BTreeMap<String, Tally>> = Mutex::new(BTreeMap::new());

/// Prints the table of all pipelines so far; each cell is how often, and in brackets in how many runs.
pub(super) fn tell(file: &str, tally: Tally) {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.insert(file.to_owned(), tally);
    let mut table = format!("{:<18}{:>5}", "injected", "runs");
    for kind in Kind::ALL {
        let _ = write!(table, "{:>12}", kind.to_string());
    }
    for (file, tally) in all.iter() {
        let _ = write!(table, "\n{file:<18}{:>5}", tally.runs);
        for kind in Kind::ALL {
            let (times, runs) = tally.met.get(&kind).copied().unwrap_or_default();
            let _ = write!(table, "{:>12}", format!("{times} ({runs})"));
        }
    }
    eprintln!("{table}");
}
