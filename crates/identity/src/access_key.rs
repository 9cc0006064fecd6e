use std::fmt;

use aws_credential_types::Credentials;
use secrecy::{ExposeSecret, SecretString};

/// An AWS access key, long-lived or of a session.
#[derive(Clone)]
pub struct AccessKey {
    /// The access key id (`AKIA…` or `ASIA…`). Not a secret by itself.
    pub id: String,
    /// The secret access key.
    pub secret: SecretString,
    /// The session token of temporary credentials.
    pub session_token: Option<SecretString>,
}

/// Some parts of an access key are given and others are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{given} is given but {missing} is not; give both or neither")]
pub struct HalfKey {
    given: &'static str,
    missing: &'static str,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AccessKey(…{}, ***)", self.id_end())
    }
}

impl AccessKey {
    /// The key that these parts make, or `None` when all of them are absent.
    ///
    /// # Errors
    /// [`HalfKey`] when only some are there.
    pub fn from_parts(
        id: Option<SecretString>,
        secret: Option<SecretString>,
        session_token: Option<SecretString>,
    ) -> Result<Option<Self>, HalfKey> {
        const ID: &str = "an access key id";
        const SECRET: &str = "a secret access key";
        match (id, secret) {
            (Some(id), Some(secret)) => {
                Ok(Some(Self { id: id.expose_secret().to_owned(), secret, session_token }))
            }
            (Some(_), None) => Err(HalfKey { given: ID, missing: SECRET }),
            (None, Some(_)) => Err(HalfKey { given: SECRET, missing: ID }),
            (None, None) if session_token.is_some() => Err(HalfKey { given: "a session token", missing: ID }),
            (None, None) => Ok(None),
        }
    }

    /// The last four characters of the id: enough to find the key, and no more than that.
    pub(crate) fn id_end(&self) -> String {
        let skipped = self.id.chars().count().saturating_sub(4);
        self.id.chars().skip(skipped).collect()
    }

    /// The key in the SDK's own form, which keeps its secrets out of `Debug` too.
    #[must_use]
    pub fn to_sdk(&self) -> Credentials {
        Credentials::new(
            self.id.clone(),
            self.secret.expose_secret(),
            self.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
            None,
            "causeway",
        )
    }

    /// The key that the SDK found, for example in instance metadata.
    pub(crate) fn from_sdk(credentials: &Credentials) -> Self {
        Self {
            id: credentials.access_key_id().to_owned(),
            secret: credentials.secret_access_key().into(),
            session_token: credentials
                .session_token()
                .filter(|token| !token.is_empty())
                .map(SecretString::from),
        }
    }
}
