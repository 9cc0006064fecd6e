use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::http::{Body, Cut, Server, header, reply};

/// A server before the registry that sees all and makes trouble when it is asked to.
#[derive(Debug)]
pub struct Front {
    state: Arc<State>,
    server: Server,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `PATCH /v2/team/shop/blobs/uploads/…`.
    pub line: String,
    /// The `Content-Range`.
    pub content_range: String,
    /// Whether it came with a login or token.
    pub has_login: bool,
    /// Bytes of the body that came.
    pub bytes: u64,
    /// The status that it was answered with; 0 when the connection was cut.
    pub status: u16,
    /// Whether the front made trouble.
    pub is_trouble: bool,
}

/// What the front does instead of its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// None this time.
    Pass,
    /// Answers by itself; the request's body is not read.
    Answer(u16, String),
    /// Cuts the connection before anything reaches the registry.
    CutBefore,
    /// Cuts the connection after so many bytes of the request's body went through.
    CutWithin(u64),
    /// Lets the registry do it, and cuts the connection before the answer.
    CutAfter,
    /// Cuts the connection after so many bytes of the answer.
    CutAnswer(u64),
    /// Takes a `PATCH`, forgets it, and says how far the upload is without it, as ECR does with every one but the first.
    Forget,
    /// Sends the client elsewhere.
    Redirect(String),
    /// From now on no token holds that was handed out before.
    ExpireTokens,
    /// Takes this long before it does its work.
    Delay(Duration),
    /// Takes the request and never answers.
    Silent,
}

#[derive(Debug)]
struct State {
    upstream: SocketAddr,
    connector: Connector,
    seen: Mutex<Vec<Seen>>,
    /// For requests whose line holds the text, once each.
    troubles: Mutex<Vec<(String, Trouble)>>,
    dice: Mutex<Option<(fastrand::Rng, f64)>>,
    /// How many requests come before the one that is never answered.
    before_silence: Mutex<Option<usize>>,
    /// What the dice did.
    done: Mutex<Vec<(String, Trouble)>>,
    tokens: Mutex<Option<Tokens>>,
}

/// The registry wants tokens, and sells them at this host.
#[derive(Debug)]
struct Tokens {
    host: String,
    basic: String,
    sold: u32,
}

struct Connector(TlsConnector);

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Connector")
    }
}

impl Front {
    pub(super) fn start(upstream: SocketAddr, authority: &str) -> Self {
        let state = Arc::new(State {
            upstream,
            connector: Connector(connector(authority)),
            seen: Mutex::default(),
            troubles: Mutex::default(),
            dice: Mutex::default(),
            before_silence: Mutex::default(),
            done: Mutex::default(),
            tokens: Mutex::default(),
        });
        let shared = state.clone();
        let server = Server::start(move |request| answer(shared.clone(), request));
        Self { state, server }
    }

    pub(super) fn url(&self) -> String {
        self.server.url()
    }

    /// Every request so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.state.seen.lock().unwrap().clear();
    }

    /// Makes trouble for the next request whose line (`PUT /v2/…`) holds both words of `request`, or the one.
    pub fn trouble(&self, request: &str, trouble: Trouble) {
        self.state.troubles.lock().unwrap().push((request.to_owned(), trouble));
    }

    /// Makes trouble of every kind for this share of all requests from now on; the same seed, the same order of kinds.
    pub fn trouble_at_random(&self, share: f64, seed: u64) {
        *self.state.dice.lock().unwrap() = Some((fastrand::Rng::with_seed(seed), share));
    }

    /// After so many more requests, the next one is never answered.
    pub fn silence_after(&self, requests: usize) {
        *self.state.before_silence.lock().unwrap() = Some(requests);
    }

    /// The requests that met trouble by chance, and which.
    #[must_use]
    pub fn done(&self) -> Vec<(String, Trouble)> {
        self.state.done.lock().unwrap().clone()
    }

    /// Takes tokens instead of the login from now on, as ECR Public does; they are to be had at `host` for the login.
    pub fn want_tokens(&self, host: &str) {
        let tokens = Tokens { host: host.to_owned(), basic: String::new(), sold: 0 };
        *self.state.tokens.lock().unwrap() = Some(tokens);
    }

    /// No trouble any more.
    pub fn calm(&self) {
        *self.state.dice.lock().unwrap() = None;
        *self.state.before_silence.lock().unwrap() = None;
        self.state.troubles.lock().unwrap().clear();
    }
}

impl State {
    fn trouble_for(&self, line: &str) -> Option<Trouble> {
        let mut troubles = self.troubles.lock().unwrap();
        let fits = |wanted: &str| wanted.split(' ').all(|word| line.contains(word));
        if let Some(at) = troubles.iter().position(|(wanted, _)| fits(wanted)) {
            return Some(troubles.remove(at).1).filter(|trouble| *trouble != Trouble::Pass);
        }
        let trouble = self.throw()?;
        self.done.lock().unwrap().push((line.to_owned(), trouble.clone()));
        Some(trouble)
    }

