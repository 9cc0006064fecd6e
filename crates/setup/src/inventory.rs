//! The AWS connections that a project has already, and how they authenticate.

use serde::Serialize;

use crate::azure_devops::Endpoint;
use crate::file::Setup;

/// How a connection authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// By the job's OIDC token.
    Federated,
    /// By a stored access key.
    AccessKey,
    /// By a stored key, though OIDC is ticked.
    Contradictory,
    /// By what the agent's machine has.
    Agent,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its GUID.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How it authenticates.
    pub authentication: Authentication,
    /// Whether it stores a key that stays good until somebody deletes it: ids of temporary keys begin with `ASIA`.
    pub long_lived_key: bool,
    /// The id of its access key.
    pub access_key: Option<String>,
    /// The role that it names.
    pub role: Option<String>,
    /// Whether this set-up made or converted it.
    pub managed: bool,
    /// Whether it can be used.
    pub ready: bool,
}

/// The connections of the types `Causeway` and `AWS`, by name.
#[must_use]
pub fn list(setup: &Setup, endpoints: &[Endpoint]) -> Vec<Entry> {
    let ours = |endpoint: &&Endpoint| ["AWS", "Causeway"].contains(&endpoint.kind.as_str());
    let mut entries: Vec<Entry> =
        endpoints.iter().filter(ours).map(|endpoint| entry(setup, endpoint)).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

fn entry(setup: &Setup, endpoint: &Endpoint) -> Entry {
    let key = endpoint.access_key();
    let authentication = match (key, endpoint.is_federated()) {
        (Some(_), true) => Authentication::Contradictory,
        (Some(_), false) => Authentication::AccessKey,
        (None, true) => Authentication::Federated,
        (None, false) => Authentication::Agent,
    };
    Entry {
        name: endpoint.name.clone(),
        id: endpoint.id.to_string(),
        kind: endpoint.kind.clone(),
        authentication,
        long_lived_key: key.is_some_and(|key| !key.starts_with("ASIA")),
        access_key: key.map(str::to_owned),
        role: endpoint.role().map(str::to_owned),
        managed: endpoint.is_made_by(&setup.id) || endpoint.is_converted_by(&setup.id),
        ready: endpoint.is_ready,
    }
}
