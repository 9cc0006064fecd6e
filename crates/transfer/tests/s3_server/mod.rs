//! A real S3 server in this process (`s3s-fs`, which checks signatures) that notes every request and can be
//! told to answer some of them wrongly.
#![allow(dead_code)]

mod tls;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder as HttpClient, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::SdkConfig;
use aws_types::region::Region;
use causeway_transfer::{
    CancellationToken, NoProgress, Route, UploadError, UploadOptions, UploadPlan, UploadReport, upload,
};
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(crate) const BUCKET: &str = "bucket";

/// What a request looked like, without its content.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: http::HeaderMap,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn is_part(&self) -> bool {
        self.method == Method::PUT && self.query.contains("partNumber=")
    }

    pub(crate) fn is_abort(&self) -> bool {
        self.method == Method::DELETE && self.query.contains("uploadId=")
    }

    pub(crate) fn is_object(&self) -> bool {
        self.method == Method::PUT && self.path.matches('/').count() > 1 && !self.is_part()
    }
}

/// An answer instead of the server's own.
pub(crate) struct Wrong {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) delay: Duration,
}

impl Wrong {
    pub(crate) fn new(status: u16, code: &'static str) -> Self {
        Self { status, code, headers: Vec::new(), delay: Duration::ZERO }
    }

    fn response(&self) -> Response<s3s::Body> {
        let text = format!("<Error><Code>{0}</Code><Message>{0} it is</Message></Error>", self.code);
        let body = if self.code.is_empty() { s3s::Body::empty() } else { s3s::Body::from(text) };
        let mut response = Response::builder().status(StatusCode::from_u16(self.status).unwrap());
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        response.body(body).unwrap()
    }
}

type Judge = Box<dyn Fn(&Seen) -> Option<Wrong> + Send + Sync>;

