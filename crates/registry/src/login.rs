use std::time::SystemTime;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::AuthorizationData;
use aws_types::SdkConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use causeway_types::ServiceError;
use secrecy::{ExposeSecret, SecretString};

use crate::{InvalidRegistryHost, RegistryHost};

/// What a registry takes as proof, for twelve hours.
///
/// Both `password` and `basic` are secrets in their own right: who knows one has the login.
#[derive(Debug, Clone)]
pub struct RegistryLogin {
    /// The registry.
    pub host: RegistryHost,
    /// The user name; ECR's is always `AWS`.
    pub username: String,
    /// The password.
    pub password: SecretString,
    /// The base64 of `username:password`, as `auth` in docker's configuration and HTTP Basic have it.
    pub basic: SecretString,
    /// When the service ends the login, where it says so.
    pub expires_at: Option<SystemTime>,
}

/// Why there is no login.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// ECR refused or failed.
    #[error("ECR gave no authorization token")]
    Service(#[source] ServiceError),
    /// The answer holds no token or no registry.
    #[error("ECR answered without {0}")]
    Missing(&'static str),
    /// The token is not what ECR documents. It is not shown: it may be a working one.
    #[error("ECR answered a token that is not the base64 of a user name and a password")]
    UnreadableToken,
    /// The registry that the service names is not one of ECR's.
    #[error("ECR answered for a registry that is none of its own")]
    Host(#[source] InvalidRegistryHost),
}

/// Gets a login to the caller's own registry in the configuration's region (`GetAuthorizationToken`).
///
/// # Errors
/// [`AuthorizeError`]. No error shows the token or a part of it.
pub async fn authorize(config: &SdkConfig) -> Result<RegistryLogin, AuthorizeError> {
    let answer = Client::new(config).get_authorization_token().send().await;
    let answer = answer
        .map_err(|error| AuthorizeError::Service(ServiceError::new("GetAuthorizationToken", &error)))?;
    let data = answer.authorization_data.unwrap_or_default().into_iter().next();
    RegistryLogin::from_answer(data.ok_or(AuthorizeError::Missing("a token"))?)
}

impl RegistryLogin {
    fn from_answer(data: AuthorizationData) -> Result<Self, AuthorizeError> {
        let token = SecretString::from(data.authorization_token.ok_or(AuthorizeError::Missing("a token"))?);
        let endpoint = data.proxy_endpoint.ok_or(AuthorizeError::Missing("a registry"))?;
        let host = endpoint.parse().map_err(AuthorizeError::Host)?;
        let (username, password) = decode(&token).ok_or(AuthorizeError::UnreadableToken)?;
        let expires_at = data.expires_at.and_then(|time| SystemTime::try_from(time).ok());
        Ok(Self { host, basic: encode(&username, &password), username, password, expires_at })
    }
}

/// Splits the base64 of `username:password`.
fn decode(token: &SecretString) -> Option<(String, SecretString)> {
    let bytes = STANDARD.decode(token.expose_secret()).ok()?;
    let text = SecretString::from(String::from_utf8(bytes).ok()?);
    let (username, password) = text.expose_secret().split_once(':')?;
    let printable = |text: &str| !text.is_empty() && !text.contains(char::is_control);
    (printable(username) && printable(password))
        .then(|| (username.to_owned(), SecretString::from(password.to_owned())))
}

fn encode(username: &str, password: &SecretString) -> SecretString {
    let pair = SecretString::from(format!("{username}:{}", password.expose_secret()));
    SecretString::from(STANDARD.encode(pair.expose_secret()))
}
