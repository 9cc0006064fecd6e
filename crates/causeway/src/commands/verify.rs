use anyhow::Result;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "verify";

/// Says who the step is for AWS and what the job's token claims. Both are told while the identity is resolved, so that
/// the claims stand in the log even when AWS refuses them.
struct Verify;

pub(super) fn plan(_step: &Step) -> Result<Box<dyn Command>> {
    Ok(Box::new(Verify))
}

#[async_trait]
impl Command for Verify {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tells_claims(&self) -> bool {
        true
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let caller = causeway_identity::caller(&signed_in.config, &signed_in.session.key).await?;
        step.console().info(&format!("AWS confirms the caller: {}", caller.arn));
        Ok(())
    }
}
