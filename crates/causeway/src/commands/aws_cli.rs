use std::ffi::OsString;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use causeway_agent::InputError;
use tokio_util::sync::CancellationToken;

use super::Command;
use super::run_program::Work;
use super::script::{folder, split};
use crate::child::{Program, Tool, WIND_DOWN};
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "awsCli";

/// Runs one command of the AWS CLI.
struct AwsCli(Work);

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    inputs.required("awsCommand")?;
    let mut words = Vec::new();
    for name in ["awsCommand", "awsSubCommand", "awsArguments"] {
        words.extend(split(&inputs, name)?);
    }
    if words.first().is_some_and(|word| word == "aws") {
        // People write the whole line.
        words.remove(0);
    }
    let Some(service) = words.first() else {
        return Err(InputError::Missing { name: "awsCommand", context: "" }.into());
    };
    let program = Program {
        described: format!("aws {service}"),
        file: Tool::Aws.find()?,
        arguments: words.iter().map(OsString::from).collect(),
        raw_arguments: None,
        folder: folder(&inputs, None)?,
        fail_on_standard_error: inputs.flag("failOnStandardError", false)?,
    };
    Ok(Box::new(AwsCli(Work { program, script: None, refresh: inputs.flag("refresh", false)? })))
}

#[async_trait]
impl Command for AwsCli {
    fn name(&self) -> &'static str {
        NAME
    }

    fn winds_down(&self) -> bool {
        true
    }

    fn wind_down_time(&self) -> Duration {
        WIND_DOWN
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, cancel: &CancellationToken) -> Result<()> {
        self.0.run(step, signed_in, cancel).await
    }
}
