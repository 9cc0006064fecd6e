//! One file a command: its inputs become a plan, the plan is carried out, what came of it goes into variables.

mod assume_role;
mod ecr_login;
mod get_parameters;
mod s3_upload;
mod verify;

use anyhow::Result;
use async_trait::async_trait;
use causeway_agent::InputError;
use tokio_util::sync::CancellationToken;

use crate::step::{SignedIn, Step};

/// What the step is to do, checked and ready.
#[async_trait]
pub(crate) trait Command {
    /// The value of input `command`.
    fn name(&self) -> &'static str;

    /// Threads for the work; one for a few calls one after the other.
    fn threads(&self) -> usize {
        1
    }

    /// Whether the log shows what the job's OIDC token claims.
    fn tells_claims(&self) -> bool {
        false
    }

    /// Whether it has something to put in order when the step is cancelled: then it is given the time to, and listens to
    /// the `cancel` of [`Command::execute`].
    fn winds_down(&self) -> bool {
        false
    }

    /// Does it.
    async fn execute(&self, step: &Step, signed_in: &SignedIn, cancel: &CancellationToken) -> Result<()>;
}

/// From the inputs to a checked command.
type Planner = fn(&Step) -> Result<Box<dyn Command>>;

/// Every command by its name. A new one is a file beside this and a line here.
const COMMANDS: [(&str, Planner); 5] = [
    (verify::NAME, verify::plan),
    (assume_role::NAME, assume_role::plan),
    (get_parameters::NAME, get_parameters::plan),
    (ecr_login::NAME, ecr_login::plan),
    (s3_upload::NAME, s3_upload::plan),
];

/// Reads input `command` and the inputs that belong to it.
pub(crate) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let planner = step.inputs().choice("command", &COMMANDS)?;
    planner.ok_or(InputError::Missing { name: "command", context: "" })?(step)
}
