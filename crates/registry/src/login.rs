use std::time::SystemTime;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::Builder;
use aws_sdk_ecr::types::AuthorizationData;
use aws_smithy_types::DateTime;
use aws_types::SdkConfig;
use aws_types::region::Region as SdkRegion;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use causeway_types::{Partition, ServiceError, TooManyRequests};
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
    /// The registry lies in another of AWS's separate worlds than the credentials.
    #[error("{host} lies in partition {partition}, but the credentials are of {own}")]
    Partition {
        /// The registry.
        host: RegistryHost,
        /// Its partition.
        partition: &'static str,
        /// The credentials' partition.
        own: &'static str,
    },
    /// The registry that the service names is not one of ECR's.
    #[error("ECR answered for a registry that is none of its own")]
    Host(#[source] InvalidRegistryHost),
}

/// Gets a login to the caller's own registry in the configuration's region (`GetAuthorizationToken`).
///
/// # Errors
/// [`AuthorizeError`]. No error shows the token or a part of it.
pub async fn authorize(config: &SdkConfig) -> Result<RegistryLogin, AuthorizeError> {
    let client = Client::from_conf(Builder::from(config).retry_classifier(TooManyRequests).build());
    let answer = client.get_authorization_token().send().await;
    let answer = answer
        .map_err(|error| AuthorizeError::Service(ServiceError::new("GetAuthorizationToken", &error)))?;
    let data = answer.authorization_data.unwrap_or_default().into_iter().next();
    RegistryLogin::from_answer(data.ok_or(AuthorizeError::Missing("a token"))?)
}

/// Gets logins to registries of any account and region, in their order.
///
/// A token is good for every private registry of its region that the caller may use ("Using an authorization token", ECR User
/// Guide), so each region is asked once, at the kind of endpoint that the host is of (FIPS, dual-stack). ECR Public has one
/// for all, from us-east-1.
///
/// # Errors
/// [`AuthorizeError::Partition`] before anything is sent; then [`AuthorizeError`].
pub async fn authorize_for(
    config: &SdkConfig,
    hosts: &[RegistryHost],
) -> Result<Vec<RegistryLogin>, AuthorizeError> {
    for host in hosts {
        check_partition(config, host)?;
    }
    let mut logins: Vec<RegistryLogin> = Vec::new();
    for host in hosts {
        let known = logins.iter().find(|login| is_same_endpoint(&login.host, host));
        let login = match known {
            Some(login) => RegistryLogin { host: host.clone(), ..login.clone() },
            None if host.is_public() => authorize_public(config, host).await?,
            None => RegistryLogin { host: host.clone(), ..authorize(&config_for(config, host)).await? },
        };
        logins.push(login);
    }
    Ok(logins)
}

/// Credentials mean nothing in another partition, and ECR Public is of `aws` alone.
fn check_partition(config: &SdkConfig, host: &RegistryHost) -> Result<(), AuthorizeError> {
    let own = config.region().map(|region| Partition::of_region(region.as_ref()).id());
    let of_host = host.region().map_or("aws", |region| region.partition().id());
    match own {
        Some(own) if own != of_host => {
            Err(AuthorizeError::Partition { host: host.clone(), partition: of_host, own })
        }
        _ => Ok(()),
    }
}

fn is_same_endpoint(one: &RegistryHost, other: &RegistryHost) -> bool {
    one.region() == other.region()
        && one.is_fips() == other.is_fips()
        && (one.is_public() || one.is_dual_stack() == other.is_dual_stack())
}

/// The configuration for the API of a host's region. Where somebody set an endpoint of their own, that one stays.
pub(crate) fn config_for(config: &SdkConfig, host: &RegistryHost) -> SdkConfig {
    let mut builder = config.to_builder();
    if let Some(region) = host.region() {
        builder.set_region(SdkRegion::new(region.as_str().to_owned()));
    }
    if config.endpoint_url().is_none() {
        builder.set_use_fips(host.is_fips().then_some(true).or(config.use_fips()));
        builder.set_use_dual_stack(host.is_dual_stack().then_some(true).or(config.use_dual_stack()));
    }
    builder.build()
}

async fn authorize_public(config: &SdkConfig, host: &RegistryHost) -> Result<RegistryLogin, AuthorizeError> {
    let config = config.to_builder().region(SdkRegion::from_static("us-east-1")).build();
    let config = aws_sdk_ecrpublic::config::Builder::from(&config).retry_classifier(TooManyRequests).build();
    let answer = aws_sdk_ecrpublic::Client::from_conf(config).get_authorization_token().send().await;
    let answer = answer
        .map_err(|error| AuthorizeError::Service(ServiceError::new("GetAuthorizationToken", &error)))?;
    let data = answer.authorization_data.ok_or(AuthorizeError::Missing("a token"))?;
    RegistryLogin::from_token(host.clone(), data.authorization_token, data.expires_at)
}

impl RegistryLogin {
    fn from_answer(data: AuthorizationData) -> Result<Self, AuthorizeError> {
        let token = data.authorization_token.ok_or(AuthorizeError::Missing("a token"))?;
        let endpoint = data.proxy_endpoint.ok_or(AuthorizeError::Missing("a registry"))?;
        let host = endpoint.parse().map_err(AuthorizeError::Host)?;
        Self::from_token(host, Some(token), data.expires_at)
    }

    fn from_token(
        host: RegistryHost,
        token: Option<String>,
        expires_at: Option<DateTime>,
    ) -> Result<Self, AuthorizeError> {
        let token = SecretString::from(token.ok_or(AuthorizeError::Missing("a token"))?);
        let (username, password) = decode(&token).ok_or(AuthorizeError::UnreadableToken)?;
        let expires_at = expires_at.and_then(|time| SystemTime::try_from(time).ok());
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
