//! The registry's own protocol: "OCI Distribution Specification".
//!
//! Why not `oci-client` (0.18): it builds its own reqwest client, so neither our proxy rules nor our certificates would hold
//! and a second TLS configuration came along; it retries nothing, resumes nothing, and its chunked upload (its default) is
//! what ECR answers wrongly (aws/containers-roadmap#2831).

mod answer;
mod blobs;
mod body;
mod challenge;
mod download;
mod error;
mod manifest;
mod patience;
mod upload;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{RegistryHost, RegistryLogin, RepositoryName};
use answer::Answer;
pub(crate) use blobs::Arrival;
use challenge::Challenge;
pub(crate) use download::is_complete;
pub use error::RegistryError;
use patience::Patience;

/// A registry that somebody is logged in to.
///
/// It is cheap to clone; clones share the connection pool and the login.
#[derive(Clone)]
pub struct Registry {
    connector: SharedHttpConnector,
    host: RegistryHost,
    /// `Authorization`, as it is sent now.
    authorization: Arc<RwLock<SecretString>>,
    basic: SecretString,
}

/// A request whose body, if any, is in memory, so that it can be sent again.
#[derive(Debug, Clone)]
struct Request {
    method: &'static str,
    url: Url,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Request {
    fn new(method: &'static str, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: Bytes::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn to_http(&self, body: SdkBody) -> Result<HttpRequest, RegistryError> {
        let unsendable = |reason: String| RegistryError::Protocol { action: self.method.to_owned(), reason };
        let mut request = HttpRequest::new(body);
        request.set_method(self.method).map_err(|error| unsendable(error.to_string()))?;
        request.set_uri(self.url.as_str()).map_err(|error| unsendable(error.to_string()))?;
        for (name, value) in &self.headers {
            let inserted = request.headers_mut().try_insert(*name, value.clone());
            inserted.map_err(|error| unsendable(error.to_string()))?;
        }
        Ok(request)
    }
}

impl Registry {
    /// A registry and how to reach it. The connector must set no limit on how long a request may take: a layer is sent in
    /// one. What stalls is noticed here.
    #[must_use]
    pub fn new(connector: SharedHttpConnector, login: &RegistryLogin) -> Self {
        let basic = SecretString::from(format!("Basic {}", login.basic.expose_secret()));
        let authorization = Arc::new(RwLock::new(basic.clone()));
        Self { connector, host: login.host.clone(), authorization, basic }
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// An address of the repository: `/v2/<name>/<rest>`.
    fn url(&self, repository: &RepositoryName, rest: &str) -> Result<Url, RegistryError> {
        let text = format!("https://{}/v2/{repository}/{rest}", self.host);
        Url::parse(&text).map_err(|error| RegistryError::Protocol { action: text, reason: error.to_string() })
    }

    /// Sends a request, again where that may help, and answers what the registry said, be it good or bad.
    async fn send(&self, request: &Request, action: &str) -> Result<Answer, RegistryError> {
        let mut patience = Patience::new();
        loop {
            let body = SdkBody::from(request.body.clone());
            let ending = patience::answered(self.send_once(request, body, action), action).await;
            let error = match ending {
                Ok(answer) if !answer.is_transient() => return Ok(answer),
                Ok(answer) => answer.into_error(action).await,
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            patience.wait(error).await?;
        }
    }

    /// Sends a request once; only a login that the registry wants in another form is tried again, if the body allows.
    async fn send_once(
        &self,
        request: &Request,
        body: SdkBody,
        action: &str,
    ) -> Result<Answer, RegistryError> {
        let again = body.try_clone();
        let answer = self.call(request, body, action).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let Some(challenge) = answer.header("www-authenticate").and_then(Challenge::bearer) else {
            return Ok(answer);
        };
        let token = self.token(&challenge, action).await?;
        *self.authorization.write().unwrap_or_else(PoisonError::into_inner) = token;
        match again {
            Some(body) => self.call(request, body, action).await,
            None => Ok(answer),
        }
    }

    async fn call(&self, request: &Request, body: SdkBody, action: &str) -> Result<Answer, RegistryError> {
        let mut http = request.to_http(body)?;
        if self.is_own(&request.url) {
            let authorization = self.authorization.read().unwrap_or_else(PoisonError::into_inner).clone();
            let inserted =
                http.headers_mut().try_insert("authorization", authorization.expose_secret().to_owned());
            inserted.map_err(|_| RegistryError::Protocol {
                action: action.to_owned(),
                reason: "the login holds characters that no header takes".to_owned(),
            })?;
        }
        let answer = self.connector.call(http).await;
        answer.map(Answer::of).map_err(|error| RegistryError::unreachable(action, error))
    }

    /// Whether an address is this registry's, by whichever of its names: only then the login is shown.
    fn is_own(&self, url: &Url) -> bool {
        let host = url.host_str().and_then(|host| host.parse::<RegistryHost>().ok());
        url.scheme() == "https"
            && url.port().is_none()
            && host.is_some_and(|host| host.is_same_registry(&self.host))
    }

    /// Trades the login for a token ("Token Authentication Specification" of distribution).
    async fn token(&self, challenge: &Challenge, action: &str) -> Result<SecretString, RegistryError> {
        let refused = |reason: &str| RegistryError::Protocol {
            action: action.to_owned(),
            reason: format!("the registry wants a token, but {reason}"),
        };
        let url = challenge.address().ok_or_else(|| refused("names no address for it"))?;
        if !self.is_own(&url) {
            return Err(refused("from another host than its own, which the login is not shown to"));
        }
        let request = Request::new("GET", url).with("authorization", self.basic.expose_secret());
        let answer = self.connector.call(request.to_http(SdkBody::empty())?).await;
        let answer = answer.map(Answer::of).map_err(|error| RegistryError::unreachable(action, error))?;
        if answer.status != 200 {
            return Err(answer.into_error(action).await);
        }
        let text = answer.bytes(1 << 16, action).await?;
        let token = challenge::token(&text).ok_or_else(|| refused("gave none"))?;
        Ok(SecretString::from(format!("Bearer {}", token.expose_secret())))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Registry").field("host", &self.host).finish_non_exhaustive()
    }
}
