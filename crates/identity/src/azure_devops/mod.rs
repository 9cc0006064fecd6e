//! The one call of Azure DevOps that federation needs: "Oidctoken - Create" of the distributedtask REST API.

mod address;
mod error;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::{RawResponse, RetryOptions, Transport};
use azure_devops_rust_api::{Credential, distributed_task};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use crate::claims::OidcToken;
use crate::error::IdentityError;
use crate::resolve::TokenSource;
use crate::retry::{Failed, Retry, RetryPolicy};
use address::TokenAddress;
pub use error::{TokenError, TokenRequestError};
use transport::ToAgentsAddress;

/// What to ask Azure DevOps for. Checked when it is made, before anything is sent.
#[derive(Clone)]
pub struct TokenRequest {
    address: TokenAddress,
    job_token: SecretString,
    organization: Option<String>,
    connection_id: Option<String>,
}

impl TokenRequest {
    /// A token for service connection `connection_id`, or for the pipeline itself when that is `None`.
    ///
    /// `address` is the job's token address, `organization` the name that the token's subject must carry.
    ///
    /// # Errors
    /// [`TokenRequestError`] when the address or the job's token is missing, or the address is not safe to send it to.
    pub fn new(
        address: Option<&str>,
        job_token: Option<SecretString>,
        organization: Option<String>,
        connection_id: Option<String>,
    ) -> Result<Self, TokenRequestError> {
        Ok(Self {
            address: TokenAddress::parse(address.ok_or(TokenRequestError::NoAddress)?)?,
            job_token: job_token.ok_or(TokenRequestError::NoJobToken)?,
            organization,
            connection_id,
        })
    }

    /// The same, if it is asked of the server that the agent works for.
    ///
    /// # Errors
    /// [`TokenRequestError::ForeignAddress`] when the address belongs to somebody else.
    pub fn only_to(self, server: &str) -> Result<Self, TokenRequestError> {
        let is_own = Url::parse(server).is_ok_and(|server| self.address.is_of(&server));
        if is_own { Ok(self) } else { Err(TokenRequestError::ForeignAddress { host: self.address.host() }) }
    }
}

/// Azure DevOps as a source of OIDC tokens.
pub struct AzureDevOpsTokens {
    connector: SharedHttpConnector,
    request: TokenRequest,
    policy: RetryPolicy,
}

impl AzureDevOpsTokens {
    /// Asks with `request` over `connector`, which brings proxy, certificates and time limits; passing faults are tried
    /// again until `deadline` is over.
    #[must_use]
    pub fn new(connector: SharedHttpConnector, request: TokenRequest, deadline: Duration) -> Self {
        Self { connector, request, policy: RetryPolicy::within(deadline) }
    }

    /// The same with other pauses and limits.
    #[must_use]
    pub fn with_policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    async fn attempt(&self) -> Result<OidcToken, TokenError> {
        let seconds = self.policy.attempt_timeout.as_secs_f32();
        let late = |_| TokenError::Unreachable {
            reason: format!("{}: no answer within {seconds} seconds", self.request.address.host()),
        };
        tokio::time::timeout(self.policy.attempt_timeout, self.ask()).await.map_err(late)?
    }

    async fn ask(&self) -> Result<OidcToken, TokenError> {
        let path = self.request.address.path();
        let client = distributed_task::ClientBuilder::new(Credential::from_token_credential(Arc::new(
            JobToken(self.request.job_token.clone()),
        )))
        .endpoint(self.request.address.origin())
        // Retries are ours: which answers are final is known here and not there.
        .retry(RetryOptions::none())
        .transport(Transport::new(Arc::new(ToAgentsAddress::new(
            self.connector.clone(),
            self.request.address.clone(),
        ))))
        .build();
        let mut call = client.oidctoken_client().create(
            path.organization.as_str(),
            json!({}),
            path.project.as_str(),
            path.hub.as_str(),
            path.plan.as_str(),
            path.job.as_str(),
        );
        if let Some(connection) = &self.request.connection_id {
            call = call.service_connection_id(connection);
        }
        let answer = call
            .send()
            .await
            .map_err(|error| TokenError::from_azure(&error).at(&self.request.address.host()))?;
        self.read(&answer.into_raw_response())
    }

    fn told(&self, failed: Failed<TokenError>) -> TokenError {
        if !failed.out_of_time {
            return failed.error;
        }
        TokenError::OutOfTime {
            last: Box::new(failed.error),
            attempts: failed.attempts,
            deadline: self.policy.deadline,
        }
    }

    fn read(&self, answer: &RawResponse) -> Result<OidcToken, TokenError> {
        let status = u16::from(answer.status());
        let body: &[u8] = answer.body();
        if status != 200 {
            return Err(TokenError::from_status(status, body));
        }
        let answer: Value = serde_json::from_slice(body).map_err(|_| TokenError::Unreadable)?;
        let token = answer.get("oidcToken").and_then(Value::as_str).filter(|token| !token.is_empty());
        let token = OidcToken::read(SecretString::from(token.ok_or(TokenError::Empty)?))?;
        let subject = &token.claims().subject;
        let organization = self.request.organization.as_deref();
        match &self.request.connection_id {
            Some(connection) => subject.check_connection(organization, connection)?,
            None => subject.check_pipeline(organization)?,
        }
        Ok(token)
    }
}

#[async_trait]
impl TokenSource for AzureDevOpsTokens {
    async fn token(&self) -> Result<OidcToken, IdentityError> {
        let ending = self.policy.run(|| self.attempt(), retry).await;
        ending.map_err(|failed| IdentityError::Token(self.told(failed)))
    }
}

fn retry(error: &TokenError) -> Retry {
    match (error.is_passing(), error.retry_after()) {
        (false, _) => Retry::Never,
        (true, Some(pause)) => Retry::After(pause),
        (true, None) => Retry::Soon,
    }
}

/// The job's own token in the form that the Azure client asks for.
struct JobToken(SecretString);

impl fmt::Debug for JobToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JobToken(***)")
    }
}

#[async_trait]
impl TokenCredential for JobToken {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        // The agent renews the job's token by itself; the client only wants some time in the future.
        let expires = azure_core::time::OffsetDateTime::now_utc() + Duration::from_secs(3600);
        Ok(AccessToken::new(self.0.expose_secret().to_owned(), expires))
    }
}
