//! Every pipeline under faults: each run ends as success with everything in place, or as failure that says why; a run without
//! faults repairs it; nothing is left. `CAUSEWAY_FAULT_RUNS` says how many seeds each pipeline gets (1 by default),
//! `CAUSEWAY_FAULT_SEED` where they begin.

mod judge;
mod machine;

use std::collections::BTreeMap;

use causeway_harness::agent::{Outcome, Variable};
use causeway_harness::chaos::{Chaos, Passage};

use super::{PLAYS, Play};
use judge::Finding;
use machine::Machine;

/// A play whose servers are reached through the dice.
struct Faulted {
    play: Play,
    chaos: Chaos,
    /// They end with this value.
    _passages: Vec<Passage>,
}

impl Faulted {
    fn new(mut play: Play) -> Self {
        let chaos = Chaos::default();
        let mut passages = Vec::new();
        // Behind names and TLS of its own (8) there is no place for it: there only the registry and the machine make trouble.
        let url = play.world.gateway.url();
        let machine = &mut play.world.agent.machine;
        if machine
            .iter()
            .rfind(|(name, _)| name == "AWS_ENDPOINT_URL")
            .is_some_and(|(_, value)| *value == url)
        {
            let (aws, azure) = (chaos.before(&url), chaos.before(&play.world.azure_devops.url()));
            machine.push(("AWS_ENDPOINT_URL".into(), aws.url()));
            play.world.azure_devops.reach_at(&azure.url());
            passages.extend([aws, azure]);
        }
        play.world.variables.push(Variable::public("Causeway.IdentityDeadlineSeconds", "8"));
        Self { play, chaos, _passages: passages }
    }

    fn begin(&self, share: f64, seed: u64) {
        self.chaos.begin(share, seed);
        if let Some(registry) = &self.play.registry {
            registry.front.trouble_at_random(share, seed);
        }
    }

    fn calm(&self) {
        self.chaos.calm();
        if let Some(registry) = &self.play.registry {
            registry.front.calm();
        }
        self.play.world.gateway.shift_clock(0);
        self.play.world.azure_devops.change(|organization| organization.clock = 0);
    }
}

/// One seed: what was found to be wrong, and how the faulted run ended.
fn run(make: fn() -> Play, seed: u64) -> (String, Vec<Finding>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut faulted = Faulted::new(make());
    let machine = Machine::choose(&mut random);
    let share = if machine.is_calm() { 0.05 + random.f64() * 0.35 } else { random.f64() * 0.1 };
    faulted.begin(share, seed);
    let held = machine.begin(&mut faulted.play, &mut random);
    let first = faulted.play.run_with(|_, job| held.strike(job));
    let (first_ended, mut findings) = (first.outcome, judge::faulted(&faulted.play, &first, &machine));
    held.end(&mut faulted.play);
    faulted.calm();
    let again = faulted.play.run_with(|_, _| {});
    findings.extend(judge::repaired(&faulted.play, &again));
    let troubles = faulted.chaos.done().len();
    let ended = if first_ended <= Outcome::SucceededWithIssues { "succeeded" } else { "failed" };
    for finding in &mut findings {
        *finding = format!("seed {seed}, {machine:?}, share {share:.2}, {troubles} mishaps: {finding}");
    }
    (format!("{}, {ended}", machine.name()), findings)
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// The seeds of one pipeline.
fn runs(at: usize) {
    let (file, make) = PLAYS[at];
    if file == "05-terraform" && !crate::consumers::on_path("terraform") {
        eprintln!("not run: there is no terraform on PATH");
        return;
    }
    let begin = number("CAUSEWAY_FAULT_SEED", 0);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    for seed in begin..begin + number("CAUSEWAY_FAULT_RUNS", 1) {
        let (ended, found) = run(make, seed * 100 + at as u64);
        *counts.entry(ended).or_default() += 1;
        for finding in &found {
            eprintln!("{file}: {finding}");
        }
        findings.extend(found);
    }
    eprintln!("{file}: {counts:?}, {} findings", findings.len());
    assert!(findings.is_empty(), "{file}:\n{}", findings.join("\n"));
}

#[test]
fn classic() {
    runs(0);
}

#[test]
fn first_time() {
    runs(1);
}

#[test]
fn keys_and_role() {
    runs(2);
}

#[test]
fn accounts() {
    runs(3);
}

#[test]
fn terraform() {
    runs(4);
}

#[test]
fn deploy_tools() {
    runs(5);
}

#[test]
fn artifacts() {
    runs(6);
}

#[test]
fn self_hosted() {
    runs(7);
}

#[test]
fn release() {
    runs(8);
}

#[test]
fn migration() {
    runs(9);
}
