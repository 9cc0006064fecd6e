use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use causeway_identity::{AccessKey, Session};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Credentials as they are given to a tool.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    key: AccessKey,
    /// When the tool must ask again; `None` when the credentials do not say when they end.
    until: Option<SystemTime>,
}

/// The most by which a tool is told to come back early.
const MARGIN: Duration = Duration::from_secs(60);

/// What a container's credentials must say, where the key itself has no end.
const ENDLESS: Duration = Duration::from_secs(3600);

impl Offer {
    /// A tool is told an end a little before the real one: a request that it signs in the last moment arrives in time.
    pub(super) fn of(
        session: &Session,
        life: Option<Duration>,
        end: Option<SystemTime>,
        now: SystemTime,
    ) -> Self {
        let until = end.map(|end| {
            let early = end - MARGIN.min(life.unwrap_or_default() / 10);
            if early > now { early } else { end }
        });
        Self { key: session.key.clone(), until }
    }

    /// The key in a tool's own environment.
    pub(crate) fn of_key(key: AccessKey) -> Self {
        Self { key, until: None }
    }

    /// The answer of a `credential_process` ("Process credential provider", AWS SDKs and Tools Reference Guide).
    pub(crate) fn for_process(&self) -> SecretString {
        let mut document = self.common("SessionToken");
        document.insert("Version".to_owned(), json!(1));
        if let Some(until) = self.until {
            document.insert("Expiration".to_owned(), json!(utc(until)));
        }
        SecretString::from(Value::Object(document).to_string())
    }

    /// For the SDK in this process. A session that does not say when it ends is to be asked for again after
    /// `at_latest`.
    pub(super) fn for_sdk(&self, at_latest: SystemTime) -> Credentials {
        let mut credentials = self.key.to_sdk();
        let is_session = self.key.session_token.is_some();
        *credentials.expiry_mut() = self.until.or(is_session.then_some(at_latest));
        credentials
    }

    /// The answer of a container's credential endpoint ("Container credential provider", same guide).
    pub(super) fn for_container(&self, now: SystemTime) -> SecretString {
        let mut document = self.common("Token");
        document.insert("Expiration".to_owned(), json!(utc(self.until.unwrap_or(now + ENDLESS))));
        SecretString::from(Value::Object(document).to_string())
    }

    fn common(&self, token_name: &str) -> serde_json::Map<String, Value> {
        let mut document = serde_json::Map::new();
        document.insert("AccessKeyId".to_owned(), json!(self.key.id));
        document.insert("SecretAccessKey".to_owned(), json!(self.key.secret.expose_secret()));
        if let Some(token) = &self.key.session_token {
            document.insert(token_name.to_owned(), json!(token.expose_secret()));
        }
        document
    }
}

/// A point in time that STS names.
pub(super) fn at(seconds: i64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// A point in time as people and tools write it down.
pub(super) fn utc(time: SystemTime) -> String {
    let whole = OffsetDateTime::from(time).replace_nanosecond(0);
    whole.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_identity::Caller;

    fn session(token: Option<&str>) -> Session {
        Session {
            key: AccessKey {
                id: "ASIAEXAMPLE".to_owned(),
                secret: "hunter2".into(),
                session_token: token.map(SecretString::from),
            },
            expires_at: None,
            caller: Caller { account: "123456789012".parse().unwrap(), arn: String::new() },
        }
    }

    #[test]
    fn tools_are_told_to_come_back_before_the_end() {
        let told = |life, end, now| {
            let life = Some(Duration::from_secs(life));
            Offer::of(&session(None), life, at(end), at(now).unwrap()).until.unwrap()
        };
        assert_eq!(told(900, 1_900, 1_000), at(1_840).unwrap());
        assert_eq!(told(900, 1_900, 1_850), at(1_900).unwrap(), "past the early end the real one is told");
        assert_eq!(told(5, 1_005, 1_000), at(1_005).unwrap() - Duration::from_millis(500));
    }

    #[test]
    fn documents_have_the_fields_that_tools_read() {
        let now = at(0).unwrap();
        let hour = Duration::from_secs(3600);
        let offer = Offer::of(&session(Some("tok")), Some(hour), Some(now + hour), now);
        assert_eq!(
            offer.for_process().expose_secret(),
            r#"{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"hunter2","SessionToken":"tok","Version":1,"Expiration":"1970-01-01T00:59:00Z"}"#
        );
        assert!(offer.for_container(now).expose_secret().contains(r#""Token":"tok""#));
        let endless = Offer::of(&session(None), None, None, now);
        assert!(!endless.for_process().expose_secret().contains("Expiration"));
        assert!(
            endless.for_container(now).expose_secret().contains(r#""Expiration":"1970-01-01T01:00:00Z""#)
        );
        assert!(!format!("{offer:?}").contains("hunter2"));
    }
}
