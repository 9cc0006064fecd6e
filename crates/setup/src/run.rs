//! Carrying out a plan, one call after the other; the first that fails ends it.

use std::collections::BTreeMap;

use causeway_types::ServiceError;

use crate::aws::AwsAccount;
use crate::azure_devops::{AzureDevOps, AzureDevOpsError};
use crate::plan::{Action, AzureDevOpsAction, AzureDevOpsState, Plan, Step, trust};

/// Connections to both sides.
#[derive(Debug)]
pub struct Clients {
    /// Azure DevOps.
    pub azure_devops: AzureDevOps,
    /// The accounts, by the file's names for them.
    pub accounts: BTreeMap<String, AwsAccount>,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Azure DevOps refused it.
    #[error(transparent)]
    AzureDevOps(#[from] AzureDevOpsError),
    /// AWS refused it.
    #[error(transparent)]
    Aws(#[from] ServiceError),
    /// The step names something that is not there.
    #[error("{0}")]
    Missing(String),
}

/// A plan that ended half-way: what was done stays done, and running it again goes on from there.
#[derive(Debug, thiserror::Error)]
#[error("{} {}", failed.subject, failed.part)]
pub struct Stopped {
    /// How many steps were done.
    pub done: usize,
    /// The step that failed.
    pub failed: Box<Step>,
    /// Why.
    #[source]
    pub error: StepError,
}

/// Somebody who watches.
pub trait Progress {
    /// Step `number` (from 1) of `all` begins.
    fn begins(&mut self, number: usize, all: usize, step: &Step);
    /// It is done.
    fn done(&mut self, step: &Step);
}

/// Carries out a plan.
///
/// # Errors
/// [`Stopped`] at the first step that fails.
pub async fn run(
    clients: &Clients,
    state: &AzureDevOpsState,
    plan: &Plan,
    progress: &mut impl Progress,
) -> Result<(), Stopped> {
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (done, step) in plan.steps.iter().enumerate() {
        progress.begins(done + 1, plan.steps.len(), step);
        let ended = match &step.action {
            Action::AzureDevOps(action) => azure(clients, state, action, &mut ids).await,
            Action::Aws { account, action } => match clients.accounts.get(account) {
                Some(client) => {
                    client.carry_out(&action.clone().with_ids(&ids)).await.map_err(StepError::from)
                }
                None => Err(StepError::Missing(format!("there are no credentials for account {account}"))),
            },
        };
        ended.map_err(|error| Stopped { done, failed: Box::new(step.clone()), error })?;
        progress.done(step);
    }
    Ok(())
}

async fn azure(
    clients: &Clients,
    state: &AzureDevOpsState,
    action: &AzureDevOpsAction,
    ids: &mut BTreeMap<String, String>,
) -> Result<(), StepError> {
    let (client, project) = (&clients.azure_devops, state.place.project_id);
    match action {
        AzureDevOpsAction::Create { name, body } => {
            let id = client.create(body.clone()).await?;
            ids.insert(trust::pending_id(name).to_string(), id.to_string());
        }
        AzureDevOpsAction::Update { id, body } => client.update(*id, body.clone()).await?,
        AzureDevOpsAction::Delete { id } => client.delete(*id, project).await?,
        AzureDevOpsAction::OpenToAll { name } => {
            let made = ids.get(&trust::pending_id(name).to_string()).and_then(|id| id.parse().ok());
            let id = made.or_else(|| state.endpoint(name).map(|endpoint| endpoint.id));
            let id = id.ok_or_else(|| StepError::Missing(format!("connection {name} is not there")))?;
            client.open_to_all(id, project).await?;
        }
    }
    Ok(())
}
