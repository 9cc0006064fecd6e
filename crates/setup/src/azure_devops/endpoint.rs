use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::file::{Connection, ConnectionKind};

/// A service connection as Azure DevOps has it ("ServiceEndpoint" of the serviceendpoint REST API). Secrets are never in it:
/// Azure DevOps answers `null` in their place.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Its GUID.
    pub id: Uuid,
    /// Its name in this project.
    pub name: String,
    /// Its type, such as `AWS`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How it authenticates.
    #[serde(default)]
    pub authorization: Authorization,
    /// Its public fields.
    #[serde(default, deserialize_with = "texts")]
    pub data: BTreeMap<String, String>,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// False while it is being made, after it failed, and when it is disabled.
    #[serde(default)]
    pub is_ready: bool,
    /// The projects that it is shared with.
    #[serde(default)]
    pub service_endpoint_project_references: Vec<ProjectReference>,
    /// Its address.
    #[serde(default)]
    pub url: Option<String>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Value,
}

/// A project that a connection is in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectReference {
    /// The project.
    pub project_reference: Reference,
    /// The connection's name there.
    #[serde(default)]
    pub name: Option<String>,
    /// The connection's description there.
    #[serde(default)]
    pub description: Option<String>,
}

/// A GUID and a name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// The GUID.
    pub id: Uuid,
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
}

/// Scheme and parameters of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Authorization {
    /// Such as `None` or `UsernamePassword`.
    #[serde(default)]
    pub scheme: String,
    /// The parameters that are not secret.
    #[serde(default, deserialize_with = "texts")]
    pub parameters: BTreeMap<String, String>,
}

/// What a connection of this set-up says in its description, so that it is known again.
pub(crate) fn marker(setup: &str, converted: bool) -> String {
    let how = if converted { "converted" } else { "made" };
    format!("[{how} by causeway setup: {setup}]")
}

impl Endpoint {
    /// Whether this set-up made it.
    #[must_use]
    pub fn is_made_by(&self, setup: &str) -> bool {
        self.describes(&marker(setup, false))
    }

    /// Whether this set-up changed somebody's connection into it.
    #[must_use]
    pub fn is_converted_by(&self, setup: &str) -> bool {
        self.describes(&marker(setup, true))
    }

    fn describes(&self, marker: &str) -> bool {
        self.description.as_deref().is_some_and(|text| text.contains(marker))
    }

    /// A public field, if it is not empty.
    #[must_use]
    pub fn data(&self, name: &str) -> Option<&str> {
        self.data.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// A parameter that is not secret, if it is not empty.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.authorization.parameters.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// The role that it names.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        if self.kind == ConnectionKind::Aws.name() {
            self.parameter("assumeRoleArn")
        } else {
            self.data("roleArn")
        }
    }

    /// Whether it takes the job's OIDC token.
    #[must_use]
    pub fn is_federated(&self) -> bool {
        match self.kind.as_str() {
            "AWS" => self.parameter("useOIDC").is_some_and(|text| text.eq_ignore_ascii_case("true")),
            _ => self.authorization.scheme == "None" && self.data("identitySource") != Some("agent"),
        }
    }

    /// The access key that it stores: its secret is not shown, its id is.
    #[must_use]
    pub fn access_key(&self) -> Option<&str> {
        self.parameter("username").filter(|_| self.authorization.scheme == "UsernamePassword")
    }
}

/// What differs between a connection and what the file asks for, as `field: there → wanted`.
pub(crate) fn differences(found: &Endpoint, wanted: &Connection) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |field: &str, there: Option<&str>, wanted: Option<&str>| {
        if there != wanted {
            lines.push(format!("{field}: {} → {}", there.unwrap_or("none"), wanted.unwrap_or("none")));
        }
    };
    compare("name", Some(&found.name), Some(&wanted.name));
    compare("role", found.role(), Some(wanted.role.as_str()));
    let session = wanted.session_name.as_ref().map(|name| name.as_str());
    match wanted.kind {
        ConnectionKind::Causeway => {
            compare("scheme", Some(&found.authorization.scheme), Some("None"));
            compare("identity", found.data("identitySource"), Some("federated"));
            compare("region", found.data("regionName"), wanted.region.as_ref().map(|region| region.as_str()));
            compare("session name", found.data("roleSessionName"), session);
            compare("external ID", found.data("externalId"), None);
        }
        ConnectionKind::Aws => {
            let federated = if found.is_federated() { "true" } else { "false" };
            compare("use OIDC", Some(federated), Some("true"));
            compare("access key", found.parameter("username"), None);
            compare("session name", found.parameter("roleSessionName"), session);
            compare("external ID", found.parameter("externalId"), None);
        }
    }
    lines
}

