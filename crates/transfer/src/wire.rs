//! The way of content to and from S3, below the SDK: hyper and rustls, signed with the official `aws-sigv4`.
//!
//! Requests are put together once, signed with credentials that are renewed in time, and sent over warm
//! connections of our own, or through the SDK's connector where a proxy is in the way. Over TLS the payload is
//! not hashed for the signature: the checksum guards it against faults, TLS against people.

mod answer;
mod attempts;
mod body;
mod connection;
mod endpoint;
mod moving;
mod reply;
mod route;
mod signature;
mod signer;
mod stream;
mod tls;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};

use crate::buffers::Buffers;
use crate::content::{CHECKSUM_HEADER, Content, Framing, INLINE_BYTES, Range, Reading, STREAM_BYTES, encode};
use crate::failure::FailureReason;
use crate::limits::TransferLimits;
use crate::pace::Pace;
use crate::reader::blocking;
pub(crate) use answer::{Again, Fault};
pub(crate) use attempts::Attempts;
use body::Body;
use connection::Pool;
use endpoint::Endpoint;
pub use endpoint::EndpointError;
pub(crate) use endpoint::RESERVED;
use moving::while_it_moves;
pub(crate) use reply::Reply;
pub use route::Route;
use signature::Signable;
use signer::{Current, Signer};
use stream::Dialer;
pub(crate) use stream::Flow;

/// How long the head of an answer may take after the last of its request was taken off, beside what is still on its
/// way then.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// A connection slower than this, in bytes a second, is given up.
const SLOWEST: u64 = 32 << 10;
/// So much of a request may lie in the system's buffers at most (Linux, `tcp_wmem`): that it was taken off does not
/// say that it has arrived.
const BUFFERED: u64 = 4 << 20;
/// Answers to anything but a download are small.
const SMALL_ANSWER: usize = 1 << 20;
/// What stands in a signature for content (SigV4, header `x-amz-content-sha256`): the hash of nothing, or that it is not
/// covered.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const UNSIGNED_WITH_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// The way to one bucket.
pub(crate) struct Wire {
    endpoint: Endpoint,
    signer: Signer,
    way: Way,
    pub(crate) pace: Arc<Pace>,
    pub(crate) buffers: Arc<Buffers>,
    agent: HeaderValue,
    attempts: u32,
    backoff: Duration,
}

enum Way {
    Direct(Arc<Pool>),
    Through(SharedHttpConnector),
}

/// A request, before it is signed.
pub(crate) struct Call<'a> {
    /// The API's name of it.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) key: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Option<&'a Content>,
}

/// A request's content, ready to go.
struct Packed {
    body: Body,
    /// Its SHA-256, or how else the signature covers it.
    payload: Cow<'static, str>,
    /// Where it is known before it is sent.
    checksum: Option<u64>,
    reading: Option<Reading>,
}

