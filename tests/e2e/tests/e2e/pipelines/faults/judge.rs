//! Whether a run kept its word.

use causeway_harness::agent::{Cancel, Outcome, StepResult};
use causeway_harness::leak::listed;
use causeway_harness::pipeline::PipelineRun;

use super::machine::Machine;
use crate::pipelines::Play;

/// Something that is wrong, in words.
pub(super) type Finding = String;

/// Judges a run under faults.
pub(super) fn faulted(play: &Play, run: &PipelineRun, machine: &Machine) -> Vec<Finding> {
    let mut findings = Vec::new();
    let killed = matches!(machine, Machine::Struck(Cancel::Killed(_)));
    if run.outcome <= Outcome::SucceededWithIssues {
        if let Err(missing) = (play.arrived)(play, run) {
            findings.push(format!("success, but {missing}\n{}", run.log()));
        }
    } else {
        let mut steps = run.results().flat_map(|job| &job.steps);
        findings.extend(steps.find_map(|step| silent(step, machine)));
    }
    if !run.leaks.is_empty() && !killed {
        findings.push(format!("leaks:\n{}\n{}", listed(&run.leaks), run.log()));
    }
    // What a SIGKILL leaves in the temp folder goes with it when the agent cleans up.
    if !killed {
        findings.extend(left(play, run));
    }
    findings
}

/// Judges the run after it.
pub(super) fn repaired(play: &Play, run: &PipelineRun) -> Vec<Finding> {
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

/// A failed step of the task that does not say why.
fn silent(step: &StepResult, machine: &Machine) -> Option<Finding> {
    if step.outcome != Outcome::Failed || !step.is_task {
        return None;
    }
    let errors = step.errors();
    let said = errors.iter().any(|error| error.len() > 20);
    let crashed = errors.iter().any(|error| error.contains("panicked") || error.contains("crashed"));
    let may_crash = matches!(machine, Machine::Struck(Cancel::Killed(_) | Cancel::Terminated(_)));
    let bad = !said || (crashed && !may_crash);
    bad.then(|| format!("step {} failed without a reason: {errors:?}\n{}", step.display_name, step.log))
}
