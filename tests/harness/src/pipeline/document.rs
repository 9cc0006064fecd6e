//! The file's own structure. Every key that is not named here is refused.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::step::{RawStep, steps};
use super::variables::{Names, VariableBlock};
use super::{Pipeline, PipelineError, PipelineJob, Stage};
use crate::expression::{Expression, runtime};

/// The name of the stage, and of the job, that a file leaves out.
const UNNAMED: &str = "__default";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    #[serde(default)]
    variables: VariableBlock,
    stages: Option<Vec<RawStage>>,
    jobs: Option<Vec<RawJob>>,
    steps: Option<Vec<RawStep>>,
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
struct RawStage {
    stage: String,
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    display_name: Option<String>,
    depends_on: Option<Names>,
    #[serde(default)]
    condition: String,
    #[serde(default)]
    variables: VariableBlock,
    jobs: Vec<RawJob>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawJob {
    job: Option<String>,
    deployment: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    display_name: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "approvals are none of the agent's work")]
    environment: Option<String>,
    depends_on: Option<Names>,
    #[serde(default)]
    condition: String,
    #[serde(default)]
    continue_on_error: bool,
    #[serde(default)]
    variables: VariableBlock,
    steps: Option<Vec<RawStep>>,
    strategy: Option<RawStrategy>,
    #[serde(default)]
    #[allow(dead_code, reason = "keys that say nothing about how steps run")]
    pool: Option<IgnoredAny>,
    #[serde(default)]
    #[allow(dead_code, reason = "each step of a test has its own")]
    timeout_in_minutes: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawStrategy {
    run_once: RunOnce,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunOnce {
    deploy: Deploy,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deploy {
    steps: Vec<RawStep>,
}

pub(super) fn read(yaml: &str) -> Result<Pipeline, PipelineError> {
    let document: Document =
        serde_saphyr::from_str(yaml).map_err(|error| PipelineError::Yaml(error.to_string()))?;
    if yaml.contains("${{") {
        return Err(PipelineError::Expression("${{ … }} is not known here".to_owned()));
    }
    let stages = match (document.stages, document.jobs, document.steps) {
        (Some(stages), None, None) => read_stages(stages)?,
        (None, Some(jobs), None) => vec![only_stage(read_jobs(jobs)?)],
        (None, None, Some(raw)) => vec![only_stage(vec![only_job(raw)?])],
        _ => return Err(PipelineError::Shape),
    };
    Ok(Pipeline { variables: checked(document.variables)?, stages })
}

/// A stage waits for the one before it, unless it says for which.
fn read_stages(raw: Vec<RawStage>) -> Result<Vec<Stage>, PipelineError> {
    let mut stages: Vec<Stage> = Vec::new();
    for raw in raw {
        let before = stages.last().map(|stage| stage.name.clone()).into_iter().collect();
        stages.push(Stage {
            name: raw.stage,
            depends_on: raw.depends_on.map_or(before, |names| names.0),
            condition: condition(&raw.condition)?,
            variables: checked(raw.variables)?,
            jobs: read_jobs(raw.jobs)?,
        });
    }
    Ok(stages)
}

fn read_jobs(raw: Vec<RawJob>) -> Result<Vec<PipelineJob>, PipelineError> {
    raw.into_iter().map(read_job).collect()
}

fn read_job(raw: RawJob) -> Result<PipelineJob, PipelineError> {
    let (name, is_deployment, raw_steps) = match (raw.job, raw.deployment, raw.steps, raw.strategy) {
        (Some(name), None, Some(steps), None) => (name, false, steps),
        (None, Some(name), None, Some(strategy)) => (name, true, strategy.run_once.deploy.steps),
        _ => {
            let message = "a job has a name and steps; a deployment has a name and strategy.runOnce.deploy.steps";
            return Err(PipelineError::Name(message.to_owned()));
        }
    };
    Ok(PipelineJob {
        name,
        depends_on: raw.depends_on.map(|names| names.0).unwrap_or_default(),
        condition: condition(&raw.condition)?,
        continue_on_error: raw.continue_on_error,
        is_deployment,
        variables: checked(raw.variables)?,
        steps: steps(raw_steps)?,
    })
}

fn only_stage(jobs: Vec<PipelineJob>) -> Stage {
    Stage {
        name: UNNAMED.to_owned(),
        depends_on: Vec::new(),
        condition: Expression::succeeded(),
        variables: Vec::new(),
        jobs,
    }
}

fn only_job(raw: Vec<RawStep>) -> Result<PipelineJob, PipelineError> {
    Ok(PipelineJob {
        name: UNNAMED.to_owned(),
        depends_on: Vec::new(),
        condition: Expression::succeeded(),
        continue_on_error: false,
        is_deployment: false,
        variables: Vec::new(),
        steps: steps(raw)?,
    })
}

fn condition(text: &str) -> Result<Expression, PipelineError> {
    if text.trim().is_empty() {
        return Ok(Expression::succeeded());
    }
    Expression::parse(text).map_err(PipelineError::Expression)
}

/// That every `$[ … ]` is understood.
fn checked(block: VariableBlock) -> Result<Vec<crate::agent::Variable>, PipelineError> {
    for variable in &block.0 {
        match runtime(&variable.value) {
            Some(text) => drop(Expression::parse(text).map_err(PipelineError::Expression)?),
            None if variable.value.contains("$[") => {
                let message = format!("\"{}\" has $[ … ] beside other text", variable.value);
                return Err(PipelineError::Expression(message));
            }
            None => {}
        }
    }
    Ok(block.0)
}
