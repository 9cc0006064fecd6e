//! A small AWS on a free loopback port: it speaks the JSON 1.1 protocol, and a closure decides each answer.
#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod store;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One call: the operation of `x-amz-target` and its body.
pub(crate) type Call = (String, Value);
type Handler = dyn Fn(&str, &Value) -> (u16, Value) + Send + Sync;

/// The server; it ends with the value.
pub(crate) struct Aws {
    address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    task: JoinHandle<()>,
}

impl Aws {
    /// Starts answering with what `handler` makes of an operation and its body.
    pub(crate) async fn start(
        handler: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        Self::start_away(Duration::ZERO, handler).await
    }

    /// The same, so far away that each answer takes `delay`.
    pub(crate) async fn start_away(
        delay: Duration,
        handler: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(accept(listener, delay, Arc::new(handler), Arc::clone(&calls)));
        Self { address, calls, task }
    }

    /// What was asked so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The operations that were asked so far.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.calls().into_iter().map(|(operation, _)| operation).collect()
    }

    /// A configuration that points here, with short pauses.
    pub(crate) fn config(&self) -> SdkConfig {
        self.config_with(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
    }

    /// The same with the binary's retries.
    pub(crate) fn patient_config(&self) -> SdkConfig {
        let retry = RetryConfig::standard()
            .with_max_attempts(8)
            .with_initial_backoff(Duration::from_millis(500))
            .with_max_backoff(Duration::from_secs(8));
        self.config_with(retry)
    }

    fn config_with(&self, retry: RetryConfig) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(&self.address)
            .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(
                "AKIDTEST", "key", None,
            )))
            .retry_config(retry)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SystemTimeSource::new())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The body of a service's refusal.
pub(crate) fn refusal(code: &str, message: &str) -> (u16, Value) {
    (400, serde_json::json!({ "__type": code, "message": message }))
}

async fn accept(listener: TcpListener, delay: Duration, handler: Arc<Handler>, calls: Arc<Mutex<Vec<Call>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (handler, calls) = (Arc::clone(&handler), Arc::clone(&calls));
        let service =
            service_fn(move |request| answer(request, delay, Arc::clone(&handler), Arc::clone(&calls)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    delay: Duration,
    handler: Arc<Handler>,
    calls: Arc<Mutex<Vec<Call>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers()["x-amz-target"].to_str().unwrap().to_owned();
    let operation = target.rsplit('.').next().unwrap().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let (status, reply) = handler(&operation, &body);
    tokio::time::sleep(delay).await;
    calls.lock().unwrap().push((operation, body));
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amzn-requestid", "request-7");
    Ok(response.body(Full::new(Bytes::from(reply.to_string()))).unwrap())
}
