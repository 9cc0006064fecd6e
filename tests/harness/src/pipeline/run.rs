use super::stand::Stand;
use super::{Pipeline, PipelineJob, Stage, Trigger};
use crate::agent::{Job, JobResult, Outcome, Variable, Variables};
use crate::leak::{Leak, Secrets};
use crate::world::World;

/// Changes a job, by its name, before it begins.
pub type Change<'a> = Box<dyn Fn(&str, &mut Job) + 'a>;

/// Runs a pipeline on a world's agent, job after job, and looks for secrets after each.
pub struct Runner<'a> {
    /// Where it runs.
    pub world: &'a World,
    /// What began it.
    pub trigger: Trigger,
    /// Changes a job, by its name, before it begins.
    pub change: Option<Change<'a>>,
}

/// How a pipeline went.
#[derive(Debug)]
pub struct PipelineRun {
    /// How it ended.
    pub outcome: Outcome,
    /// Its stages by name, in order.
    pub stages: Vec<(String, Outcome)>,
    /// Its jobs, in order.
    pub jobs: Vec<RanJob>,
    /// The secrets that were found after its jobs.
    pub leaks: Vec<Leak>,
}

/// How a job of it went.
#[derive(Debug)]
pub struct RanJob {
    /// Its stage.
    pub stage: String,
    /// Its name.
    pub job: String,
    /// How it ended for what depends on it.
    pub outcome: Outcome,
    /// `None` when it was skipped.
    pub result: Option<JobResult>,
    pub(super) is_deployment: bool,
    /// The names of its steps.
    pub(super) steps: Vec<String>,
}

