//! Measures whole steps of the built task as the agent runs them, beside an empty start of node in the same run.
//!
//! Medians of several runs in turn: machines differ and are noisy, so only figures of one run may be compared.
#![allow(clippy::print_stdout, reason = "a program for the terminal")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot be made ends here")]

mod s3;

use std::fs;
use std::path::Path;

use causeway_harness::agent::{JobResult, Outcome, Step, Usage};
use causeway_harness::world::World;

/// Measured runs of each row, after one that is not counted.
const RUNS: usize = 15;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "s3" => s3::main(rest),
        _ => steps(),
    }
}

/// Whole steps beside an empty start of node.
fn steps() {
    let empty = tempfile::tempdir().expect("a temp folder");
    empty_task(empty.path());
    let bare = World::with_task(empty.path());
    let world = World::with_aws();
    world.seed().put_parameter("/bench/token", "SecureString", "a-secret-parameter-value");
    let parameters =
        [("command", "getParameters"), ("connection", "federated"), ("parameterName", "/bench/token")];
    let mut rows = [
        Row::new("empty node start", || ok(&bare.run(vec![Step::task("Empty@1", &[])]))),
        Row::new("step that fails on a missing input", || {
            failing(&world.step(&[("command", "getParameters")]))
        }),
        Row::new("verify by OIDC, whole step", || {
            ok(&world.step(&[("command", "verify"), ("connection", "federated")]))
        }),
        Row::new("getParameters by OIDC, one SecureString, whole step", || ok(&world.step(&parameters))),
    ];
    for run in 0..=RUNS {
        for row in &mut rows {
            let usage = (row.measure)();
            if run > 0 {
                row.usages.push(usage);
            }
        }
    }
    println!("| {RUNS} runs in turn, medians | wall ms | CPU ms | CPU over node ms | peak MiB |");
    println!("|---|---|---|---|---|");
    let node = rows[0].median(|usage| usage.cpu.as_secs_f64());
    for row in &rows {
        row.print(node);
    }
}

struct Row<'a> {
    name: &'static str,
    measure: Box<dyn Fn() -> Usage + 'a>,
    usages: Vec<Usage>,
}

impl<'a> Row<'a> {
    fn new(name: &'static str, measure: impl Fn() -> Usage + 'a) -> Self {
        Self { name, measure: Box::new(measure), usages: Vec::new() }
    }

    fn median(&self, figure: impl Fn(&Usage) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.usages.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    }

    fn print(&self, node: f64) {
        let wall = self.median(|usage| usage.wall.as_secs_f64()) * 1e3;
        let cpu = self.median(|usage| usage.cpu.as_secs_f64());
        let memory = self.median(|usage| usage.peak_memory as f64) / f64::from(1 << 20);
        println!(
            "| {} | {wall:.0} | {:.0} | {:.0} | {memory:.0} |",
            self.name,
            cpu * 1e3,
            (cpu - node) * 1e3
        );
    }
}

fn ok(job: &JobResult) -> Usage {
    assert_eq!(job.outcome, Outcome::Succeeded, "{}", job.log());
    job.first().usage
}

fn failing(job: &JobResult) -> Usage {
    assert_eq!(job.outcome, Outcome::Failed, "{}", job.log());
    job.first().usage
}

/// A task whose script is empty: what every task of every extension pays.
fn empty_task(folder: &Path) {
    let manifest = r#"{
        "name": "Empty", "version": { "Major": 1, "Minor": 0, "Patch": 0 },
        "inputs": [], "execution": { "Node20_1": { "target": "index.js" } }
    }"#;
    fs::write(folder.join("task.json"), manifest).expect("a temp folder");
    fs::write(folder.join("index.js"), "").expect("a temp folder");
}