    fn throw(&self) -> Option<Trouble> {
        let mut silence = self.before_silence.lock().unwrap();
        if let Some(left) = silence.take() {
            *silence = left.checked_sub(1);
            if left == 0 {
                return Some(Trouble::Silent);
            }
        }
        let mut dice = self.dice.lock().unwrap();
        let (random, share) = dice.as_mut()?;
        (random.f64() < *share).then(|| match random.u8(0..8) {
            0 => Trouble::Answer(429, String::new()),
            1 => Trouble::Answer(500, "oops".to_owned()),
            2 => Trouble::Answer(503, String::new()),
            3 => Trouble::CutBefore,
            4 => Trouble::CutWithin(random.u64(0..8 << 20)),
            5 => Trouble::CutAnswer(random.u64(0..1 << 20)),
            6 => Trouble::Delay(Duration::from_millis(random.u64(20..900))),
            _ => Trouble::CutAfter,
        })
    }
}

impl State {
    /// Sells tokens and asks for them; a request with a good one goes on with the login that it was bought for.
    fn token_desk(&self, request: &mut Request<Incoming>, expire: bool) -> Option<Response<Body>> {
        let mut tokens = self.tokens.lock().unwrap();
        let tokens = tokens.as_mut()?;
        let given = header(request.headers(), "authorization").to_owned();
        if request.uri().path() == "/token/" {
            tokens.basic = given;
            tokens.sold += 1;
            return Some(reply(200, "application/json", format!("{{\"token\":\"t{}\"}}", tokens.sold)));
        }
        if !expire && given == format!("Bearer t{}", tokens.sold) {
            request.headers_mut().insert("authorization", tokens.basic.parse().expect("a header"));
            return None;
        }
        let challenge =
            format!("Bearer realm=\"https://{0}/token/\",service=\"{0}\",scope=\"aws\"", tokens.host);
        let mut answer = reply(401, "application/json", "{}");
        answer.headers_mut().insert("www-authenticate", challenge.parse().expect("a header"));
        Some(answer)
    }
}

async fn answer(state: Arc<State>, mut request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let line = format!("{} {}", request.method(), request.uri());
    let content_range = header(request.headers(), "content-range").to_owned();
    let has_login = request.headers().contains_key("authorization");
    let trouble = state.trouble_for(&line);
    let counted = Arc::new(Mutex::new(0));
    let ending = match state.token_desk(&mut request, trouble == Some(Trouble::ExpireTokens)) {
        Some(answer) => Ok(answer),
        None => act(&state, request, trouble.clone(), counted.clone()).await,
    };
    let status = ending.as_ref().map_or(0, |response| response.status().as_u16());
    let bytes = *counted.lock().unwrap();
    let seen = Seen { line, content_range, has_login, bytes, status, is_trouble: trouble.is_some() };
    state.seen.lock().unwrap().push(seen);
    ending
}

async fn act(
    state: &State,
    request: Request<Incoming>,
    trouble: Option<Trouble>,
    counted: Arc<Mutex<u64>>,
) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let limit = match &trouble {
        Some(Trouble::Answer(status, body)) => {
            return Ok(reply(*status, "application/json", body.clone()));
        }
        Some(Trouble::Redirect(target)) => {
            let mut answer = reply(307, "", "");
            answer.headers_mut().insert("location", target.parse().expect("a header"));
            return Ok(answer);
        }
        Some(Trouble::CutBefore) => return Err(Cut),
        Some(Trouble::Silent) => std::future::pending().await,
        Some(Trouble::Forget) => return forget(&parts, body).await,
        Some(Trouble::CutWithin(limit)) => *limit,
        _ => u64::MAX,
    };
    if let Some(Trouble::Delay(pause)) = &trouble {
        tokio::time::sleep(*pause).await;
    }
    let body = Counted { body, counted, left: limit };
    let response = forward(state, parts, body).await?;
    match trouble {
        Some(Trouble::CutAfter | Trouble::CutWithin(_)) => Err(Cut),
        Some(Trouble::CutAnswer(limit)) => {
            let (parts, body) = response.into_parts();
            let cut = Counted { body, counted: Arc::default(), left: limit };
            Ok(Response::from_parts(parts, cut.boxed()))
        }
        _ => Ok(response.map(BodyExt::boxed)),
    }
}

async fn forget(parts: &Parts, body: Incoming) -> Result<Response<Body>, Cut> {
    body.collect().await.map_err(|_| Cut)?;
    let range = header(&parts.headers, "content-range");
    let has = range.split('-').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default();
    let mut answer = reply(201, "", "");
    let place = parts.uri.to_string().parse().expect("a header");
    answer.headers_mut().insert("location", place);
    let range = format!("0-{}", has.saturating_sub(1)).parse().expect("a header");
    answer.headers_mut().insert("range", range);
    Ok(answer)
}

/// Over a connection of its own, which ends when the body does.
async fn forward(state: &State, parts: Parts, body: Counted) -> Result<Response<Incoming>, Cut> {
    let stream = TcpStream::connect(state.upstream).await.map_err(|_| Cut)?;
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = state.connector.0.connect(name, stream).await.map_err(|_| Cut)?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| Cut)?;
    tokio::spawn(connection);
    sender.send_request(Request::from_parts(parts, body)).await.map_err(|_| Cut)
}

fn connector(authority: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.as_bytes()).expect("an authority");
    roots.add(certificate).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// A body that counts, and breaks off where it is told to.
struct Counted {
    body: Incoming,
    counted: Arc<Mutex<u64>>,
    left: u64,
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        let Some(Ok(frame)) = frame else { return Poll::Ready(frame) };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        *self.counted.lock().unwrap() += length;
        if length > self.left {
            // A length was announced, so an early end is a broken connection to the other side.
            return Poll::Ready(None);
        }
        self.left -= length;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.left > 0 && self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