impl Wire {
    pub(crate) async fn open(
        client: &Client,
        bucket: &str,
        config: &SdkConfig,
        route: &Route,
        limits: &TransferLimits,
        flow: Flow,
    ) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::resolve(client, bucket).await?;
        let provider = config.credentials_provider().unwrap_or_else(no_credentials);
        let way = if route.is_direct(&endpoint.address()) {
            let tls = if endpoint.is_tls {
                Some(route.tls().map_err(|_| EndpointError::Unsupported)?)
            } else {
                None
            };
            let dialer = Dialer::new(&endpoint.host, endpoint.port, tls, flow);
            Way::Direct(Pool::new(dialer.map_err(|_| EndpointError::Unsupported)?))
        } else {
            Way::Through(route.connector())
        };
        Ok(Self {
            endpoint,
            signer: Signer::new(provider),
            way,
            pace: Pace::new(limits.parallelism.get(), limits.silence),
            buffers: Arc::default(),
            agent: agent(config),
            attempts: limits.attempts.max(1),
            backoff: limits.backoff,
        })
    }

    /// Whether a secret may be sent: nobody can read it on its way.
    pub(crate) fn is_private(&self) -> bool {
        self.is_tls() || self.endpoint.is_loopback()
    }

    /// Tells one S3 from another: a bucket's name is not enough.
    pub(crate) fn place(&self, bucket: &str) -> String {
        self.endpoint.place(bucket)
    }

    pub(crate) fn host(&self) -> &str {
        &self.endpoint.host
    }

    /// Whether content need not be hashed for the signature.
    pub(crate) fn is_tls(&self) -> bool {
        self.endpoint.is_tls()
    }

    /// Whether a range is read by the thread that sends it, and so must be sent off the async threads. What is
    /// read, sealed and sent in one go stays in one processor's cache; the SDK's connector has tasks of its own.
    fn is_inline(&self) -> bool {
        matches!(self.way, Way::Direct(_))
    }

    /// The memory that sending a range takes.
    pub(crate) fn range_bytes(&self) -> u64 {
        if self.is_inline() { INLINE_BYTES } else { STREAM_BYTES }
    }

    /// Sends a request as often as it takes, and reads its answer. The checksum is that of a range, which is
    /// known only when it has been read.
    pub(crate) async fn call(&self, call: &Call<'_>) -> Result<(Parts, Option<u64>), FailureReason> {
        let bytes = call.content.map_or(0, Content::bytes);
        let mut attempts = self.attempts();
        loop {
            let slot = self.pace.slot().await;
            match self.once(call).await {
                Ok(answer) => {
                    slot.succeeded(bytes);
                    return Ok(answer);
                }
                Err(fault) => attempts.after(fault, slot).await?,
            }
        }
    }

    pub(crate) fn attempts(&self) -> Attempts {
        Attempts::new(self.attempts, self.backoff)
    }

    async fn once(&self, call: &Call<'_>) -> Result<(Parts, Option<u64>), Fault> {
        let mut reply = self.attempt(call).await?;
        reply.rest(SMALL_ANSWER).await?;
        let checksum = match reply.reading.take().and_then(|reading| reading.result()) {
            None => None,
            Some(Ok(checksum)) => Some(checksum),
            Some(Err(reason)) => return Err(Fault::never(reason)),
        };
        Ok((reply.head, checksum))
    }

    /// Sends a request once; what comes back is a success.
    pub(crate) async fn attempt(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let current = self.signer.current().await.map_err(Fault::without_credentials)?;
        let mut packed = self.pack(call).await?;
        let mut request = self.request(call, &packed, &current)?;
        let bytes = call.content.map_or(0, Content::bytes);
        let patience = ANSWER_TIMEOUT + Duration::from_secs(bytes.min(BUFFERED) / SLOWEST);
        let reading = packed.reading.take();
        let taken = packed.body.taken();
        *request.body_mut() = packed.body;
        let reply = match while_it_moves(self.dispatch(call, request), &taken, patience).await {
            Some(reply) => reply,
            None if bytes > 0 => Err(Fault::too_slow(call.operation)),
            None => Err(Fault::timed_out(call.operation)),
        };
        match reply {
            // A file that could not be read breaks the request; that is the reason then, and not the connection.
            Err(fault) => match reading.and_then(|reading| reading.result()) {
                Some(Err(reason)) => Err(Fault::never(reason)),
                _ => Err(fault),
            },
            Ok(mut reply) if reply.head.status.is_success() => {
                reply.reading = reading;
                Ok(reply)
            }
            Ok(reply) => Err(Box::pin(self.refused(call.operation, reply, &current)).await),
        }
    }

    async fn refused(&self, operation: &'static str, mut reply: Reply, used: &Arc<Current>) -> Fault {
        let content = match reply.rest(SMALL_ANSWER).await {
            Ok(content) => content,
            Err(fault) => return fault,
        };
        let mut fault = Fault::refused(operation, &reply.head, &content);
        match fault.code() {
            Some("ExpiredToken") => match self.signer.renew(used).await {
                Ok(true) => fault.again = Again::AtOnce,
                Ok(false) => {}
                Err(reason) => return Fault::without_credentials(reason),
            },
            Some("RequestTimeTooSkewed") => {
                if let Some(clock) = answer::clock(&reply.head) {
                    self.signer.set_clock(clock);
                    fault.again = Again::Later;
                }
            }
            _ => {}
        }
        fault
    }

    async fn pack(&self, call: &Call<'_>) -> Result<Packed, Fault> {
        match call.content {
            None => Ok(Packed {
                body: Body::empty(),
                payload: EMPTY_SHA256.into(),
                checksum: None,
                reading: None,
            }),
            Some(Content::Memory(loaded)) => Ok(Packed {
                body: Body::Memory(loaded.pieces.clone().into()),
                payload: if self.is_tls() { UNSIGNED.into() } else { loaded.sha256().into() },
                checksum: Some(loaded.checksum),
                reading: None,
            }),
            Some(Content::Range(range)) => Box::pin(self.pack_range(range)).await,
        }
    }

    /// Without TLS a range is read twice, because its hash stands in the signature.
    async fn pack_range(&self, range: &Range) -> Result<Packed, Fault> {
        let (framing, payload, checksum) = if self.is_tls() {
            (Framing::Trailer, UNSIGNED_WITH_TRAILER.into(), None)
        } else {
            let (range, buffers) = (range.clone(), Arc::clone(&self.buffers));
            let digest = blocking(move || range.digest(&buffers)).await;
            let (hash, checksum) = digest.map_err(Fault::never)?;
            (Framing::None, hash.into(), Some(checksum))
        };
        let left = framing.bytes(range.bytes);
        let (body, reading) = if self.is_inline() {
            let pieces = Box::new(range.pieces(framing, &self.buffers));
            let reading = pieces.reading();
            (Body::inline(pieces, left), reading)
        } else {
            let (pieces, reading) = range.stream(framing, &self.buffers);
            (Body::stream(pieces, left), reading)
        };
        Ok(Packed { body, payload, checksum, reading: Some(reading) })
    }

    fn request(&self, call: &Call<'_>, packed: &Packed, current: &Current) -> Result<Request<Body>, Fault> {
        let mut headers = call.headers.clone();
        self.describe(call, packed, &mut headers);
        let path = self.endpoint.path(call.key);
        let signable =
            Signable { method: &call.method, path: &path, query: call.query, payload: &packed.payload };
        self.signer
            .sign(current, &self.endpoint, &signable, &mut headers)
            .map_err(|error| Fault::not_built(call.operation, error))?;
        let uri = self.uri(path, call.query);
        let mut request = Request::new(Body::empty());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = Uri::from_maybe_shared(Bytes::from(uri))
            .map_err(|error| Fault::not_built(call.operation, error))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// As the request line says it: on a connection of its own without the host.
    fn uri(&self, mut path: String, query: &str) -> String {
        if !query.is_empty() {
            path.push('?');
            path.push_str(query);
        }
        match self.way {
            Way::Direct(_) => path,
            Way::Through(_) => format!("{}://{}{path}", self.endpoint.scheme(), self.endpoint.authority),
        }
    }

    /// What the content says about itself.
    fn describe(&self, call: &Call<'_>, packed: &Packed, headers: &mut HeaderMap) {
        headers.insert(header::HOST, self.endpoint.host_header.clone());
        headers.insert(header::USER_AGENT, self.agent.clone());
        let Some(content) = call.content else { return };
        headers.insert(header::CONTENT_LENGTH, packed.body.bytes().into());
        if let Some(checksum) = packed.checksum {
            insert(headers, CHECKSUM_HEADER, encode(checksum));
            return;
        }
        headers.insert("x-amz-trailer", HeaderValue::from_static(CHECKSUM_HEADER));
        headers.insert("x-amz-decoded-content-length", content.bytes().into());
        let others = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let encoding = others.map_or("aws-chunked".to_owned(), |others| format!("aws-chunked,{others}"));
        insert(headers, "content-encoding", encoding);
    }

    async fn dispatch(&self, call: &Call<'_>, request: Request<Body>) -> Result<Reply, Fault> {
        match &self.way {
            Way::Direct(pool) => send(pool, call, request).await,
            Way::Through(connector) => Box::pin(through(connector, call, request)).await,
        }
    }
}

