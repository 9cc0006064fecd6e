use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{Caller, StsError};
use crate::random;

/// An access key, long-term or of a session.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// `AKIA…` of a user, `ASIA…` of a session.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token; `None` for a user's key.
    pub session_token: Option<String>,
}

/// An IAM role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// Who may assume it, as IAM's JSON.
    pub trust_policy: Value,
    /// The longest session, in seconds: 3600 unless it was raised, to at most 43200.
    pub maximum_duration: u64,
}

impl Role {
    /// A role with the usual maximum of one hour.
    #[must_use]
    pub fn new(account: &str, name: &str, trust_policy: Value) -> Self {
        Self { arn: format!("arn:aws:iam::{account}:role/{name}"), trust_policy, maximum_duration: 3600 }
    }
}

/// A role session, with what was asked for it.
#[derive(Debug, Clone)]
pub struct Session {
    /// `AssumeRole` or `AssumeRoleWithWebIdentity`.
    pub operation: String,
    /// The role.
    pub role_arn: String,
    /// The session's name.
    pub name: String,
    /// The session's own ARN (`…:assumed-role/<role>/<name>`).
    pub arn: String,
    /// The session's length in seconds, and whether the caller asked for it.
    pub duration: (u64, bool),
    /// Everything else that was sent, such as `ExternalId`, `Policy`, `Tags.member.1.Key`; no token.
    pub parameters: Vec<(String, String)>,
    /// Its key.
    pub key: AccessKey,
}

impl Session {
    /// A parameter of the request that made this session.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
struct Entry {
    key: AccessKey,
    caller: Caller,
    expires: Option<SystemTime>,
}

#[derive(Debug, Default)]
pub(super) struct Books {
    keys: HashMap<String, Entry>,
    roles: HashMap<String, (Role, String)>,
    providers: HashMap<(String, String), Vec<String>>,
    /// What came from moto, by account, and goes before it is learned anew.
    mirrored: HashMap<String, (Option<String>, Vec<String>)>,
    pub(super) sessions: Vec<Session>,
    /// The longest that a session lasts, whatever it asks for.
    pub(super) longest_session: Option<Duration>,
}

impl Books {
    pub(super) fn add_user(&mut self, account: &str, name: &str) -> AccessKey {
        let key =
            AccessKey { id: random::id("AKIA", 20), secret: random::base64_text(40), session_token: None };
        let caller = Caller::user(account, name);
        self.keys.insert(key.id.clone(), Entry { key: key.clone(), caller, expires: None });
        key
    }

    pub(super) fn add_role(&mut self, role: Role) {
        self.roles.insert(role.arn.clone(), (role, random::id("AROA", 21)));
    }

    /// The role and its unique id.
    pub(super) fn role(&self, arn: &str) -> Option<(Role, String)> {
        self.roles.get(arn).cloned()
    }

    pub(super) fn add_provider(&mut self, account: &str, issuer: &str, audiences: &[&str]) {
        let host = issuer.trim_start_matches("https://").to_owned();
        let audiences = audiences.iter().map(|audience| (*audience).to_owned()).collect();
        self.providers.insert((account.to_owned(), host), audiences);
    }

    pub(super) fn mirror(
        &mut self,
        account: &str,
        role: Option<Role>,
        providers: Vec<(String, Vec<String>)>,
    ) {
        if let Some((role, hosts)) = self.mirrored.remove(account) {
            if let Some(arn) = role {
                self.roles.remove(&arn);
            }
            for host in hosts {
                self.providers.remove(&(account.to_owned(), host));
            }
        }
        let arn = role.as_ref().map(|role| role.arn.clone());
        let hosts = providers.iter().map(|(host, _)| host.clone()).collect();
        self.mirrored.insert(account.to_owned(), (arn, hosts));
        if let Some(role) = role {
            self.add_role(role);
        }
        for (host, audiences) in providers {
            self.providers.insert((account.to_owned(), host), audiences);
        }
    }

    /// The client ids of a provider; `host` is the issuer without its scheme.
    pub(super) fn audiences(&self, account: &str, host: &str) -> Option<&[String]> {
        self.providers.get(&(account.to_owned(), host.to_owned())).map(Vec::as_slice)
    }

    pub(super) fn expire(&mut self, access_key: &str) {
        let entry = self.keys.get_mut(access_key).expect("a known access key");
        entry.expires = Some(SystemTime::UNIX_EPOCH);
    }

    /// Who an access key is, and its secret, when key and token are good.
    pub(super) fn judge(&self, access_key: &str, token: Option<&str>) -> Result<(Caller, String), StsError> {
        let entry = self.keys.get(access_key).ok_or_else(StsError::invalid_client)?;
        if entry.key.session_token.as_deref() != token {
            return Err(StsError::invalid_client());
        }
        if entry.expires.is_some_and(|expires| expires <= SystemTime::now()) {
            return Err(StsError::expired_session());
        }
        Ok((entry.caller.clone(), entry.key.secret.clone()))
    }

    /// Opens a session and remembers it; its key and the time at which it ends.
    pub(super) fn open(&mut self, mut session: Session, caller: Caller) -> (AccessKey, SystemTime) {
        let key = AccessKey {
            id: random::id("ASIA", 20),
            secret: random::base64_text(40),
            session_token: Some(format!("IQoJb3JpZ2luX2Vj{}==", random::base64_text(620))),
        };
        let life = Duration::from_secs(session.duration.0);
        let expires = SystemTime::now() + self.longest_session.map_or(life, |longest| life.min(longest));
        session.key = key.clone();
        self.sessions.push(session);
        self.keys.insert(key.id.clone(), Entry { key: key.clone(), caller, expires: Some(expires) });
        (key, expires)
    }
}
