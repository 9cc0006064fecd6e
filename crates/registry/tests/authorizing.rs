//! `GetAuthorizationToken` through a real SDK configuration from a local server.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::time::{Duration, UNIX_EPOCH};

use causeway_registry::{AuthorizeError, authorize};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

#[path = "../../secrets/tests/support/mod.rs"]
mod support;
use support::{Aws, refusal};

const ENDPOINT: &str = "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com";
/// `AWS:pass:word==`
const TOKEN: &str = "QVdTOnBhc3M6d29yZD09";

fn data(token: &str, endpoint: &str) -> Value {
    json!({ "authorizationData": [{ "authorizationToken": token, "proxyEndpoint": endpoint, "expiresAt": 1_800_000_000 }] })
}

async fn failure(answer: (u16, Value)) -> AuthorizeError {
    let aws = Aws::start(move |_, _| answer.clone()).await;
    authorize(&aws.config()).await.unwrap_err()
}

#[tokio::test]
async fn the_token_becomes_a_login_to_the_own_registry() {
    let aws = Aws::start(|_, _| (200, data(TOKEN, ENDPOINT))).await;
    let login = authorize(&aws.config()).await.unwrap();
    assert_eq!(login.host.as_str(), "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
    assert_eq!((login.username.as_str(), login.password.expose_secret()), ("AWS", "pass:word=="));
    assert_eq!(login.basic.expose_secret(), TOKEN);
    assert_eq!(login.expires_at, Some(UNIX_EPOCH + Duration::from_secs(1_800_000_000)));
    let shown = format!("{login:?}");
    assert!(!shown.contains("pass:word") && !shown.contains(TOKEN), "{shown}");
    assert_eq!(aws.calls(), [("GetAuthorizationToken".to_owned(), json!({}))]);
}

#[tokio::test]
async fn a_token_of_another_form_is_refused_unseen() {
    // Not base64; no colon; no password; no user; not UTF-8; a line break in the password.
    for token in ["s3cret!", "c2VjcmV0", "QVdTOg==", "OnNlY3JldA==", "//79OmE=", "QVdTOmEKYg==", ""] {
        let error = failure((200, data(token, ENDPOINT))).await;
        assert!(matches!(error, AuthorizeError::UnreadableToken), "{token}: {error}");
        assert!(token.is_empty() || !format!("{error:?} {error}").contains(token));
    }
}

#[tokio::test]
async fn a_registry_that_is_not_ecrs_is_refused() {
    for endpoint in ["https://evil.example", "https://AWS:x@123456789012.dkr.ecr.eu-west-1.amazonaws.com", ""]
    {
        let error = failure((200, data(TOKEN, endpoint))).await;
        assert!(matches!(error, AuthorizeError::Host(_)), "{endpoint}: {error}");
        assert!(!format!("{error:?}").contains(TOKEN));
    }
}

#[tokio::test]
async fn an_answer_without_data_is_an_error() {
    for answer in [
        json!({}),
        json!({ "authorizationData": [] }),
        json!({ "authorizationData": [{ "proxyEndpoint": ENDPOINT }] }),
        json!({ "authorizationData": [{ "authorizationToken": TOKEN }] }),
    ] {
        assert!(matches!(failure((200, answer)).await, AuthorizeError::Missing(_)));
    }
}

#[tokio::test]
async fn a_refusal_keeps_code_and_request_id() {
    let refused = refusal("AccessDeniedException", "not authorized to perform: ecr:GetAuthorizationToken");
    let AuthorizeError::Service(error) = failure(refused).await else { panic!("a service error") };
    assert_eq!((error.code(), error.request_id()), (Some("AccessDeniedException"), Some("request-7")));
    assert_eq!(error.operation(), "GetAuthorizationToken");
}
