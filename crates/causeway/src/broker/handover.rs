use std::collections::HashMap;

use anyhow::{Context, Result};
use causeway_agent::Environment;
use causeway_identity::{AccessKey, Caller, Session};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// What a step hands to the broker that it starts, over the broker's standard input: the one place where these secrets are
/// written, and it is memory.
#[derive(Serialize, Deserialize)]
pub(super) struct Handover {
    environment: HashMap<String, String>,
    key_id: String,
    key_secret: String,
    session_token: Option<String>,
    expires_at: Option<i64>,
    account: String,
    arn: String,
    endpoint_token: Option<String>,
    /// Whether the credentials are renewed.
    pub(super) refresh: bool,
}

impl Handover {
    pub(super) fn new(
        environment: &Environment,
        session: &Session,
        endpoint_token: Option<&SecretString>,
        refresh: bool,
    ) -> Self {
        let own = |secret: &SecretString| secret.expose_secret().to_owned();
        Self {
            environment: environment
                .with_prefix("")
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            key_id: session.key.id.clone(),
            key_secret: own(&session.key.secret),
            session_token: session.key.session_token.as_ref().map(own),
            expires_at: session.expires_at,
            account: session.caller.account.as_str().to_owned(),
            arn: session.caller.arn.clone(),
            endpoint_token: endpoint_token.map(own),
            refresh,
        }
    }

    pub(super) fn to_text(&self) -> Result<SecretString> {
        Ok(SecretString::from(serde_json::to_string(self)?))
    }

    pub(super) fn read(text: &SecretString) -> Result<Self> {
        serde_json::from_str(text.expose_secret())
            .ok()
            .context("a broker is started by a step and is no command for people")
    }

    pub(super) fn take_environment(&mut self) -> Environment {
        Environment::from_pairs(std::mem::take(&mut self.environment))
    }

    pub(super) fn endpoint_token(&self) -> Option<SecretString> {
        self.endpoint_token.as_deref().map(SecretString::from)
    }

    pub(super) fn session(&self) -> Result<Session> {
        Ok(Session {
            key: AccessKey {
                id: self.key_id.clone(),
                secret: self.key_secret.as_str().into(),
                session_token: self.session_token.as_deref().map(SecretString::from),
            },
            expires_at: self.expires_at,
            caller: Caller { account: self.account.parse()?, arn: self.arn.clone() },
        })
    }
}
