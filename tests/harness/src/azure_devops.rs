//! A local Azure DevOps: one organization, one project, its service connections, and the call by which a job
//! gets its OIDC token ("Oidctoken - Create" of the distributedtask REST API).

mod answer;
mod claims;
mod management;
mod routes;
mod tripwire;

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use uuid::Uuid;

pub use answer::Answer;
pub use claims::{AUDIENCE, IssuerForm};
pub use management::PersonalToken;
pub(crate) use tripwire::Verdict;
pub use tripwire::{Moment, Tripwire};

use crate::http::Server;

/// A service connection as the organization knows it: no fields, only what a token says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredConnection {
    /// Its GUID.
    pub id: Uuid,
    /// Its name, which stands in the token's subject.
    pub name: String,
    /// Its type, such as `AWS`.
    pub kind: String,
}

/// The names and ids of one organization and project.
#[derive(Debug, Clone)]
pub struct Organization {
    /// The organization's name, the first part of its address.
    pub name: String,
    /// Its GUID, which stands in the issuer.
    pub id: Uuid,
    /// The Entra tenant behind it, which stands in the new issuer.
    pub tenant: Uuid,
    /// The project's name.
    pub project: String,
    /// The project's GUID.
    pub project_id: Uuid,
    /// The pipeline's name.
    pub pipeline: String,
    /// The form of issuer and subject that its tokens have.
    pub issuer: IssuerForm,
    /// Life of a token, in seconds. Azure DevOps gives 5 to 10 minutes.
    pub token_seconds: u64,
    /// Seconds by which its clock is ahead of this machine's.
    pub clock: i64,
}

impl Default for Organization {
    fn default() -> Self {
        Self {
            name: "contoso".into(),
            id: Uuid::new_v4(),
            tenant: Uuid::new_v4(),
            project: "shop".into(),
            project_id: Uuid::new_v4(),
            pipeline: "deploy-shop".into(),
            issuer: IssuerForm::Vstoken,
            token_seconds: 600,
            clock: 0,
        }
    }
}

/// A running job: while it runs its token opens the token call.
#[derive(Debug, Clone)]
pub struct JobTicket {
    /// The plan's GUID.
    pub plan: Uuid,
    /// The job's GUID.
    pub job: Uuid,
    /// The hub: `build`, `release` or `checks`.
    pub hub: String,
    /// The job's own access token.
    pub token: String,
    /// The connections that an input of a step of this job references.
    pub connections: HashSet<Uuid>,
}

impl JobTicket {
    /// A job of a YAML pipeline that references these connections.
    #[must_use]
    pub fn new(connections: HashSet<Uuid>) -> Self {
        // A real one is a token of Entra's making, some 1,100 characters long.
        let token = format!("eyJ0eXAiOiJKV1Qi{}", crate::random::base64_text(600).replace(['+', '/'], "_"));
        Self { plan: Uuid::new_v4(), job: Uuid::new_v4(), hub: "build".into(), token, connections }
    }
}

/// A request that arrived; the bearer token is replaced by `***`.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The decoded query pairs, in order.
    pub query: Vec<(String, String)>,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whether the bearer token was that of the job in the path.
    pub authorized: bool,
    /// The status it was answered with.
    pub status: u16,
}

impl ReceivedRequest {
    /// The value of a query parameter.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct State {
    organization: Organization,
    reached_at: Option<String>,
    connections: Vec<RegisteredConnection>,
    jobs: Vec<JobTicket>,
    answers: VecDeque<Answer>,
    received: Vec<ReceivedRequest>,
    issued: Vec<String>,
    job_tokens: Vec<String>,
    management: management::Books,
    tripwire: Tripwire,
}

type Shared = Arc<Mutex<State>>;

/// The running server. It ends with the last clone of this value.
#[derive(Debug, Clone)]
pub struct AzureDevOps {
    state: Shared,
    server: Arc<Server>,
}

impl AzureDevOps {
    /// Starts an organization on a free port.
    #[must_use]
    pub fn start(organization: Organization) -> Self {
        let state: Shared = Arc::new(Mutex::new(State { organization, ..State::default() }));
        let shared = state.clone();
        let server = Server::start(move |request| routes::answer(shared.clone(), request));
        Self { state, server: Arc::new(server) }
    }

    /// The server's address without the organization.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// `System.CollectionUri`: the organization's address, with a slash at the end.
    #[must_use]
    pub fn collection_url(&self) -> String {
        let reached_at = self.state.lock().unwrap().reached_at.clone();
        format!("{}/{}/", reached_at.unwrap_or_else(|| self.url()), self.organization().name)
    }

    /// Where jobs reach it, without a slash at the end.
    #[must_use]
    pub fn reached_at(&self) -> String {
        self.state.lock().unwrap().reached_at.clone().unwrap_or_else(|| self.url())
    }

