use std::collections::BTreeMap;

use causeway_identity::trust::TrustedIdentity;
use causeway_types::ServiceError;
use uuid::Uuid;

use super::trust;
use crate::aws::{self, AccountState, AwsAccount};
use crate::azure_devops::{AzureDevOps, AzureDevOpsError, Endpoint, Place};
use crate::file::{Account, ConnectionKind, Setup, Tenant};

/// What Azure DevOps has.
#[derive(Debug, Clone)]
pub struct AzureDevOpsState {
    /// Organization and project.
    pub place: Place,
    /// Every service connection of the project.
    pub endpoints: Vec<Endpoint>,
    /// Connection types that the file needs and the organization has not.
    pub missing_types: Vec<ConnectionKind>,
    /// The connections that every pipeline may use, of those that are to be open.
    pub open: Vec<Uuid>,
}

/// What there is, on both sides.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Azure DevOps.
    pub azure_devops: AzureDevOpsState,
    /// The accounts, by the file's names for them.
    pub accounts: BTreeMap<String, AccountState>,
}

/// Looks at Azure DevOps.
///
/// # Errors
/// [`AzureDevOpsError`] of the first call that was refused.
pub async fn observe_azure_devops(
    client: &AzureDevOps,
    setup: &Setup,
) -> Result<AzureDevOpsState, AzureDevOpsError> {
    let place = client.place(&setup.project).await?;
    let endpoints = client.endpoints(place.project_id).await?;
    let mut missing_types = Vec::new();
    for kind in [ConnectionKind::Causeway, ConnectionKind::Aws] {
        let needed = setup.connections.iter().any(|connection| connection.kind == kind);
        if needed && !client.has_type(kind.name()).await? {
            missing_types.push(kind);
        }
    }
    let mut state = AzureDevOpsState { place, endpoints, missing_types, open: Vec::new() };
    for connection in setup.connections.iter().filter(|connection| connection.all_pipelines) {
        if let Some(found) = state.endpoint(&connection.name) {
            let id = found.id;
            if client.is_open_to_all(id, state.place.project_id).await? {
                state.open.push(id);
            }
        }
    }
    Ok(state)
}

/// Looks at one account.
///
/// # Errors
/// [`ServiceError`] of the first call that was refused.
pub async fn observe_account(
    client: &AwsAccount,
    setup: &Setup,
    place: &Place,
    account: &Account,
) -> Result<AccountState, ServiceError> {
    let issuers = trust::issuers(setup, place);
    let providers: Vec<String> = issuers.iter().map(|issuer| account.provider_arn(issuer)).collect();
    let roles: Vec<String> = setup.roles_of(&account.alias).map(|role| role.arn.name().to_owned()).collect();
    aws::observe(client, &providers, &roles).await
}

impl AzureDevOpsState {
    /// The connection of this name; Azure DevOps takes two cases of a name for one.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name.to_lowercase() == name.to_lowercase())
    }
}

impl Observed {
    /// An account; one that has nothing yet is empty.
    #[must_use]
    pub fn account(&self, alias: &str) -> AccountState {
        self.accounts.get(alias).cloned().unwrap_or_default()
    }

    /// The identities of a connection, old issuer first.
    #[must_use]
    pub fn identities(&self, setup: &Setup, connection: &str) -> Vec<TrustedIdentity> {
        trust::identities(setup, &self.azure_devops, connection)
    }
}

/// The tenant whose issuer is trusted too.
pub(crate) fn tenant(setup: &Setup, place: &Place) -> Option<Uuid> {
    match setup.tenant {
        Tenant::Detect => place.tenant,
        Tenant::None => None,
        Tenant::Is(tenant) => Some(tenant),
    }
}
