use async_trait::async_trait;
use aws_credential_types::provider::ProvideCredentials;
use aws_types::SdkConfig;
use causeway_types::AccountId;

use crate::access_key::AccessKey;
use crate::claims::OidcToken;
use crate::error::IdentityError;
use crate::plan::{Authentication, IdentityPlan, PlanError, RoleRequest};
use crate::sts;

/// Credentials and whose they are.
#[derive(Debug, Clone)]
pub struct Session {
    /// The key to sign with.
    pub key: AccessKey,
    /// When it ends, in seconds since 1970; `None` for a long-lived key.
    pub expires_at: Option<i64>,
    /// Who AWS says it is.
    pub caller: Caller,
}

/// Who AWS says signed a call (STS `GetCallerIdentity`, or the role user that an assume call names).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The user's or the role session's ARN.
    pub arn: String,
}

/// Where OIDC tokens come from.
#[async_trait]
pub trait TokenSource: Sync {
    /// A new token.
    ///
    /// # Errors
    /// [`IdentityError::Token`] when there is none to be had.
    async fn token(&self) -> Result<OidcToken, IdentityError>;
}

/// Is told what happens while a plan is carried out, as soon as it happens: so that secrets are masked before anything
/// else is said, and so that a failure later on leaves what was found out before.
pub trait Observer: Sync {
    /// A token arrived.
    fn token_received(&self, _token: &OidcToken) {}
    /// Credentials arrived: a key of the machine, or a role's session.
    fn key_received(&self, _key: &AccessKey) {}
    /// A role was assumed.
    fn role_assumed(&self, _role: &RoleRequest, _session: &Session) {}
}

impl IdentityPlan {
    /// Carries the plan out. `config` brings the HTTP client, endpoints, time limits and retries, and no credentials;
    /// its region is replaced by the plan's.
    ///
    /// # Errors
    /// [`IdentityError`] of the first step that failed. Nothing else is tried in its place.
    pub async fn resolve(
        &self,
        config: &SdkConfig,
        tokens: Option<&dyn TokenSource>,
        observer: &dyn Observer,
    ) -> Result<Session, IdentityError> {
        let region = aws_types::region::Region::new(self.region.as_str().to_owned());
        let config = config.to_builder().region(region).build();
        let mut roles = self.roles.iter();
        let mut session = None;
        let (mut key, mut with) = match &self.authentication {
            Authentication::Federated => {
                let role = roles.next().ok_or(PlanError::FederatedWithoutRole)?;
                let tokens = tokens.ok_or(IdentityError::NoTokenSource)?;
                let assumed = with_token(&config, role, tokens, observer).await?;
                (session.insert(assumed).key.clone(), session_of(role))
            }
            Authentication::AccessKey(key) => (key.clone(), format!("access key …{}", key.id_end())),
            Authentication::Agent => {
                (agents_own(&config, observer).await?, "the agent's own credentials".to_owned())
            }
        };
        for role in roles {
            let assumed = sts::assume(&config, role, &key).await;
            let assumed = assumed.map_err(|error| IdentityError::assume(role, &with, error))?;
            observer.key_received(&assumed.key);
            observer.role_assumed(role, &assumed);
            key = session.insert(assumed).key.clone();
            with = session_of(role);
        }
        match session {
            Some(session) => Ok(session),
            None => unassumed(&config, key).await,
        }
    }
}

fn session_of(role: &RoleRequest) -> String {
    format!("the session of role {}", role.arn.name())
}

async fn with_token(
    config: &SdkConfig,
    role: &RoleRequest,
    tokens: &dyn TokenSource,
    observer: &dyn Observer,
) -> Result<Session, IdentityError> {
    let token = tokens.token().await?;
    observer.token_received(&token);
    let session = sts::assume_with_token(config, role, &token)
        .await
        .map_err(|error| IdentityError::assume_with_token(role, token.claims(), error))?;
    observer.key_received(&session.key);
    observer.role_assumed(role, &session);
    Ok(session)
}

/// A key that no role followed: AWS is asked whose it is, so that a wrong one fails here and not later.
async fn unassumed(config: &SdkConfig, key: AccessKey) -> Result<Session, IdentityError> {
    let caller = caller(config, &key).await?;
    Ok(Session { key, expires_at: None, caller })
}

/// Asks AWS whose `key` is (STS `GetCallerIdentity`, which needs no permission).
///
/// # Errors
/// [`IdentityError::Caller`] when AWS does not accept the key.
pub async fn caller(config: &SdkConfig, key: &AccessKey) -> Result<Caller, IdentityError> {
    sts::caller(config, key).await.map_err(|error| IdentityError::caller(key, error))
}

/// The machine's own credentials in the SDK's order: environment, shared files, container, instance metadata v2.
async fn agents_own(config: &SdkConfig, observer: &dyn Observer) -> Result<AccessKey, IdentityError> {
    let mut loader = aws_config::default_provider::credentials::DefaultCredentialsChain::builder();
    loader.set_region(config.region().cloned());
    let provider = loader.configure(provider_config(config)).build().await;
    let credentials = provider
        .provide_credentials()
        .await
        .map_err(|error| IdentityError::NoAgentCredentials { reason: innermost(&error) })?;
    let key = AccessKey::from_sdk(&credentials);
    observer.key_received(&key);
    Ok(key)
}

fn provider_config(config: &SdkConfig) -> aws_config::provider_config::ProviderConfig {
    let mut provider =
        aws_config::provider_config::ProviderConfig::default().with_region(config.region().cloned());
    if let Some(client) = config.http_client() {
        provider = provider.with_http_client(client);
    }
    provider
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
