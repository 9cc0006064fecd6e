//! Azure Pipelines YAML: variables and steps of one job.
//!
//! What it does not know it refuses, so that a pipeline is never half run. Triggers, pools and names are read over.

mod variables;

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::agent::{Action, Condition, Job, Step};
use variables::{Pairs, VariableBlock};

/// Why a pipeline cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// It is not such YAML.
    #[error("the pipeline cannot be read: {0}")]
    Yaml(String),
    /// A step is none, or several at once.
    #[error("step {0} must have exactly one of task, script, bash or checkout")]
    Step(usize),
    /// A condition is not one of the few that are known.
    #[error("condition \"{0}\" is not known here: succeeded(), failed(), succeededOrFailed(), always()")]
    Condition(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    #[serde(default)]
    variables: VariableBlock,
    steps: Vec<RawStep>,
    #[serde(default)]
    #[allow(dead_code, reason = "keys that say nothing about how steps run")]
    name: Option<IgnoredAny>,
    #[serde(default)]
    #[allow(dead_code, reason = "as above")]
    trigger: Option<IgnoredAny>,
    #[serde(default)]
    #[allow(dead_code, reason = "as above")]
    pr: Option<IgnoredAny>,
    #[serde(default)]
    #[allow(dead_code, reason = "as above")]
    pool: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawStep {
    task: Option<String>,
    script: Option<String>,
    bash: Option<String>,
    checkout: Option<String>,
    #[serde(default)]
    inputs: Pairs,
    #[serde(default)]
    env: Pairs,
    name: Option<String>,
    display_name: Option<String>,
    #[serde(default)]
    condition: String,
    #[serde(default)]
    continue_on_error: bool,
    enabled: Option<bool>,
    working_directory: Option<String>,
    #[serde(default)]
    fail_on_stderr: bool,
    #[serde(default)]
    retry_count_on_task_failure: u32,
    timeout_in_minutes: Option<u64>,
}

/// Reads a pipeline file's text as a job.
///
/// # Errors
/// When it is not YAML, or has parts that are not known here.
pub fn parse(yaml: &str) -> Result<Job, PipelineError> {
    let document: Document =
        serde_saphyr::from_str(yaml).map_err(|error| PipelineError::Yaml(error.to_string()))?;
    let mut steps = Vec::new();
    for (index, raw) in document.steps.into_iter().enumerate() {
        if raw.enabled.unwrap_or(true) {
            steps.extend(step(index + 1, raw)?);
        }
    }
    Ok(Job { variables: document.variables.0, steps })
}

/// `None` for `checkout`, which has nothing to do here.
fn step(number: usize, raw: RawStep) -> Result<Option<Step>, PipelineError> {
    let condition = Condition::parse(&raw.condition).ok_or(PipelineError::Condition(raw.condition))?;
    let action = match (raw.task, raw.script.or(raw.bash), raw.checkout) {
        (None, None, Some(_)) => return Ok(None),
        (Some(reference), None, None) => Action::Task { reference, inputs: raw.inputs.0 },
        (None, Some(text), None) => Action::Script {
            text,
            working_directory: raw.working_directory,
            fail_on_stderr: raw.fail_on_stderr,
        },
        _ => return Err(PipelineError::Step(number)),
    };
    Ok(Some(Step {
        name: raw.name,
        display_name: raw.display_name,
        condition,
        continue_on_error: raw.continue_on_error,
        env: raw.env.0,
        retries: raw.retry_count_on_task_failure,
        timeout: Duration::from_secs(raw.timeout_in_minutes.unwrap_or(2) * 60),
        cancel: None,
        action,
    }))
}