impl Runner<'_> {
    /// Runs it to its end.
    ///
    /// # Panics
    /// When an expression asks for what is not there, or the server or the agent would not begin a job.
    #[must_use]
    pub fn run(&self, pipeline: &Pipeline) -> PipelineRun {
        let mut run = PipelineRun {
            outcome: Outcome::Succeeded,
            stages: Vec::new(),
            jobs: Vec::new(),
            leaks: Vec::new(),
        };
        let mut ended: Vec<(&Stage, Outcome)> = Vec::new();
        for stage in &pipeline.stages {
            let outcome = self.stage(pipeline, stage, &ended, &mut run);
            if outcome != Outcome::Skipped {
                run.outcome = run.outcome.max(outcome);
            }
            ended.push((stage, outcome));
            run.stages.push((stage.name.clone(), outcome));
        }
        run
    }

    fn stage(
        &self,
        pipeline: &Pipeline,
        stage: &Stage,
        ended: &[(&Stage, Outcome)],
        run: &mut PipelineRun,
    ) -> Outcome {
        let mut variables = self.server_variables();
        let given: Vec<Variable> = pipeline.variables.iter().chain(&stage.variables).cloned().collect();
        let stand = Stand {
            stages: ended,
            jobs: &run.jobs,
            job: None,
            depends_on: &stage.depends_on,
            variables: &variables.clone(),
        };
        // Stage variables may ask for stageDependencies, which only its jobs know: they are carried out there.
        let plain = given.iter().filter(|variable| crate::expression::runtime(&variable.value).is_none());
        plain.cloned().for_each(|variable| variables.set(variable));
        let stand = Stand { variables: &variables, ..stand };
        let runs =
            stage.condition.holds(&stand).unwrap_or_else(|error| panic!("stage {}: {error}", stage.name));
        let mut outcome = if runs { Outcome::Succeeded } else { Outcome::Skipped };
        let mut skipped = 0;
        for job in &stage.jobs {
            let ran = self.job(runs, (stage, job), &given, ended, run);
            skipped += usize::from(ran.outcome == Outcome::Skipped);
            if runs && ran.outcome != Outcome::Skipped {
                outcome = outcome.max(ran.outcome);
            }
            run.jobs.push(ran);
        }
        if skipped == stage.jobs.len() { Outcome::Skipped } else { outcome }
    }

    fn job(
        &self,
        stage_runs: bool,
        (stage, job): (&Stage, &PipelineJob),
        given: &[Variable],
        ended: &[(&Stage, Outcome)],
        run: &mut PipelineRun,
    ) -> RanJob {
        let variables = self.server_variables();
        let stand = Stand {
            stages: ended,
            jobs: &run.jobs,
            job: Some((stage, job)),
            depends_on: &job.depends_on,
            variables: &variables,
        };
        let failed = |error: String| -> ! { panic!("job {}: {error}", job.name) };
        let mut result = None;
        if stage_runs {
            let all: Vec<Variable> = given.iter().chain(&job.variables).cloned().collect();
            let own = stand.carried_out(&all).unwrap_or_else(|error| failed(error));
            let mut known = variables.clone();
            own.iter().cloned().for_each(|variable| known.set(variable));
            let stand = Stand { variables: &known, ..stand };
            if job.condition.holds(&stand).unwrap_or_else(|error| failed(error)) {
                result = Some(self.run_job(stage, job, own, &mut run.leaks));
            }
        }
        let outcome = result.as_ref().map_or(Outcome::Skipped, |result| result.outcome);
        let forgiven = job.continue_on_error && outcome == Outcome::Failed;
        RanJob {
            stage: stage.name.clone(),
            job: job.name.clone(),
            outcome: if forgiven { Outcome::SucceededWithIssues } else { outcome },
            result,
            is_deployment: job.is_deployment,
            steps: job.steps.iter().filter_map(|step| step.name.clone()).collect(),
        }
    }

    fn run_job(
        &self,
        stage: &Stage,
        job: &PipelineJob,
        own: Vec<Variable>,
        leaks: &mut Vec<Leak>,
    ) -> JobResult {
        let names = [
            ("System.StageName", &stage.name),
            ("System.JobName", &job.name),
            ("System.PhaseName", &job.name),
        ];
        let mut variables: Vec<Variable> =
            names.iter().map(|(name, value)| Variable::public(name, value)).collect();
        variables.extend(own);
        // What is set when a run is queued wins over what stands in the file.
        variables.extend(self.trigger.variables.iter().cloned());
        let mut job_to_run = Job { variables, steps: job.steps.clone(), watches_machine: true };
        if let Some(change) = &self.change {
            change(&job.name, &mut job_to_run);
        }
        let result = self.world.run_job(job_to_run);
        leaks.extend(self.secrets().search(&result));
        result
    }

    fn secrets(&self) -> Secrets {
        let mut secrets = self.world.secrets();
        for variable in self.trigger.variables.iter().filter(|variable| variable.secret) {
            secrets.add_for(&variable.name, &variable.value, crate::leak::Holder::ScriptSteps);
        }
        secrets
    }

    /// What conditions know before any file is read.
    fn server_variables(&self) -> Variables {
        let mut variables = Variables::default();
        let all = self.world.variables.iter().chain(&self.trigger.variables);
        all.cloned().for_each(|variable| variables.set(variable));
        variables
    }
}

impl PipelineRun {
    /// A job that ran, as `stage.job` or `job`.
    ///
    /// # Panics
    /// When there is none, or it was skipped.
    #[must_use]
    pub fn job(&self, name: &str) -> &JobResult {
        let found = self.find(name);
        found.result.as_ref().unwrap_or_else(|| panic!("job {name} was skipped"))
    }

    /// How a job ended.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    pub fn outcome_of(&self, name: &str) -> Outcome {
        self.find(name).outcome
    }

    /// How a stage ended.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    pub fn stage(&self, name: &str) -> Outcome {
        let found = self.stages.iter().find(|(stage, _)| stage == name);
        found.unwrap_or_else(|| panic!("no stage {name}")).1
    }

    /// The results of the jobs that ran.
    pub fn results(&self) -> impl Iterator<Item = &JobResult> {
        self.jobs.iter().filter_map(|job| job.result.as_ref())
    }

    /// The whole masked log.
    #[must_use]
    pub fn log(&self) -> String {
        self.results().map(JobResult::log).collect()
    }

    fn find(&self, name: &str) -> &RanJob {
        let fits = |ran: &&RanJob| ran.job == name || format!("{}.{}", ran.stage, ran.job) == name;
        self.jobs.iter().find(fits).unwrap_or_else(|| panic!("no job {name}"))
    }
}
