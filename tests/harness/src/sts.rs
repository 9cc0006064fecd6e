//! IAM's books and a strict STS in front of them.
//!
//! Unlike moto it believes nothing: signatures, issuers, audiences, times, trust policies and session lengths are
//! checked as IAM does, and refused with IAM's codes. Where AWS documents a code but not its sentence, the
//! sentence here is ours.

mod account;
mod caller;
mod error;
mod policy;
mod request;
mod role;
mod web_identity;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use account::Books;
pub use account::{AccessKey, Role, Session};
pub(crate) use caller::Caller;
pub(crate) use error::StsError;
pub(crate) use request::StsRequest;

use crate::azure_devops::AzureDevOps;

/// Accounts with their users, roles, OIDC providers and sessions. Clones share the books.
#[derive(Debug, Clone)]
pub struct Iam {
    books: Arc<Mutex<Books>>,
    issuer: AzureDevOps,
    /// Seconds by which AWS's clock is ahead of this machine's.
    clock: Arc<AtomicI64>,
}

impl Iam {
    /// Empty books; web identity tokens are checked against the keys of this Azure DevOps.
    #[must_use]
    pub fn new(issuer: AzureDevOps) -> Self {
        Self { books: Arc::default(), issuer, clock: Arc::default() }
    }

    /// Creates a user with one access key.
    #[must_use]
    pub fn add_user(&self, account: &str, name: &str) -> AccessKey {
        self.books.lock().unwrap().add_user(account, name)
    }

    /// Creates an OIDC provider: `issuer` as an address, and its client ids (audiences).
    pub fn add_provider(&self, account: &str, issuer: &str, audiences: &[&str]) {
        self.books.lock().unwrap().add_provider(account, issuer, audiences);
    }

    /// Creates a role, or replaces the one of that name.
    ///
    /// # Panics
    /// When the trust policy has an element that this STS does not know: a test must not rest on it.
    pub fn add_role(&self, role: Role) {
        policy::check_is_understood(&role.trust_policy);
        self.books.lock().unwrap().add_role(role);
    }

    /// A role of an account, by its name.
    pub(crate) fn role(&self, account: &str, name: &str) -> Option<Role> {
        self.books.lock().unwrap().role(&format!("arn:aws:iam::{account}:role/{name}")).map(|(role, _)| role)
    }

    /// What moto's IAM has of an account, in the place of what it had before: a role and the providers. Roles and providers
    /// that a test put here itself stay.
    pub(crate) fn mirror(&self, account: &str, role: Option<Role>, providers: Vec<(String, Vec<String>)>) {
        if let Some(role) = &role {
            policy::check_is_understood(&role.trust_policy);
        }
        self.books.lock().unwrap().mirror(account, role, providers);
    }

    /// What stops a client at a changing call.
    pub(crate) fn tripwire(&self) -> crate::azure_devops::Tripwire {
        self.issuer.tripwire()
    }

    /// Makes an access key expire now.
    pub fn expire(&self, access_key: &str) {
        self.books.lock().unwrap().expire(access_key);
    }

    /// Lets no session last longer than this, whatever it asks for: a test need not wait for 15 minutes.
    pub fn shorten_sessions(&self, longest: std::time::Duration) {
        self.books.lock().unwrap().longest_session = Some(longest);
    }

    pub(crate) fn set_clock(&self, seconds: i64) {
        self.clock.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn clock(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// What AWS takes the time to be.
    pub(crate) fn now(&self) -> SystemTime {
        let by = Duration::from_secs(self.clock().unsigned_abs());
        if self.clock() < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
    }

    /// Every session so far, with what was asked for it, in order.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        self.books.lock().unwrap().sessions.clone()
    }

    /// The account that an access key belongs to; an error when it is unknown, expired or lacks its token.
    pub(crate) fn judge(&self, access_key: &str, token: Option<&str>) -> Result<(Caller, String), StsError> {
        self.books.lock().unwrap().judge(access_key, token)
    }

    /// Answers one STS request.
    pub(crate) fn answer(&self, request: &StsRequest) -> Result<String, StsError> {
        let keys = self.issuer.keys();
        let mut books = self.books.lock().unwrap();
        match request.text("Action") {
            "GetCallerIdentity" => caller::identity(request),
            "AssumeRole" => role::assume(&mut books, request),
            "AssumeRoleWithWebIdentity" => web_identity::assume(&mut books, request, &keys, self.now()),
            other => Err(StsError::invalid_action(other)),
        }
    }
}
