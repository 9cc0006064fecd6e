//! How a run stands, for the conditions and variables of what comes next.

use super::{PipelineJob, RanJob, Stage};
use crate::agent::{Outcome, Variable, Variables};
use crate::expression::{Context, Expression, Status, runtime};

/// What came before a stage or a job.
pub(super) struct Stand<'a> {
    pub(super) stages: &'a [(&'a Stage, Outcome)],
    /// The jobs of all stages so far.
    pub(super) jobs: &'a [RanJob],
    /// `None` for a stage itself.
    pub(super) job: Option<(&'a Stage, &'a PipelineJob)>,
    /// The stage's own dependencies, when it is one that is judged.
    pub(super) depends_on: &'a [String],
    pub(super) variables: &'a Variables,
}

impl Stand<'_> {
    /// The variables with every `$[ … ]` carried out, each knowing those before it.
    pub(super) fn carried_out(&self, given: &[Variable]) -> Result<Vec<Variable>, String> {
        let mut known = self.variables.clone();
        let mut all = Vec::new();
        for variable in given {
            let mut variable = variable.clone();
            if let Some(text) = runtime(&variable.value) {
                let stand = Stand { variables: &known, ..*self };
                variable.value = Expression::parse(text)?.evaluate(&stand)?.text();
            }
            known.set(variable.clone());
            all.push(variable);
        }
        Ok(all)
    }

    /// How the things ended that this depends on: jobs of the same stage, or stages.
    fn before(&self, of: &[String]) -> Result<Vec<Outcome>, String> {
        let names = if of.is_empty() { self.depends_on } else { of };
        let mut all = Vec::new();
        for name in names {
            if !self.depends_on.contains(name) {
                return Err(format!("{name} is not among its dependencies"));
            }
            self.add(name, &mut all);
        }
        Ok(all)
    }

    /// With everything before it: `succeeded()` and its like look through the whole graph.
    fn add(&self, name: &str, all: &mut Vec<Outcome>) {
        match self.job {
            Some((stage, _)) => {
                let job = stage.jobs.iter().find(|job| job.name == name).expect("a job of the stage");
                all.push(self.job_outcome(&stage.name, name));
                job.depends_on.iter().for_each(|name| self.add(name, all));
            }
            None => {
                let stage = self.stages.iter().find(|(stage, _)| stage.name == name).expect("a stage");
                all.push(stage.1);
                stage.0.depends_on.iter().for_each(|name| self.add(name, all));
            }
        }
    }

    fn job_outcome(&self, stage: &str, job: &str) -> Outcome {
        self.ran(stage, job).map_or(Outcome::Skipped, |ran| ran.outcome)
    }

    fn ran(&self, stage: &str, job: &str) -> Option<&RanJob> {
        self.jobs.iter().find(|ran| ran.stage == stage && ran.job == job)
    }

    /// `step.variable` of a job; with the job's name before it when the whole stage is asked.
    fn output(&self, stage: &str, job: &str, name: &str) -> Result<Option<String>, String> {
        let ran = self.ran(stage, job).ok_or_else(|| format!("there is no job {job} in stage {stage}"))?;
        let name = match name.split_once('.') {
            Some((deployment, rest)) if ran.is_deployment && deployment == job => rest,
            _ if ran.is_deployment => {
                return Err(format!("an output of deployment job {job} is named {job}.<step>.<variable>"));
            }
            _ => name,
        };
        let step = name.split_once('.').map_or("", |(step, _)| step);
        if !ran.steps.iter().any(|known| known == step) {
            return Err(format!("there is no step {step} in job {job}"));
        }
        let result = ran.result.as_ref();
        Ok(result.and_then(|result| result.variable(name).map(str::to_owned)))
    }

    fn of_stage(&self, stage: &str, rest: &[String]) -> Result<Option<String>, String> {
        let ended = self.stages.iter().find(|(known, _)| known.name == stage);
        let (_, outcome) = ended.ok_or_else(|| format!("there is no stage {stage} before this"))?;
        match rest {
            [what] if what == "result" => Ok(Some(format!("{outcome:?}"))),
            [what, name] if what == "outputs" => {
                let (job, name) = name.split_once('.').ok_or_else(|| format!("{name} names no job"))?;
                self.output(stage, job, name)
            }
            _ => Err(format!("{} is not known here", rest.join("."))),
        }
    }

    fn of_job(&self, stage: &str, job: &str, rest: &[String]) -> Result<Option<String>, String> {
        match rest {
            [what] if what == "result" => Ok(Some(format!("{:?}", self.job_outcome(stage, job)))),
            [what, name] if what == "outputs" => self.output(stage, job, name),
            _ => Err(format!("{} is not known here", rest.join("."))),
        }
    }
}

impl Context for Stand<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.value(name).map(str::to_owned)
    }

    fn dependency(&self, path: &[String]) -> Result<Option<String>, String> {
        let named = |name: &String| {
            let known = self.depends_on.contains(name);
            if known { Ok(()) } else { Err(format!("{name} is not among its dependencies")) }
        };
        match (path, self.job) {
            ([root, name, rest @ ..], None) if root == "dependencies" => {
                named(name).and_then(|()| self.of_stage(name, rest))
            }
            ([root, name, rest @ ..], Some((stage, _))) if root == "dependencies" => {
                named(name).and_then(|()| self.of_job(&stage.name, name, rest))
            }
            ([root, stage, job, rest @ ..], Some((own, _))) if root == "stageDependencies" => {
                if !own.depends_on.contains(stage) {
                    return Err(format!("stage {stage} is not among the stage's dependencies"));
                }
                self.of_job(stage, job, rest)
            }
            _ => Err(format!("{} is not known here", path.join("."))),
        }
    }

    fn status(&self, function: Status, of: &[String]) -> Result<bool, String> {
        let before = self.before(of)?;
        let any = |outcome: Outcome| before.contains(&outcome);
        Ok(match function {
            // A dependency that was skipped has not succeeded.
            Status::Succeeded => before.iter().all(|outcome| *outcome <= Outcome::SucceededWithIssues),
            Status::Failed => any(Outcome::Failed),
            Status::SucceededOrFailed => !any(Outcome::Canceled),
            Status::Always => true,
            Status::Canceled => any(Outcome::Canceled),
        })
    }
}
