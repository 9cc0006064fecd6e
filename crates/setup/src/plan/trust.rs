//! The trust policy that a role needs: the two issuers of each of its connections, and nobody else.

use std::collections::BTreeMap;

use causeway_identity::trust::{OidcProvider, TrustedIdentity, TrustedRole, generate};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::state::{AzureDevOpsState, tenant};
use crate::azure_devops::Place;
use crate::file::{Role, Setup};

/// A GUID that stands for that of a connection which is yet to be made.
pub(crate) fn pending_id(connection: &str) -> Uuid {
    let digest = Sha256::digest(format!("connection to be made: {connection}").as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}

/// The issuers of the organization, the one of Azure DevOps first: also the new one where the file does not want it, for it may
/// have been wanted before.
pub(crate) fn issuers(setup: &Setup, place: &Place) -> Vec<String> {
    let old = format!("https://vstoken.dev.azure.com/{}", place.organization_id);
    let new = tenant(setup, place).or(place.tenant);
    let new = new.map(|tenant| format!("https://login.microsoftonline.com/{tenant}/v2.0"));
    std::iter::once(old).chain(new).collect()
}

/// Who a connection's tokens say they are, old issuer first.
pub(crate) fn identities(setup: &Setup, state: &AzureDevOpsState, connection: &str) -> Vec<TrustedIdentity> {
    let place = &state.place;
    let organization_id = place.organization_id.to_string();
    let old = TrustedIdentity::of_names(&organization_id, &place.organization, &place.project, connection);
    let id = state.endpoint(connection).map_or_else(|| pending_id(connection), |endpoint| endpoint.id);
    let new = tenant(setup, place)
        .map(|tenant| TrustedIdentity::of_entra(&tenant.to_string(), &organization_id, &id.to_string()));
    // The words were checked when the file was read, and Azure DevOps's own ids are GUIDs.
    old.into_iter().chain(new.into_iter().flatten()).collect()
}

/// What a role's account needs, and the statements of its trust policy, each with a `Sid` of ours.
pub(crate) fn wanted(setup: &Setup, state: &AzureDevOpsState, role: &Role) -> (Value, Vec<OidcProvider>) {
    let all: Vec<TrustedIdentity> =
        role.connections.iter().flat_map(|connection| identities(setup, state, connection)).collect();
    let trust = generate(&all, &TrustedRole::from(&role.arn));
    let mut policy = trust.policy();
    let prefix = setup.sid_prefix();
    for (number, statement) in policy["Statement"].as_array_mut().into_iter().flatten().enumerate() {
        let mut named = json!({ "Sid": format!("{prefix}{number}") });
        if let (Some(named), Some(fields)) = (named.as_object_mut(), statement.as_object()) {
            named.extend(fields.clone());
        }
        *statement = named;
    }
    (policy, trust.providers().cloned().collect())
}

/// Somebody's trust policy with our statements in it, or without them.
pub(crate) fn merged(setup: &Setup, theirs: &Value, ours: Option<&Value>) -> Value {
    let prefix = setup.sid_prefix();
    let is_ours = |statement: &&Value| is_of(statement, &prefix);
    let kept = crate::aws::statements(theirs).filter(|statement| !is_ours(statement)).cloned();
    let added = ours.into_iter().flat_map(crate::aws::statements).cloned();
    let all: Vec<Value> = kept.chain(added).collect();
    let mut policy = theirs.clone();
    policy["Statement"] = json!(all);
    policy
}

/// Whether a statement carries a `Sid` of this prefix.
pub(crate) fn is_of(statement: &Value, prefix: &str) -> bool {
    let number = statement["Sid"].as_str().and_then(|sid| sid.strip_prefix(prefix));
    number.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A document with GUIDs in the places of those that stood for them.
pub(super) fn with_ids(document: &Value, ids: &BTreeMap<String, String>) -> Value {
    match document {
        Value::String(text) => {
            let filled = ids.iter().fold(text.clone(), |text, (pending, id)| text.replace(pending, id));
            Value::String(filled)
        }
        Value::Array(items) => items.iter().map(|item| with_ids(item, ids)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), with_ids(value, ids))).collect())
        }
        other => other.clone(),
    }
}

/// The same for a reader: such a GUID is not known yet.
pub(super) fn shown(setup: &Setup, document: &Value) -> Value {
    let ids: BTreeMap<String, String> = setup
        .connections
        .iter()
        .map(|connection| {
            (pending_id(&connection.name).to_string(), "(GUID of the new connection)".to_owned())
        })
        .collect();
    with_ids(document, &ids)
}
