use std::time::Duration;

use serde::Deserialize;

use super::PipelineError;
use super::variables::Pairs;
use crate::agent::{Action, Condition, Step};

/// A step as it stands in the file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawStep {
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

/// Reads the steps that are enabled.
pub(super) fn steps(raw: Vec<RawStep>) -> Result<Vec<Step>, PipelineError> {
    let mut steps = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        if raw.enabled.unwrap_or(true) {
            steps.extend(step(index + 1, raw)?);
        }
    }
    Ok(steps)
}

/// `None` for `checkout`, which has nothing to do here.
fn step(number: usize, raw: RawStep) -> Result<Option<Step>, PipelineError> {
    let condition = Condition::parse(&raw.condition).map_err(PipelineError::Expression)?;
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
