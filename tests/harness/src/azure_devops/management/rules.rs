use serde_json::{Value, json};
use uuid::Uuid;

use super::super::State;
use super::{Refusal, SECRET, registered};

/// That a project is there, by its name in any case or its GUID.
pub(super) fn project_named(state: &State, name: &str) -> Result<(), Refusal> {
    let organization = &state.organization;
    let fits = match Uuid::parse_str(name) {
        Ok(id) => id == organization.project_id,
        Err(_) => name.to_lowercase() == organization.project.to_lowercase(),
    };
    if fits {
        return Ok(());
    }
    let message = format!(
        "TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and that the project exists on the specified Azure DevOps Server."
    );
    Err((404, "ProjectDoesNotExistWithNameException", message))
}

/// A connection type, as far as anybody asks.
pub(super) fn endpoint_type(name: &str) -> Value {
    let schemes: Vec<Value> = schemes(name).iter().map(|scheme| json!({ "scheme": scheme })).collect();
    json!({ "name": name, "displayName": name, "authenticationSchemes": schemes, "inputDescriptors": [] })
}

fn schemes(kind: &str) -> &'static [&'static str] {
    match kind {
        "Causeway" => &["None", "UsernamePassword"],
        _ => &["UsernamePassword"],
    }
}

/// What Azure DevOps refuses in a new or changed connection.
pub(super) fn check(state: &State, endpoint: &Value, before: Option<&Value>) -> Result<(), Refusal> {
    let wrong = |message: String| Err((400, "ArgumentException", message));
    let text = |name: &str| endpoint[name].as_str().unwrap_or_default();
    // .NET reads a GUID or refuses the whole body.
    if endpoint["id"].as_str().is_some_and(|id| Uuid::parse_str(id).is_err()) {
        return Err((400, "ArgumentNullException", "Value cannot be null. Parameter name: endpoint".into()));
    }
    let name = text("name");
    if name.trim().is_empty() {
        return wrong("Service connection name cannot be empty.".into());
    }
    let (kind, scheme) = (text("type"), endpoint["authorization"]["scheme"].as_str().unwrap_or_default());
    if !state.management.types.iter().any(|known| known == kind) || !schemes(kind).contains(&scheme) {
        return wrong(format!(
            "Unable to find service endpoint type '{kind}' using authentication scheme '{scheme}'."
        ));
    }
    if before.is_some_and(|before| before["type"] != kind) {
        return wrong("The type of a service connection cannot be changed.".into());
    }
    let references = endpoint["serviceEndpointProjectReferences"].as_array().cloned().unwrap_or_default();
    let project = state.organization.project_id.to_string();
    if !references.iter().any(|reference| reference["projectReference"]["id"] == project.as_str()) {
        return wrong(
            "The service connection must be in at least one project: serviceEndpointProjectReferences."
                .into(),
        );
    }
    let id = before.map(|before| before["id"].clone());
    let taken = state.management.endpoints.iter().any(|other| {
        Some(&other["id"]) != id.as_ref()
            && other["name"].as_str().is_some_and(|other| other.eq_ignore_ascii_case(name))
    });
    if taken {
        let message = format!(
            "Service connection with name {name} already exists. Only a user having Administrator/User role permissions on service connection {name} can see it."
        );
        return Err((500, "DuplicateServiceConnectionException", message));
    }
    Ok(())
}

/// A null stands for a secret that stays as it is, as long as the scheme does.
pub(super) fn keep_secrets(endpoint: &mut Value, before: &Value) {
    let same_scheme = endpoint["authorization"]["scheme"] == before["authorization"]["scheme"];
    for name in SECRET {
        let stored = before["authorization"]["parameters"][name].clone();
        let given = &mut endpoint["authorization"]["parameters"];
        let untouched = given.get(name).is_none_or(Value::is_null);
        if same_scheme && untouched && !stored.is_null() && given.is_object() {
            given[name] = stored;
        }
    }
}

pub(super) fn position(state: &State, id: &str) -> Result<usize, Refusal> {
    let found = state.management.endpoints.iter().position(|endpoint| endpoint["id"] == id);
    found.ok_or_else(|| {
        (
            404,
            "ServiceEndpointNotFoundException",
            format!(
                "Service connection with id {id} does not exist or you do not have permission to see it."
            ),
        )
    })
}

/// Lets jobs use it, under the name that it has now.
pub(super) fn register(state: &mut State, endpoint: &Value) {
    let registered = registered(endpoint);
    state.connections.retain(|known| known.id != registered.id);
    state.connections.push(registered);
}
