//! Azure Pipelines YAML: stages, jobs and steps, run one after the other on the world's agent.
//!
//! What it does not know it refuses, so that a pipeline is never half run. Triggers, pools and names are read over. Templates,
//! `strategy` and parameters are not known here.

mod document;
mod order;
mod run;
mod stand;
mod step;
mod trigger;
mod variables;

pub use run::{Change, PipelineRun, RanJob, Runner};
pub use trigger::Trigger;

use crate::agent::{Job, Step, Variable};
use crate::expression::Expression;

/// Why a pipeline cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// It is not such YAML.
    #[error("the pipeline cannot be read: {0}")]
    Yaml(String),
    /// A step is none, or several at once.
    #[error("step {0} must have exactly one of task, script, bash or checkout")]
    Step(usize),
    /// A condition, or a variable's `$[ … ]`, is not known here.
    #[error("expression {0}")]
    Expression(String),
    /// The pipeline has no stages, jobs or steps, or several of them side by side.
    #[error("a pipeline has exactly one of stages, jobs and steps")]
    Shape,
    /// A name is there twice, or a dependency is not there.
    #[error("{0}")]
    Name(String),
}

/// A pipeline as it was read.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub(crate) variables: Vec<Variable>,
    pub(crate) stages: Vec<Stage>,
}

/// A stage; pipelines without stages have one, named `__default`.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) depends_on: Vec<String>,
    pub(crate) condition: Expression,
    pub(crate) variables: Vec<Variable>,
    pub(crate) jobs: Vec<PipelineJob>,
}

/// A job of a stage.
#[derive(Debug, Clone)]
pub(crate) struct PipelineJob {
    pub(crate) name: String,
    pub(crate) depends_on: Vec<String>,
    pub(crate) condition: Expression,
    pub(crate) continue_on_error: bool,
    /// A deployment job's outputs have its own name before the step's.
    pub(crate) is_deployment: bool,
    pub(crate) variables: Vec<Variable>,
    pub(crate) steps: Vec<Step>,
}

impl Pipeline {
    /// Reads a pipeline file's text.
    ///
    /// # Errors
    /// When it is not YAML, or has parts that are not known here.
    pub fn parse(yaml: &str) -> Result<Self, PipelineError> {
        let pipeline = document::read(yaml)?;
        order::check(&pipeline)?;
        Ok(pipeline)
    }
}

/// Reads a pipeline file's text as the one job that it has.
///
/// # Errors
/// When it is not YAML, has parts that are not known here, or several jobs.
pub fn parse(yaml: &str) -> Result<Job, PipelineError> {
    let Pipeline { mut variables, stages } = Pipeline::parse(yaml)?;
    let mut jobs = stages.into_iter().flat_map(|stage| stage.jobs);
    let (Some(job), None) = (jobs.next(), jobs.next()) else {
        return Err(PipelineError::Name("the pipeline has several jobs: run it as a pipeline".to_owned()));
    };
    variables.extend(job.variables);
    Ok(Job { variables, steps: job.steps, watches_machine: false })
}
