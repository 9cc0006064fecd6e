//! What a person's token opens: projects, service connections, their types, and which pipelines may use them.
//!
//! Shapes and statuses are those of Microsoft's published API specifications (MicrosoftDocs/vsts-rest-api-specs: core,
//! serviceEndpoint, approvalsAndChecks, 7.1); what they do not say (duplicate names answer HTTP 500 with
//! `DuplicateServiceConnectionException`, secrets come back as null and null means "as before") is what public clients expect.

mod rules;

use std::collections::HashSet;

use base64::Engine;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::error_json;
use super::tripwire::Verdict;
use super::{RegisteredConnection, Shared, State};
use crate::http::{Body, Cut, header, reply};

const JSON: &str = "application/json; charset=utf-8; api-version=7.1-preview.4";
/// Parameters that are never answered.
const SECRET: [&str; 3] = ["password", "sessionToken", "apitoken"];

/// A person's token.
#[derive(Debug, Clone)]
pub struct PersonalToken {
    /// The token.
    pub token: String,
    /// Whether its time is over.
    pub expired: bool,
    /// Whether it may change connections.
    pub may_manage: bool,
}

/// What the organization has.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) tokens: Vec<PersonalToken>,
    pub(super) types: Vec<String>,
    pub(super) endpoints: Vec<Value>,
    pub(super) open: HashSet<Uuid>,
}

impl Default for Books {
    fn default() -> Self {
        let types = vec!["AWS".to_owned(), "Causeway".to_owned(), "Generic".to_owned()];
        Self { tokens: Vec::new(), types, endpoints: Vec::new(), open: HashSet::new() }
    }
}

/// A refusal: status, type key, sentence.
type Refusal = (u16, &'static str, String);
type Answered = Result<(u16, Value), Refusal>;

/// Whether this part answers the path.
pub(super) fn is_ours(path: &str) -> bool {
    ["/_apis/projects/", "/_apis/serviceendpoint/", "/_apis/pipelines/pipelinepermissions/"]
        .iter()
        .any(|part| path.to_lowercase().contains(part))
}

pub(super) async fn answer(state: Shared, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let path = percent_decoded(parts.uri.path());
    let changes = parts.method != Method::GET;
    let tripwire = state.lock().unwrap().tripwire.clone();
    let verdict = tripwire.judge(&format!("{} {path}", parts.method), changes);
    if verdict == Verdict::Hold {
        std::future::pending::<()>().await;
    }
    let response = {
        let mut state = state.lock().unwrap();
        match authorize(&state, &parts) {
            Err(refusal) => *refusal,
            Ok(token) => {
                let call = Call {
                    method: parts.method,
                    path,
                    query: query(parts.uri.query()),
                    body: body.to_vec(),
                    token,
                };
                render(call.answer(&mut state))
            }
        }
    };
    if verdict == Verdict::CarryOutAndHold {
        std::future::pending::<()>().await;
    }
    Ok(response)
}

fn render(answered: Answered) -> Response<Body> {
    match answered {
        Ok((204, _)) => reply(204, "", ""),
        Ok((status, body)) => reply(status, JSON, body.to_string()),
        Err((status, key, message)) => reply(status, JSON, error_json(&message, key)),
    }
}

/// Without a good token: 401 that names the tenant, or the sign-in page where the client does not ask to be spared.
fn authorize(state: &State, parts: &http::request::Parts) -> Result<PersonalToken, Box<Response<Body>>> {
    let given = header(&parts.headers, "authorization");
    let token = match given.split_once(' ') {
        Some(("Bearer", token)) => token.to_owned(),
        Some(("Basic", encoded)) => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
            String::from_utf8_lossy(&decoded)
                .split_once(':')
                .map(|(_, token)| token.to_owned())
                .unwrap_or_default()
        }
        _ => String::new(),
    };
    let known = state.management.tokens.iter().find(|known| known.token == token && !known.expired);
    if let Some(known) = known {
        return Ok(known.clone());
    }
    let spared = header(&parts.headers, "x-tfs-fedauthredirect") == "Suppress";
    let mut response = if spared {
        reply(401, "", "")
    } else {
        reply(
            203,
            "text/html; charset=utf-8",
            "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head></html>",
        )
    };
    let tenant = state.organization.tenant.to_string();
    response.headers_mut().insert("x-vss-resourcetenant", tenant.parse().expect("a header value"));
    Err(Box::new(response))
}

struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Vec<u8>,
    token: PersonalToken,
}

impl Call {
    fn answer(&self, state: &mut State) -> Answered {
        let parts: Vec<&str> = self.path.trim_matches('/').split('/').collect();
        if !parts.first().is_some_and(|name| name.eq_ignore_ascii_case(&state.organization.name)) {
            return Err((404, "HostDoesNotExistException", "The organization does not exist.".into()));
        }
        let version = self.query("api-version").unwrap_or_default();
        if version.is_empty() {
            return Err((
                400,
                "VssVersionNotSpecifiedException",
                "No api-version was supplied for the request.".into(),
            ));
        }
        let lower: Vec<String> = parts[1..].iter().map(|part| part.to_lowercase()).collect();
        let words: Vec<&str> = lower.iter().map(String::as_str).collect();
        match (self.method.as_str(), words.as_slice()) {
            ("GET", ["_apis", "projects", _]) => project(state, parts[3]),
            ("GET", ["_apis", "serviceendpoint", "types"]) => {
                self.preview(version).map(|()| self.types(state))
            }
            ("GET", [_, "_apis", "serviceendpoint", "endpoints"]) => {
                self.preview(version)?;
                self.in_project(state, parts[1])?;
                let all: Vec<Value> = state.management.endpoints.iter().map(without_secrets).collect();
                Ok((200, json!({ "count": all.len(), "value": all })))
            }
            ("POST", ["_apis", "serviceendpoint", "endpoints"]) => {
                self.manage(version).and_then(|()| self.create(state))
            }
            ("PUT", ["_apis", "serviceendpoint", "endpoints", id]) => {
                self.manage(version).and_then(|()| self.update(state, id))
            }
            ("DELETE", ["_apis", "serviceendpoint", "endpoints", id]) => {
                self.manage(version).and_then(|()| self.delete(state, id))
            }
            (method, [_, "_apis", "pipelines", "pipelinepermissions", "endpoint", id]) => {
                self.in_project(state, parts[1])?;
                self.permissions(state, method, id)
            }
            _ => Err((
                404,
                "VssResourceNotFoundException",
                "The controller for this path was not found.".into(),
            )),
        }
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn preview(&self, version: &str) -> Result<(), Refusal> {
        if version.contains("preview") {
            return Ok(());
        }
        let message = format!(
            "The requested version \"{version}\" of the resource is under preview. The -preview flag must be supplied in the api-version for such requests."
        );
        Err((400, "VssInvalidPreviewVersionException", message))
    }

    fn manage(&self, version: &str) -> Result<(), Refusal> {
        self.preview(version)?;
        if self.token.may_manage {
            return Ok(());
        }
        Err((
            403,
            "AccessDeniedException",
            "You do not have permission to manage service connections.".into(),
        ))
    }

    fn in_project(&self, state: &State, project: &str) -> Result<(), Refusal> {
        rules::project_named(state, project)
    }

    fn types(&self, state: &State) -> (u16, Value) {
        let wanted = self.query("type");
        let types = state.management.types.iter().filter(|name| wanted.is_none_or(|wanted| wanted == *name));
        let all: Vec<Value> = types.map(|name| rules::endpoint_type(name)).collect();
        (200, json!({ "count": all.len(), "value": all }))
    }

    fn document(&self) -> Result<Value, Refusal> {
        let document: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        if document.is_object() {
            Ok(document)
        } else {
            Err((400, "ArgumentNullException", "Value cannot be null. Parameter name: endpoint".into()))
        }
    }

    fn create(&self, state: &mut State) -> Answered {
        let mut endpoint = self.document()?;
        rules::check(state, &endpoint, None)?;
        let id = Uuid::new_v4();
        endpoint["id"] = json!(id);
        endpoint["owner"] = json!("library");
        endpoint["isReady"] = json!(true);
        endpoint["createdBy"] = json!({
            "id": Uuid::new_v4(), "displayName": "Chuck Reinhart", "uniqueName": "chuck@contoso.example",
        });
        state.management.endpoints.push(endpoint.clone());
        rules::register(state, &endpoint);
        Ok((200, without_secrets(&endpoint)))
    }

    fn update(&self, state: &mut State, id: &str) -> Answered {
        let mut endpoint = self.document()?;
        let at = rules::position(state, id)?;
        let before = state.management.endpoints[at].clone();
        if endpoint["id"].as_str() != before["id"].as_str() {
            return Err((400, "ArgumentException", "The id in the body is not that of the path.".into()));
        }
        rules::check(state, &endpoint, Some(&before))?;
        rules::keep_secrets(&mut endpoint, &before);
        endpoint["createdBy"] = before["createdBy"].clone();
        endpoint["owner"] = before["owner"].clone();
        state.management.endpoints[at] = endpoint.clone();
        rules::register(state, &endpoint);
        Ok((200, without_secrets(&endpoint)))
    }

    fn delete(&self, state: &mut State, id: &str) -> Answered {
        let project = state.organization.project_id.to_string();
        if self.query("projectIds") != Some(project.as_str()) {
            return Err((
                400,
                "ArgumentException",
                "projectIds is missing, or names a project without this connection.".into(),
            ));
        }
        let at = rules::position(state, id)?;
        let gone = state.management.endpoints.remove(at);
        state.connections.retain(|known| gone["id"] != json!(known.id));
        Ok((204, Value::Null))
    }

    fn permissions(&self, state: &mut State, method: &str, id: &str) -> Answered {
        let at = rules::position(state, id)?;
        let id: Uuid =
            state.management.endpoints[at]["id"].as_str().unwrap_or_default().parse().expect("a GUID");
        if method == "PATCH" {
            if !self.token.may_manage {
                return Err((
                    403,
                    "AccessDeniedException",
                    "You are not an administrator of this resource.".into(),
                ));
            }
            if self.document()?["allPipelines"]["authorized"] == true {
                state.management.open.insert(id);
            }
        }
        let mut answer = json!({ "pipelines": [], "resource": { "type": "endpoint", "id": id } });
        if state.management.open.contains(&id) {
            answer["allPipelines"] = json!({ "authorized": true });
        }
        Ok((200, answer))
    }
}

fn project(state: &State, name: &str) -> Answered {
    rules::project_named(state, name)?;
    let organization = &state.organization;
    let base = format!("https://dev.azure.com/{}", organization.name);
    let (id, name) = (organization.project_id, &organization.project);
    Ok((
        200,
        json!({
            "id": id,
            "name": name,
            "url": format!("{base}/_apis/projects/{id}"),
            "state": "wellFormed",
            "revision": 11,
            "visibility": "private",
            "lastUpdateTime": "2026-01-05T10:11:12.13Z",
            "_links": {
                "self": { "href": format!("{base}/_apis/projects/{id}") },
                "collection": { "href": format!("{base}/_apis/projectCollections/{}", organization.id) },
                "web": { "href": format!("{base}/{name}") },
            },
            "defaultTeam": { "id": Uuid::new_v4(), "name": format!("{name} Team") },
        }),
    ))
}

fn without_secrets(endpoint: &Value) -> Value {
    let mut shown = endpoint.clone();
    if let Some(parameters) = shown["authorization"]["parameters"].as_object_mut() {
        for (_, value) in parameters.iter_mut().filter(|(name, _)| SECRET.contains(&name.as_str())) {
            *value = Value::Null;
        }
    }
    shown
}

fn query(text: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.unwrap_or_default().as_bytes()).into_owned().collect()
}

fn percent_decoded(path: &str) -> String {
    // A plus sign in a path is a plus sign.
    let pair = format!("k={}", path.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

pub(super) fn registered(endpoint: &Value) -> RegisteredConnection {
    let text = |name: &str| endpoint[name].as_str().unwrap_or_default().to_owned();
    RegisteredConnection { id: text("id").parse().expect("a GUID"), name: text("name"), kind: text("type") }
}