    /// Lets jobs reach it at another address, such as that of an https front.
    pub fn reach_at(&self, url: &str) {
        self.state.lock().unwrap().reached_at = Some(url.to_owned());
    }

    /// The organization as it is now.
    #[must_use]
    pub fn organization(&self) -> Organization {
        self.state.lock().unwrap().organization.clone()
    }

    /// Changes the organization: issuer form, names, the life of tokens.
    pub fn change(&self, change: impl FnOnce(&mut Organization)) {
        change(&mut self.state.lock().unwrap().organization);
    }

    /// The issuer of this organization's tokens, as the token says it.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.organization().issuer_url()
    }

    /// The subject of the tokens of a connection; `None` without one of that name.
    #[must_use]
    pub fn subject_of(&self, name: &str) -> Option<String> {
        let state = self.state.lock().unwrap();
        let connection = state.connections.iter().find(|connection| connection.name == name)?;
        Some(state.organization.connection_subject(connection))
    }

    /// The subject of a job's tokens when no connection is named.
    #[must_use]
    pub fn pipeline_subject(&self) -> String {
        self.organization().pipeline_subject()
    }

    /// Makes a service connection known.
    pub fn register(&self, connection: RegisteredConnection) {
        self.state.lock().unwrap().connections.push(connection);
    }

    /// The connection of this name (any case) or GUID, as the server resolves what a YAML input says.
    #[must_use]
    pub fn find_connection(&self, name_or_id: &str) -> Option<RegisteredConnection> {
        let id = Uuid::parse_str(name_or_id).ok();
        let state = self.state.lock().unwrap();
        let mut all = state.connections.iter();
        all.find(|known| Some(known.id) == id || known.name.eq_ignore_ascii_case(name_or_id)).cloned()
    }

    /// Opens the token call for a job.
    pub fn begin_job(&self, ticket: JobTicket) {
        let mut state = self.state.lock().unwrap();
        state.job_tokens.push(ticket.token.clone());
        state.jobs.push(ticket);
    }

    /// Closes the token call for a job: its token is worth nothing from here on.
    pub fn end_job(&self, job: Uuid) {
        self.state.lock().unwrap().jobs.retain(|ticket| ticket.job != job);
    }

    /// Answers the next token call in this way, after those that wait already; then as usual.
    pub fn answer_next(&self, answer: Answer) {
        self.state.lock().unwrap().answers.push_back(answer);
    }

    /// Every request so far.
    #[must_use]
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.state.lock().unwrap().received.clone()
    }

    /// Every token handed out so far: secrets that nothing may show.
    #[must_use]
    pub fn issued_tokens(&self) -> Vec<String> {
        self.state.lock().unwrap().issued.clone()
    }

    /// The token of every job so far: secrets too.
    #[must_use]
    pub fn job_tokens(&self) -> Vec<String> {
        self.state.lock().unwrap().job_tokens.clone()
    }

    /// The published keys (JSON Web Keys).
    #[must_use]
    pub fn keys(&self) -> Vec<serde_json::Value> {
        vec![crate::jwt::SigningKey::azure_devops().to_jwk()]
    }

    /// What stops a client at a changing call.
    #[must_use]
    pub fn tripwire(&self) -> Tripwire {
        self.state.lock().unwrap().tripwire.clone()
    }

    /// Makes a personal access token that may manage service connections.
    #[must_use]
    pub fn add_token(&self) -> String {
        let token = crate::random::base64_text(84).replace(['+', '/'], "x");
        self.put_token(PersonalToken { token: token.clone(), expired: false, may_manage: true });
        token
    }

    /// Makes a token known as it is, or anew.
    pub fn put_token(&self, token: PersonalToken) {
        let mut state = self.state.lock().unwrap();
        state.management.tokens.retain(|known| known.token != token.token);
        state.management.tokens.push(token);
    }

    /// Takes a connection type away, as without its extension.
    pub fn remove_type(&self, name: &str) {
        self.state.lock().unwrap().management.types.retain(|known| known != name);
    }

    /// Every service connection as it is stored, secrets included.
    #[must_use]
    pub fn endpoints(&self) -> Vec<serde_json::Value> {
        self.state.lock().unwrap().management.endpoints.clone()
    }

    /// Stores a service connection past every rule, or changes the one of its id.
    pub fn put_endpoint(&self, endpoint: serde_json::Value) {
        let mut state = self.state.lock().unwrap();
        let registered = management::registered(&endpoint);
        state.management.endpoints.retain(|known| known["id"] != endpoint["id"]);
        state.management.endpoints.push(endpoint);
        state.connections.retain(|known| known.id != registered.id);
        state.connections.push(registered);
    }

    /// Whether every pipeline may use a connection.
    #[must_use]
    pub fn is_open_to_all(&self, id: Uuid) -> bool {
        self.state.lock().unwrap().management.open.contains(&id)
    }
}
