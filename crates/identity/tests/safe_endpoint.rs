//! A token never leaves for an STS that is not reached over https, whatever named that endpoint.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::SdkConfig;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use causeway_identity::{
    Authentication, IdentityError, IdentityPlan, Observer, OidcToken, RoleRequest, SessionName, TokenSource,
};
use secrecy::SecretString;

/// Notes where requests go, and answers none.
#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.lock().unwrap().push(request.uri().to_owned());
        HttpConnectorFuture::ready(Err(ConnectorError::user("nobody is there".into())))
    }
}

struct OneToken;

#[async_trait]
impl TokenSource for OneToken {
    async fn token(&self) -> Result<OidcToken, IdentityError> {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let claims = r#"{"iss":"https://issuer.example","sub":"p://a/b/c","aud":"d"}"#;
        Ok(OidcToken::read(SecretString::from(format!("{}.{}.x", part("{}"), part(claims)))).unwrap())
    }
}

struct Silent;

impl Observer for Silent {}

/// The error, and the addresses that were asked.
async fn assume_at(endpoint: &str) -> (String, Vec<String>) {
    let recorder = Recorder::default();
    let connector = SharedHttpConnector::new(recorder.clone());
    let config = SdkConfig::builder()
        .behavior_version(aws_sdk_sts::config::BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .retry_config(aws_sdk_sts::config::retry::RetryConfig::disabled())
        .build();
    let role = "arn:aws:iam::123456789012:role/deploy".parse().unwrap();
    let roles = vec![RoleRequest::new(role, SessionName::unnamed())];
    let plan = IdentityPlan::new("eu-west-1".parse().unwrap(), Authentication::Federated, roles).unwrap();
    let error = plan.resolve(&config, Some(&OneToken), &Silent).await.unwrap_err().to_string();
    let asked = recorder.0.lock().unwrap().clone();
    (error, asked)
}

#[tokio::test]
async fn a_token_goes_to_https_and_to_this_machine_only() {
    for unsafe_endpoint in
        ["http://sts.example", "http://127.0.0.1.evil.example:81/x", "http://10.0.0.1:4566"]
    {
        let (error, asked) = assume_at(unsafe_endpoint).await;
        assert!(asked.is_empty(), "{asked:?}");
        assert!(error.contains("is not https, so the job's OIDC token is not sent there"), "{error}");
    }
    for safe_endpoint in ["https://sts.example", "http://127.0.0.1:4566", "http://localhost:4566"] {
        let (error, asked) = assume_at(safe_endpoint).await;
        assert_eq!(asked.len(), 1, "{error}");
    }
}
