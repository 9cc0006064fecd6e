use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Answer, Kind, error_json};
use super::management;
use super::{JobTicket, ReceivedRequest, RegisteredConnection, Shared, State};
use crate::http::{Body, Cut, header, reply};
use crate::jwt::SigningKey;

const JSON: &str = "application/json; charset=utf-8; api-version=7.1";

/// What the call is answered with, decided under the lock and sent after the pause.
type Decision = Result<Response<Body>, Cut>;

pub(super) async fn answer(state: Shared, request: Request<Incoming>) -> Decision {
    let path = request.uri().path().to_owned();
    if management::is_ours(&path) {
        return management::answer(state, request).await;
    }
    if request.method() == "GET" && path.ends_with("/.well-known/openid-configuration") {
        return Ok(discovery(&state));
    }
    if request.method() == "GET" && path.ends_with("/.well-known/jwks") {
        let keys = json!({ "keys": [SigningKey::azure_devops().to_jwk()] });
        return Ok(reply(200, JSON, keys.to_string()));
    }
    let mut received = received(&request);
    let answer = {
        let mut state = state.lock().unwrap();
        if TokenCall::parse(&path).is_some() { state.answers.pop_front() } else { None }
    }
    .unwrap_or_else(Answer::normal);
    tokio::time::sleep(answer.delay).await;
    let decision = decide(&mut state.lock().unwrap(), &request, &mut received, answer.kind);
    received.status = decision.as_ref().map_or(0, |response| response.status().as_u16());
    state.lock().unwrap().received.push(received);
    decision
}

fn decide(
    state: &mut State,
    request: &Request<Incoming>,
    received: &mut ReceivedRequest,
    kind: Kind,
) -> Decision {
    let Some(place) = TokenCall::parse(request.uri().path()) else {
        return Ok(not_found("The controller for this path was not found."));
    };
    let job = place.job_of(state).cloned();
    let bearer = header(request.headers(), "authorization").strip_prefix("Bearer ").unwrap_or_default();
    received.authorized = job.as_ref().is_some_and(|job| job.token == bearer);
    match kind {
        Kind::Cut => Err(Cut),
        Kind::Http { status, headers, body } => Ok(canned(status, &headers, body)),
        Kind::Normal => Ok(token(state, request, received, job.as_ref(), None)),
        Kind::Token { claims, forged } => {
            Ok(token(state, request, received, job.as_ref(), Some((claims, forged))))
        }
    }
}

/// The call as Azure DevOps treats it; `tweak` changes the token that comes out.
fn token(
    state: &mut State,
    request: &Request<Incoming>,
    received: &ReceivedRequest,
    job: Option<&JobTicket>,
    tweak: Option<(Map<String, Value>, bool)>,
) -> Response<Body> {
    let Some(job) = job.filter(|_| received.authorized) else {
        return reply(401, "", "");
    };
    if request.method() != "POST" {
        return reply(
            405,
            JSON,
            error_json("The requested resource does not support this method.", "VssException"),
        );
    }
    if received.query("api-version").is_none() {
        let message = "No api-version was supplied for the request.";
        return reply(400, JSON, error_json(message, "VssVersionNotSpecifiedException"));
    }
    match connection_of(state, received, job) {
        Ok(connection) => issue(state, connection.as_ref(), tweak),
        Err(id) => not_found(&format!("Could not find a service connection with ID {id} in this job.")),
    }
}

/// The connection that is asked for. A value that is no GUID counts as none, which is Azure DevOps's trap.
fn connection_of(
    state: &State,
    received: &ReceivedRequest,
    job: &JobTicket,
) -> Result<Option<RegisteredConnection>, Uuid> {
    let Some(id) = received.query("serviceConnectionId").and_then(|text| Uuid::parse_str(text).ok()) else {
        return Ok(None);
    };
    let connection = state.connections.iter().find(|connection| connection.id == id);
    connection.filter(|_| job.connections.contains(&id)).cloned().map(Some).ok_or(id)
}

fn issue(
    state: &mut State,
    connection: Option<&RegisteredConnection>,
    tweak: Option<(Map<String, Value>, bool)>,
) -> Response<Body> {
    let mut claims = state.organization.claims(connection);
    let (changes, forged) = tweak.unwrap_or_default();
    for (name, value) in changes {
        if value.is_null() {
            claims.shift_remove(&name);
        } else {
            claims.insert(name, value);
        }
    }
    let real = SigningKey::azure_devops();
    let signer = if forged { SigningKey::stranger() } else { real };
    let token = signer.sign_as(real.id(), &Value::Object(claims));
    state.issued.push(token.clone());
    reply(200, JSON, json!({ "oidcToken": token }).to_string())
}

/// The parts of `/{org}/{project}/_apis/distributedtask/hubs/{hub}/plans/{plan}/jobs/{job}/oidctoken`.
struct TokenCall<'a> {
    organization: &'a str,
    project: &'a str,
    hub: &'a str,
    plan: Uuid,
    job: Uuid,
}

impl<'a> TokenCall<'a> {
    fn parse(path: &'a str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match parts[..] {
            [
                organization,
                project,
                "_apis",
                "distributedtask",
                "hubs",
                hub,
                "plans",
                plan,
                "jobs",
                job,
                "oidctoken",
            ] => {
                let (plan, job) = (Uuid::parse_str(plan).ok()?, Uuid::parse_str(job).ok()?);
                Some(Self { organization, project, hub, plan, job })
            }
            _ => None,
        }
    }

    fn job_of<'s>(&self, state: &'s State) -> Option<&'s JobTicket> {
        let organization = &state.organization;
        let project_fits = Uuid::parse_str(self.project)
            .map_or_else(|_| self.project == organization.project, |id| id == organization.project_id);
        let mut jobs = state.jobs.iter();
        jobs.find(|job| {
            job.job == self.job && job.plan == self.plan && job.hub.eq_ignore_ascii_case(self.hub)
        })
        .filter(|_| project_fits && self.organization == organization.name)
    }
}

fn received(request: &Request<Incoming>) -> ReceivedRequest {
    let query = request.uri().query().unwrap_or_default();
    let shown = |name: &str, value: &http::HeaderValue| match name {
        "authorization" => "***".to_owned(),
        _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    ReceivedRequest {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), shown(name.as_str(), value)))
            .collect(),
        authorized: false,
        status: 0,
    }
}

fn discovery(state: &Shared) -> Response<Body> {
    let issuer = state.lock().unwrap().organization.issuer_url();
    let document = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks"),
        "subject_types_supported": ["public", "pairwise"],
        "response_types_supported": ["id_token"],
        "claims_supported": ["sub", "aud", "exp", "iat", "iss", "nbf"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
    });
    reply(200, JSON, document.to_string())
}

fn canned(status: u16, headers: &[(String, String)], body: String) -> Response<Body> {
    let mut response = reply(status, "", body);
    for (name, value) in headers {
        let name = http::HeaderName::try_from(name).expect("a header name");
        response.headers_mut().append(name, value.parse().expect("a header value"));
    }
    response
}

fn not_found(message: &str) -> Response<Body> {
    reply(404, JSON, error_json(message, "TaskOrchestrationJobNotFoundException"))
}
