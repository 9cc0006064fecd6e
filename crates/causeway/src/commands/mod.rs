//! One file a command: its inputs become a plan, the plan is carried out, what came of it goes into variables.

mod assume_role;
mod aws_cli;
mod ecr_login;
mod ecr_pull;
mod ecr_push;
mod ecr_retag;
mod get_parameters;
mod get_secrets;
mod put_parameter;
mod put_secret;
mod run_program;
mod s3;
mod s3_download;
mod s3_upload;
mod script;
mod verify;

use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use causeway_agent::InputError;
use causeway_identity::{Claims, RoleRequest};
use tokio_util::sync::CancellationToken;

use crate::step::{SignedIn, Step};

/// How long a cancelled command may take to put things in order: the agent sends SIGTERM 7.5 seconds after SIGINT, and ends the
/// step 2.5 seconds later.
const WIND_DOWN: Duration = Duration::from_secs(6);

/// What the step is to do, checked and ready.
#[async_trait]
pub(crate) trait Command: Sync {
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

    /// Hears what the job's OIDC token claims, and which role it is for, before AWS is asked (after, where the step has
    /// no use for the token itself).
    fn token_known(&self, _step: &Step, _claims: &Claims, _role: &RoleRequest) {}

    /// What it found out by itself of why AWS would refuse the token, in sentences.
    fn verdict(&self) -> Option<String> {
        None
    }

    /// Whether it has something to put in order when the step is cancelled: then it is given the time to, and listens to
    /// the `cancel` of [`Command::execute`].
    fn winds_down(&self) -> bool {
        false
    }

    /// How long it is given for that.
    fn wind_down_time(&self) -> Duration {
        WIND_DOWN
    }

    /// Whether its work may take longer than a session lasts, so that its credentials must be renewed meanwhile.
    fn outlives_sessions(&self) -> bool {
        false
    }

    /// Does it.
    async fn execute(&self, step: &Step, signed_in: &SignedIn, cancel: &CancellationToken) -> Result<()>;
}

/// From the inputs to a checked command.
type Planner = fn(&Step) -> Result<Box<dyn Command>>;

/// Every command by its name. A new one is a file beside this and a line here.
const COMMANDS: [(&str, Planner); 14] = [
    (verify::NAME, verify::plan),
    (assume_role::NAME, assume_role::plan),
    (script::NAME, script::plan),
    (aws_cli::NAME, aws_cli::plan),
    (get_parameters::NAME, get_parameters::plan),
    (put_parameter::NAME, put_parameter::plan),
    (get_secrets::NAME, get_secrets::plan),
    (put_secret::NAME, put_secret::plan),
    (ecr_login::NAME, ecr_login::plan),
    (ecr_push::NAME, ecr_push::plan),
    (ecr_pull::NAME, ecr_pull::plan),
    (ecr_retag::NAME, ecr_retag::plan),
    (s3_upload::NAME, s3_upload::plan),
    (s3_download::NAME, s3_download::plan),
];

/// Reads input `command` and the inputs that belong to it.
pub(crate) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let planner = step.inputs().choice("command", &COMMANDS)?;
    planner.ok_or(InputError::Missing { name: "command", context: "" })?(step)
}
