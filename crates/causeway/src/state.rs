use anyhow::{Context, Result};
use causeway_registry::LoginReceipt;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::step::Step;

/// The task variable that carries this from the main step to the post-job step.
const VARIABLE: &str = "CAUSEWAY_STATE";

/// What the post-job step has to remove. It names places, never secrets.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct State {
    /// Docker configurations that hold a login of ours.
    pub(crate) docker_logins: Vec<DockerLogin>,
    /// Files that hold a secret.
    pub(crate) files: Vec<PathBuf>,
    /// Profiles whose brokers are to end.
    pub(crate) profiles: Vec<String>,
    /// Whether the step uses the job's folder.
    pub(crate) job_folder: bool,
    /// Variables of the job that lead to its credentials.
    pub(crate) variables: Vec<String>,
}

/// A docker configuration folder, and what we put into it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DockerLogin {
    pub(crate) folder: PathBuf,
    pub(crate) receipt: LoginReceipt,
}

impl State {
    /// What an earlier run of this step left: none, or the first attempt where the agent retries a failed task.
    pub(crate) fn load(step: &Step) -> Result<Self> {
        match step.variables().of_task(VARIABLE) {
            None => Ok(Self::default()),
            Some(text) => {
                serde_json::from_str(text).context("the state that the main step left cannot be read")
            }
        }
    }

    /// Hands it to the post-job step. Done before the thing itself is made, so that nothing can stay behind.
    pub(crate) fn save(&self, step: &Step) -> Result<()> {
        step.console().set_task_variable(VARIABLE, &serde_json::to_string(self)?);
        Ok(())
    }
}