async fn send(pool: &Arc<Pool>, call: &Call<'_>, request: Request<Body>) -> Result<Reply, Fault> {
    let broken = |error| Fault::broken(call.operation, error);
    let mut connection = pool.take().await.map_err(broken)?;
    let was_used = connection.was_used;
    match connection.send(request).await {
        Ok(response) => {
            let (head, content) = response.into_parts();
            Ok(Reply::direct(call.operation, head, content, connection, pool))
        }
        Err(error) => {
            let mut fault = Fault::broken(call.operation, error);
            // Warm connections are closed by the other side whenever it likes.
            if was_used {
                fault.again = Again::AtOnce;
            }
            Err(fault)
        }
    }
}

async fn through(
    connector: &SharedHttpConnector,
    call: &Call<'_>,
    request: Request<Body>,
) -> Result<Reply, Fault> {
    let failed = |error: ConnectorError| Fault::of_connector(call.operation, error);
    let request = HttpRequest::try_from(request.map(SdkBody::from_body_1_x))
        .map_err(|error| failed(ConnectorError::user(error.into())))?;
    let answer = connector.call(request).await.map_err(failed)?;
    let answer =
        answer.try_into_http1x().map_err(|error| failed(ConnectorError::other(error.into(), None)))?;
    let (head, content) = answer.into_parts();
    Ok(Reply::through(call.operation, head, content))
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Who asks, as CloudTrail shows it.
fn agent(config: &SdkConfig) -> HeaderValue {
    let app = config.app_name().map(|name| format!(" app/{name}")).unwrap_or_default();
    let text = format!("causeway/{}{app}", env!("CARGO_PKG_VERSION"));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("causeway"))
}

fn no_credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("", "", None, None, "none"))
}