struct Shared {
    s3: S3Service,
    seen: Mutex<Vec<Seen>>,
    judge: Mutex<Option<Judge>>,
    /// How many requests are being answered, and the most there ever were.
    under_way: Mutex<(usize, usize)>,
    connections: AtomicUsize,
    also_listed: Mutex<Vec<String>>,
    checksums: Mutex<Vec<(String, String)>>,
    /// What listings show as the entity tags of keys.
    e_tags: Mutex<Vec<(String, String)>>,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// With TLS: the authority's certificate.
    authority: Option<String>,
    root: tempfile::TempDir,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Server {
    /// A server with one empty bucket.
    pub(crate) async fn start() -> Self {
        let server = Self::start_empty().await;
        std::fs::create_dir(server.root.path().join(BUCKET)).unwrap();
        server
    }

    /// The same over TLS, as S3 is.
    pub(crate) async fn start_tls() -> Self {
        let (acceptor, authority) = tls::acceptor();
        let server = Self::begin(Some((acceptor, authority))).await;
        std::fs::create_dir(server.root.path().join(BUCKET)).unwrap();
        server
    }

    pub(crate) async fn start_empty() -> Self {
        Self::begin(None).await
    }

    async fn begin(tls: Option<(TlsAcceptor, String)>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single("AKIATEST", "secret"));
        let shared = Arc::new(Shared {
            s3: builder.build(),
            seen: Mutex::default(),
            judge: Mutex::default(),
            under_way: Mutex::default(),
            connections: AtomicUsize::new(0),
            also_listed: Mutex::default(),
            checksums: Mutex::default(),
            e_tags: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (acceptor, authority) = tls.unzip();
        let accepting = tokio::spawn(accept(listener, acceptor, Arc::clone(&shared)));
        Self { address, authority, root, shared, accepting }
    }

    /// Lets the answers be decided by this, where it gives one.
    pub(crate) fn judge(&self, judge: impl Fn(&Seen) -> Option<Wrong> + Send + Sync + 'static) {
        *self.shared.judge.lock().unwrap() = Some(Box::new(judge));
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The most requests that were answered at the same time.
    pub(crate) fn most_under_way(&self) -> usize {
        self.shared.under_way.lock().unwrap().1
    }

    /// An object that was put by somebody who told no checksum.
    pub(crate) fn put_raw(&self, key: &str, content: &[u8]) {
        let path = self.object(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// An object of an old tool: S3 knows the MD5 of its content and no checksum.
    pub(crate) async fn put_without_checksum(&self, key: &str, content: &[u8]) {
        let config = aws_sdk_s3::config::Builder::from(&self.config())
            .force_path_style(true)
            .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
            .build();
        let request = aws_sdk_s3::Client::from_conf(config).put_object().bucket(BUCKET).key(key);
        request.body(content.to_vec().into()).send().await.unwrap();
    }

    /// Lets listings show these keys beside those that are there.
    pub(crate) fn list_also(&self, keys: &[&str]) {
        *self.shared.also_listed.lock().unwrap() = keys.iter().map(|key| (*key).to_owned()).collect();
    }

    /// Lets `HeadObject` tell the checksum of an object in parts, as S3 does and this server does not.
    pub(crate) fn know_checksum(&self, key: &str, content: &[u8]) {
        use base64::Engine as _;
        let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, content);
        let text = base64::engine::general_purpose::STANDARD.encode(checksum.to_be_bytes());
        self.shared.checksums.lock().unwrap().push((format!("/{BUCKET}/{key}"), text));
    }

    /// Lets listings show the entity tag of a key, as S3 does and this server does not.
    pub(crate) fn list_e_tag(&self, key: &str, e_tag: &str) {
        self.shared.e_tags.lock().unwrap().push((key.to_owned(), e_tag.to_owned()));
    }

    /// Begins a multipart upload that nobody ends; its id.
    pub(crate) async fn begin_upload(&self, key: &str) -> String {
        let config = aws_sdk_s3::config::Builder::from(&self.config()).force_path_style(true).build();
        let request = aws_sdk_s3::Client::from_conf(config).create_multipart_upload();
        request.bucket(BUCKET).key(key).send().await.unwrap().upload_id.unwrap()
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Where the server keeps the object.
    pub(crate) fn object(&self, key: &str) -> PathBuf {
        self.root.path().join(BUCKET).join(key)
    }

    pub(crate) fn has_bucket(&self, name: &str) -> bool {
        self.root.path().join(name).is_dir()
    }

    /// What the server keeps of multipart uploads that were begun and not ended.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.root.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".upload")).collect()
    }

    pub(crate) fn config(&self) -> SdkConfig {
        self.config_in("us-east-1")
    }

    pub(crate) fn config_in(&self, region: &'static str) -> SdkConfig {
        let credentials = Credentials::new("AKIATEST", "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(Region::new(region))
            .endpoint_url(self.url())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http_client())
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(5)))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .build()
    }
}

impl Server {
    pub(crate) fn url(&self) -> String {
        match self.authority {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    fn http_client(&self) -> SharedHttpClient {
        match &self.authority {
            None => HttpClient::new().build_http(),
            Some(pem) => {
                let trusted = TrustStore::empty().with_pem_certificate(pem.as_bytes());
                let context = TlsContext::builder().with_trust_store(trusted).build().unwrap();
                let provider = Provider::Rustls(CryptoMode::AwsLc);
                HttpClient::new().tls_provider(provider).tls_context(context).build_https()
            }
        }
    }

    /// Straight to the server.
    pub(crate) fn route(&self) -> Route {
        let mut roots = rustls::RootCertStore::empty();
        if let Some(pem) = &self.authority {
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        }
        Route::new(Arc::new(roots), connector(), |_| true)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        connections.spawn(async move {
            match acceptor {
                None => serve(stream, shared).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    shared: Arc<Shared>,
    request: http::Request<Incoming>,
) -> Result<Response<s3s::Body>, s3s::HttpError> {
    let seen = Seen {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: request.headers().clone(),
    };
    {
        let mut under_way = shared.under_way.lock().unwrap();
        under_way.0 += 1;
        under_way.1 = under_way.1.max(under_way.0);
    }
    let answer = decide(&shared, seen, request).await;
    shared.under_way.lock().unwrap().0 -= 1;
    answer
}

async fn decide(
    shared: &Shared,
    seen: Seen,
    request: http::Request<Incoming>,
) -> Result<Response<s3s::Body>, s3s::HttpError> {
    let wrong = shared.judge.lock().unwrap().as_ref().and_then(|judge| judge(&seen));
    let known = (seen.method == Method::HEAD)
        .then(|| shared.checksums.lock().unwrap().iter().find(|(path, _)| *path == seen.path).cloned())
        .flatten();
    let is_list = seen.query.contains("list-type");
    shared.seen.lock().unwrap().push(seen);
    let also = shared.also_listed.lock().unwrap().clone();
    let e_tags = shared.e_tags.lock().unwrap().clone();
    if wrong.is_none() && is_list && !(also.is_empty() && e_tags.is_empty()) {
        return Ok(listing_with(shared.s3.call(request.map(s3s::Body::from)).await?, &also, &e_tags).await);
    }
    if let Some((_, checksum)) = known {
        let mut answer = shared.s3.call(request.map(s3s::Body::from)).await?;
        answer.headers_mut().insert("x-amz-checksum-crc64nvme", checksum.parse().unwrap());
        return Ok(answer);
    }
    match wrong {
        Some(wrong) => {
            tokio::time::sleep(wrong.delay).await;
            if wrong.status == 200 {
                return shared.s3.call(request.map(s3s::Body::from)).await;
            }
            Ok(wrong.response())
        }
        None => shared.s3.call(request.map(s3s::Body::from)).await,
    }
}

/// The listing with these keys in it too, and with these entity tags.
async fn listing_with(
    response: Response<s3s::Body>,
    keys: &[String],
    e_tags: &[(String, String)],
) -> Response<s3s::Body> {
    let mut body = response.into_body();
    let text = String::from_utf8(body.store_all_limited(1 << 20).await.unwrap().to_vec()).unwrap();
    let entry = |key: &String| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>");
    let entries: String = keys.iter().map(entry).collect();
    let mut text = text.replace("</ListBucketResult>", &format!("{entries}</ListBucketResult>"));
    for (key, e_tag) in e_tags {
        let key = format!("<Key>{key}</Key>");
        text = text.replace(&key, &format!("{key}<ETag>&quot;{e_tag}&quot;</ETag>"));
    }
    Response::new(s3s::Body::from(text))
}

/// Writes files below a folder.
pub(crate) fn write_tree<'a>(folder: &Path, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
    for (name, content) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

/// A new folder with these files.
pub(crate) fn folder<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), files);
    folder
}

/// The whole folder into [`BUCKET`]; what fails is tried once more.
pub(crate) fn options(folder: &tempfile::TempDir) -> UploadOptions {
    let mut options = UploadOptions::new(BUCKET.parse().unwrap(), folder.path()).unwrap();
    options.path_style = true;
    options.limits.attempts = 2;
    options
}

/// Plans and uploads.
pub(crate) async fn run(server: &Server, options: UploadOptions) -> Result<UploadReport, UploadError> {
    let plan = UploadPlan::build(options).unwrap();
    upload(&server.config(), &server.route(), &plan, &NoProgress, &CancellationToken::new()).await
}

/// Straight to a server without TLS.
pub(crate) fn route() -> Route {
    Route::new(Arc::new(rustls::RootCertStore::empty()), connector(), |_| true)
}

/// Through the SDK's connector, as with a proxy in the way.
pub(crate) fn route_through() -> Route {
    Route::new(Arc::new(rustls::RootCertStore::empty()), connector(), |_| false)
}

/// Through a connector that reaches nobody.
pub(crate) fn route_nowhere() -> Route {
    let connector = SharedHttpConnector::new(Nowhere);
    Route::new(Arc::new(rustls::RootCertStore::empty()), connector, |_| false)
}

#[derive(Debug)]
struct Nowhere;

impl HttpConnector for Nowhere {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        HttpConnectorFuture::ready(Err(ConnectorError::io(refused.into())))
    }
}

fn connector() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::builder().build_http())
}

/// Content in which no two pieces are alike.
pub(crate) fn content(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut content = Vec::with_capacity(bytes + 8);
    while content.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        content.extend((state ^ (state >> 29)).to_le_bytes());
    }
    content.truncate(bytes);
    content
}