/// The body of "Endpoints - Create" or "- Update": `before` is the connection that is updated.
///
/// Azure DevOps takes a missing secret for "as before", so those of a key are sent as empty text.
pub(crate) fn body(
    wanted: &Connection,
    project: &Reference,
    description: &str,
    before: Option<&Endpoint>,
) -> Value {
    let own = json!({
        "projectReference": { "id": project.id, "name": project.name },
        "name": wanted.name,
        "description": description,
    });
    let others = before.into_iter().flat_map(|endpoint| &endpoint.service_endpoint_project_references);
    let others = others.filter(|other| other.project_reference.id != project.id).map(|other| {
        json!({
            "projectReference": { "id": other.project_reference.id, "name": other.project_reference.name },
            "name": other.name,
            "description": other.description,
        })
    });
    let references: Vec<Value> = std::iter::once(own.clone()).chain(others).collect();
    let url = match wanted.kind {
        ConnectionKind::Causeway => "https://sts.amazonaws.com/",
        ConnectionKind::Aws => "https://aws.amazon.com/",
    };
    json!({
        "id": before.map_or(Uuid::nil(), |endpoint| endpoint.id),
        "name": wanted.name,
        "type": wanted.kind.name(),
        "url": before.and_then(|endpoint| endpoint.url.as_deref()).unwrap_or(url),
        "description": description,
        "authorization": authorization(wanted),
        "data": data(wanted, before),
        "createdBy": before.map_or_else(|| json!({ "id": Uuid::nil() }), |endpoint| identity(&endpoint.created_by)),
        "isShared": references.len() > 1,
        "isReady": true,
        "owner": "library",
        "serviceEndpointProjectReferences": references,
    })
}

fn authorization(wanted: &Connection) -> Value {
    match wanted.kind {
        ConnectionKind::Causeway => json!({ "scheme": "None", "parameters": {} }),
        ConnectionKind::Aws => json!({
            "scheme": "UsernamePassword",
            "parameters": {
                "username": "",
                "password": "",
                "sessionToken": "",
                "assumeRoleArn": wanted.role.as_str(),
                "roleSessionName": wanted.session_name.as_ref().map_or("", |name| name.as_str()),
                "externalId": "",
                "useOIDC": "true",
            },
        }),
    }
}

fn data(wanted: &Connection, before: Option<&Endpoint>) -> Value {
    let mut data: Map<String, Value> = before
        .into_iter()
        .flat_map(|endpoint| &endpoint.data)
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    if wanted.kind == ConnectionKind::Causeway {
        let region = wanted.region.as_ref().map_or("", |region| region.as_str());
        let session = wanted.session_name.as_ref().map_or("", |name| name.as_str());
        for (name, value) in [
            ("identitySource", "federated"),
            ("roleArn", wanted.role.as_str()),
            ("regionName", region),
            ("roleSessionName", session),
            ("externalId", ""),
        ] {
            data.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(data)
}

/// The client's model wants an id; an answer without one still has to be sent back.
fn identity(created_by: &Value) -> Value {
    if created_by.get("id").is_some() { created_by.clone() } else { json!({ "id": Uuid::nil() }) }
}

/// Texts by name; `null`, which stands for a secret, is left out.
fn texts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let found: Option<BTreeMap<String, Value>> = Option::deserialize(deserializer)?;
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Null => None,
        other => Some(other.to_string()),
    };
    Ok(found.unwrap_or_default().into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect())
}
