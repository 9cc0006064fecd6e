//! Every pipeline under faults: each run ends as success with everything in place, or as failure that says why; a run without
//! faults repairs it; nothing is left. `CAUSEWAY_FAULT_RUNS` says how many seeds each pipeline gets (1 by default),
//! `CAUSEWAY_FAULT_SEED` where they begin.

mod disk;
mod judge;
mod kind;
mod machine;
mod reason;
mod remains;
mod tally;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use causeway_harness::agent::{Outcome, Variable};
use causeway_harness::chaos::Passage;
use causeway_harness::moto::Moto;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::world::World;

use super::{PLAYS, Play};
use judge::Finding;
use kind::Kind;
use machine::Machine;
use remains::Before;
use tally::Tally;

/// What an identity may take under faults, in seconds: long enough for a busy machine. The run that repairs has the usual one.
const DEADLINE: &str = "15";

/// A play whose servers are reached through the dice.
struct Faulted {
    play: Play,
    /// They end with this value.
    _passages: Vec<Passage>,
}

impl Faulted {
    fn new(mut play: Play) -> Self {
        let mut passages = Vec::new();
        let url = play.world.gateway.url();
        let machine = &mut play.world.agent.machine;
        // Where names and TLS stand between (8) the play has put the dice behind them.
        if machine
            .iter()
            .rfind(|(name, _)| name == "AWS_ENDPOINT_URL")
            .is_some_and(|(_, value)| *value == url)
        {
            let (aws, azure) = (play.chaos.before(&url), play.chaos.before(&play.world.azure_devops.url()));
            machine.push(("AWS_ENDPOINT_URL".into(), aws.url()));
            play.world.azure_devops.reach_at(&azure.url());
            passages.extend([aws, azure]);
        }
        let registry = play.registry.as_ref().map(|registry| registry.proxy());
        play.proxy.iter().chain(registry).for_each(|proxy| proxy.through(&play.chaos));
        play.world.variables.push(Variable::public("Causeway.IdentityDeadlineSeconds", DEADLINE));
        Self { play, _passages: passages }
    }

    fn begin(&self, share: f64, seed: u64) {
        self.play.chaos.begin(share, seed);
        if let Some(registry) = &self.play.registry {
            registry.front.trouble_at_random(share, seed);
        }
    }

    fn calm(&mut self) {
        self.play.world.variables.retain(|variable| variable.name != "Causeway.IdentityDeadlineSeconds");
        self.play.chaos.calm();
        if let Some(registry) = &self.play.registry {
            registry.front.calm();
        }
        self.play.world.gateway.shift_clock(0);
        self.play.world.azure_devops.change(|organization| organization.clock = 0);
    }

    /// Every fault that happened.
    fn met(&self, run: &PipelineRun, machine: &Machine, was_possible: bool) -> Vec<Kind> {
        let mut met: Vec<Kind> =
            self.play.chaos.done().iter().map(|(_, mishap)| Kind::of_mishap(mishap)).collect();
        if let Some(registry) = &self.play.registry {
            met.extend(registry.front.done().iter().map(|(_, trouble)| Kind::of_trouble(trouble)));
        }
        let struck = || run.results().flat_map(|job| &job.steps).any(|step| step.struck);
        let happened = was_possible && (!matches!(machine, Machine::Struck(_)) || struck());
        met.extend(Kind::of_machine(machine).filter(|_| happened));
        met
    }
}

/// What one seed came to.
struct Run {
    ended: String,
    met: Vec<Kind>,
    findings: Vec<Finding>,
}

fn run(make: fn() -> Play, turn: u64, seed: u64) -> Run {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut faulted = Faulted::new(make());
    let machine = Machine::choose(turn, &faulted.play, &mut random);
    let share = machine.share(&mut random);
    let before = Before::look(&faulted.play);
    faulted.begin(share, seed);
    let held = machine.begin(&mut faulted.play, &mut random);
    let first = faulted.play.run_with(|_, job| held.strike(job));
    let met = faulted.met(&first, &machine, held.was_possible(&machine));
    let mut findings = judge::faulted(&faulted.play, &first, &met);
    held.end(&mut faulted.play);
    faulted.calm();
    let again = faulted.play.run_with(|_, _| {});
    findings.extend(judge::repaired(&faulted.play, &again, &before));
    let succeeded = first.outcome <= Outcome::SucceededWithIssues;
    for finding in &mut findings {
        let shown: Vec<String> = met.iter().map(Kind::to_string).collect();
        *finding = format!("seed {seed}, {machine:?}, share {share:.2}, met {shown:?}: {finding}");
    }
    Run { ended: if succeeded { "succeeded" } else { "failed" }.to_owned(), met, findings }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name)
        .ok()
        .map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// moto reads in its IAM with the first call of it. On a busy machine that alone can take longer than the deadline of the
/// runs; and moto stays from one run to the next.
fn warm() {
    static MOTO: OnceLock<Arc<Moto>> = OnceLock::new();
    MOTO.get_or_init(|| {
        let moto = Moto::shared();
        let _ = World::with_aws().seed().iam("ListRoles", &[]);
        moto
    });
}

/// The seeds of one pipeline.
fn runs(at: usize) {
    let (file, make) = PLAYS[at];
    if file == "05-terraform" && !crate::consumers::on_path("terraform") {
        eprintln!("not run: there is no terraform on PATH");
        return;
    }
    warm();
    let begin = number("CAUSEWAY_FAULT_SEED", 0);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut tally = Tally::default();
    let mut findings = Vec::new();
    for turn in begin..begin + number("CAUSEWAY_FAULT_RUNS", 1) {
        let run = run(make, turn + at as u64, turn * 100 + at as u64);
        // Long runs may be broken off: what was done till then shall count.
        let met: Vec<String> = run.met.iter().map(Kind::to_string).collect();
        eprintln!("{file}: seed {} {}, {}", turn * 100 + at as u64, run.ended, met.join(", "));
        *counts.entry(run.ended).or_default() += 1;
        tally.add(&run.met);
        for finding in &run.findings {
            eprintln!("{file}: {finding}");
        }
        findings.extend(run.findings);
    }
    findings.extend(tally.unmet(file));
    eprintln!("{file}: {counts:?}, {} findings", findings.len());
    tally::tell(file, tally);
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
