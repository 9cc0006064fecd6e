use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use super::keeper::Keeper;

/// How long a client may take to send its question.
const QUESTION_TIME: Duration = Duration::from_secs(10);
const PATH: &str = "/credentials";

/// The AWS SDKs' container credential endpoint, for this machine and for who knows the token
/// (`AWS_CONTAINER_CREDENTIALS_FULL_URI`, "Container credential provider" in the AWS SDKs and Tools Reference Guide).
pub(crate) struct Endpoint {
    listener: TcpListener,
    token: SecretString,
}

impl Endpoint {
    /// Listens on a free port of the loopback address.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn open(token: SecretString) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        Ok(Self { listener: listener.context("no port of 127.0.0.1 can be listened on")?, token })
    }

    /// A token that nobody guesses: 244 random bits.
    pub(crate) fn new_token() -> SecretString {
        let half = || uuid::Uuid::new_v4().simple().to_string();
        SecretString::from(half() + &half())
    }

    /// For `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    ///
    /// # Errors
    /// When the system does not say which port it is.
    pub(crate) fn url(&self) -> Result<String> {
        let port = self.listener.local_addr().context("the endpoint's port")?.port();
        Ok(format!("http://{}:{port}{PATH}", Ipv4Addr::LOCALHOST))
    }

    /// Answers for ever.
    pub(crate) async fn serve(self, keeper: Arc<Keeper>) {
        let token = Arc::new(self.token);
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Too many open files, for example: others end first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (keeper, token) = (keeper.clone(), token.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(request, keeper.clone(), token.clone()));
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(QUESTION_TIME)
                    .serve_connection(TokioIo::new(stream), service);
                // A client that hangs up is no concern of ours.
                let _ = connection.await;
            });
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    keeper: Arc<Keeper>,
    token: Arc<SecretString>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let given = request.headers().get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    if !bool::from(given.ct_eq(token.expose_secret().as_bytes())) {
        let words = "the authorization token is missing or wrong: AWS_CONTAINER_AUTHORIZATION_TOKEN holds it";
        return Ok(refusal(401, "AccessDenied", words));
    }
    if request.method() != Method::GET || request.uri().path() != PATH {
        return Ok(refusal(404, "NotFound", "there is nothing here but GET /credentials"));
    }
    Ok(match keeper.offer().await {
        Ok(offer) => reply(200, offer.for_container(SystemTime::now()).expose_secret().to_owned()),
        Err(reason) => refusal(503, "CredentialsNotAvailable", &format!("Causeway: {reason}")),
    })
}

fn refusal(status: u16, code: &str, message: &str) -> Response<Full<Bytes>> {
    reply(status, json!({ "code": code, "message": message }).to_string())
}

fn reply(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    response
}
