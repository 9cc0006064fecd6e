//! Whether a run kept its word.

use causeway_harness::agent::Outcome;
use causeway_harness::leak::{Leak, listed};
use causeway_harness::pipeline::PipelineRun;

use super::kind::Kind;
use super::reason;
use super::remains::{self, Before};
use crate::pipelines::Play;

/// Something that is wrong, in words.
pub(super) type Finding = String;

/// Judges a run under the faults that it met.
pub(super) fn faulted(play: &Play, run: &PipelineRun, met: &[Kind]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if run.outcome <= Outcome::SucceededWithIssues
        && let Err(missing) = (play.arrived)(play, run)
    {
        findings.push(format!("success, but {missing}\n{}", run.log()));
    }
    for step in run.results().flat_map(|job| &job.steps) {
        if let Err(wrong) = reason::judge(step, met) {
            findings.push(format!("step \"{}\": {wrong}\n{}", step.display_name, step.log));
        }
    }
    if met.contains(&Kind::Kill) {
        findings.extend(killed(play, run));
    } else {
        if !run.leaks.is_empty() {
            findings.push(format!("leaks:\n{}\n{}", listed(&run.leaks), run.log()));
        }
        findings.extend(left(play, run));
    }
    findings
}

/// What a SIGKILL leaves in the temp folder goes when the agent empties it. Till then it is only what is documented.
fn killed(play: &Play, run: &PipelineRun) -> Vec<Finding> {
    let mut findings = Vec::new();
    let leaks: Vec<Leak> = remains::beyond_what_is_kept(play, &run.leaks).into_iter().cloned().collect();
    if !leaks.is_empty() {
        findings.push(format!("leaks after SIGKILL:\n{}\n{}", listed(&leaks), run.log()));
    }
    let open = remains::open_files(play);
    if !open.is_empty() {
        findings.push(format!("others can read {open:?}\n{}", run.log()));
    }
    findings
}

/// Judges the run after it.
pub(super) fn repaired(play: &Play, run: &PipelineRun, before: &Before) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (play.arrived)(play, run) {
        _ if run.outcome != Outcome::Succeeded => {
            findings.push(format!("the rerun is {:?}\n{}", run.outcome, run.log()))
        }
        Ok(()) => {}
        Err(missing) => findings.push(format!("after the rerun {missing}\n{}", run.log())),
    }
    if !run.leaks.is_empty() {
        findings.push(format!("the rerun leaks:\n{}", listed(&run.leaks)));
    }
    findings.extend(left(play, run));
    let remains = before.remains(play);
    if !remains.is_empty() {
        findings.push(format!("after the rerun there is still {remains:?}\n{}", run.log()));
    }
    findings
}

fn left(play: &Play, run: &PipelineRun) -> Vec<Finding> {
    let mut left = play.leftovers(run);
    if let Some((_, bucket)) = play.facts.iter().find(|(name, _)| *name == "bucket") {
        left.extend(
            play.world.seed().unfinished_uploads(bucket).iter().map(|key| format!("unfinished upload {key}")),
        );
    }
    if left.is_empty() { Vec::new() } else { vec![format!("left: {left:?}\n{}", run.log())] }
}
