use anyhow::Result;
use async_trait::async_trait;
use causeway_agent::Console;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "assumeRole";

/// Exports the credentials to the job's later steps.
struct AssumeRole;

#[derive(Clone, Copy)]
enum Export {
    Environment,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let _: Option<Export> = step.inputs().choice("exportAs", &[("environment", Export::Environment)])?;
    Ok(Box::new(AssumeRole))
}

#[async_trait]
impl Command for AssumeRole {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        let key = &signed_in.session.key;
        export_masked(console, "AWS_ACCESS_KEY_ID", &SecretString::from(key.id.as_str()));
        export_masked(console, "AWS_SECRET_ACCESS_KEY", &key.secret);
        match &key.session_token {
            Some(token) => export_masked(console, "AWS_SESSION_TOKEN", token),
            // An earlier step's token does not go with this key.
            None => console.set_variable("AWS_SESSION_TOKEN", ""),
        }
        let region = signed_in.region.as_str();
        console.set_variable("AWS_REGION", region);
        console.set_variable("AWS_DEFAULT_REGION", region);
        console.info(
            "Later steps of this job have AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and AWS_DEFAULT_REGION in their environment.",
        );
        Ok(())
    }
}

/// Not as a secret variable: those do not reach the environment of scripts. The mask hides it in logs all the same.
fn export_masked(console: &Console, name: &str, value: &SecretString) {
    let masked = console.mask(value);
    console.set_masked_variable(name, &masked);
}
