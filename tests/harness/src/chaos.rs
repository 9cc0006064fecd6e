//! What goes wrong between a task and everything that it talks to, by the throw of a seeded dice.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;

use crate::http::{Body, Cut, Server, client, reply};

/// What happens to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Mishap {
    /// It takes long.
    Delay(Duration),
    /// It is answered by somebody on the way.
    Answer(u16),
    /// The connection is reset before anything arrived.
    ResetBefore,
    /// Everything was done, and the connection is reset before the answer.
    ResetAfter,
    /// Half of the answer comes, and then the connection ends.
    Truncate,
    /// The answer comes in small pieces with pauses of this length.
    Drip(Duration),
    /// It arrives, and the connection stays open, and nobody ever answers.
    Silent,
}

/// The throws of one run.
#[derive(Debug)]
struct Dice {
    random: fastrand::Rng,
    share: f64,
    /// How many requests come before the one that is never answered.
    before_silence: Option<usize>,
}

impl Dice {
    fn throw(&mut self) -> Option<Mishap> {
        let silence = self.before_silence.take();
        self.before_silence = silence.and_then(|left| left.checked_sub(1));
        if silence == Some(0) {
            return Some(Mishap::Silent);
        }
        let random = &mut self.random;
        (random.f64() < self.share).then(|| match random.u8(0..8) {
            0 => Mishap::Delay(Duration::from_millis(random.u64(20..900))),
            1 => Mishap::Answer(429),
            2 => Mishap::Answer(500),
            3 => Mishap::Answer(503),
            4 => Mishap::ResetBefore,
            5 => Mishap::ResetAfter,
            6 => Mishap::Truncate,
            _ => Mishap::Drip(Duration::from_millis(random.u64(30..400))),
        })
    }
}

/// The dice, and what it has done so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Chaos {
    dice: Arc<Mutex<Option<Dice>>>,
    done: Arc<Mutex<Vec<(String, Mishap)>>>,
}

/// A way to a server through the [`Chaos`]. It ends with this value.
#[derive(Debug)]
pub struct Passage {
    server: Server,
}

impl Passage {
    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }
}

impl Chaos {
    /// Stands before a server (`http://127.0.0.1:<port>`).
    #[must_use]
    pub fn before(&self, upstream: &str) -> Passage {
        let (chaos, upstream, client) = (self.clone(), upstream.to_owned(), client());
        let server = Server::resetting(move |request| {
            let (chaos, upstream, client) = (chaos.clone(), upstream.clone(), client.clone());
            async move { chaos.pass(request, &upstream, &client).await }
        });
        Passage { server }
    }

    /// Makes trouble for this share of all requests from now on.
    pub fn begin(&self, share: f64, seed: u64) {
        let random = fastrand::Rng::with_seed(seed);
        *self.dice.lock().unwrap() = Some(Dice { random, share, before_silence: None });
    }

    /// After so many more requests, the next one is never answered.
    pub fn silence_after(&self, requests: usize) {
        if let Some(dice) = self.dice.lock().unwrap().as_mut() {
            dice.before_silence = Some(requests);
        }
    }

    /// No trouble any more.
    pub fn calm(&self) {
        *self.dice.lock().unwrap() = None;
    }

    /// The requests that met trouble, and which.
    #[must_use]
    pub fn done(&self) -> Vec<(String, Mishap)> {
        self.done.lock().unwrap().clone()
    }

    /// What happens to this request; it is remembered.
    pub(crate) fn throw(&self, line: &str) -> Option<Mishap> {
        let mishap = self.dice.lock().unwrap().as_mut()?.throw()?;
        self.done.lock().unwrap().push((line.to_owned(), mishap.clone()));
        Some(mishap)
    }

    async fn pass(
        &self,
        request: Request<Incoming>,
        upstream: &str,
        client: &Client<HttpConnector, Body>,
    ) -> Result<Response<Body>, Cut> {
        let mishap = self.throw(&format!("{} {}", request.method(), request.uri().path()));
        match mishap {
            None => forward(request, upstream, client).await,
            Some(Mishap::Delay(pause)) => {
                tokio::time::sleep(pause).await;
                forward(request, upstream, client).await
            }
            Some(Mishap::Answer(status)) => {
                let title = StatusCode::from_u16(status).map(|status| status.to_string()).unwrap_or_default();
                Ok(reply(status, "text/html", format!("<html><body><h1>{title}</h1></body></html>")))
            }
            Some(Mishap::ResetBefore) => Err(Cut),
            Some(Mishap::ResetAfter) => forward(request, upstream, client).await.and(Err(Cut)),
            Some(Mishap::Truncate) => {
                pieces(forward(request, upstream, client).await?, 2, 1, Duration::ZERO).await
            }
            Some(Mishap::Drip(pause)) => pieces(forward(request, upstream, client).await?, 9, 9, pause).await,
            Some(Mishap::Silent) => std::future::pending().await,
        }
    }
}

/// The `Host` stays the one that was signed.
async fn forward(
    request: Request<Incoming>,
    upstream: &str,
    client: &Client<HttpConnector, Body>,
) -> Result<Response<Body>, Cut> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("{upstream}{path}").parse::<Uri>().map_err(|_| Cut)?;
    parts.headers.remove("connection");
    let answer = client.request(Request::from_parts(parts, body.boxed())).await.map_err(|_| Cut)?;
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove("connection");
    Ok(Response::from_parts(parts, body.boxed()))
}

/// The answer in so many pieces, of which only the first `sent` come.
async fn pieces(
    answer: Response<Body>,
    count: usize,
    sent: usize,
    pause: Duration,
) -> Result<Response<Body>, Cut> {
    let (mut parts, body) = answer.into_parts();
    let whole = body.collect().await.map_err(|_| Cut)?.to_bytes();
    if whole.is_empty() {
        return if sent < count {
            Err(Cut)
        } else {
            Ok(Response::from_parts(parts, crate::http::full(whole)))
        };
    }
    parts.headers.remove("transfer-encoding");
    parts.headers.insert("content-length", whole.len().into());
    let size = whole.len().div_ceil(count);
    let pieces = (0..whole.len()).step_by(size).map(|at| whole.slice(at..whole.len().min(at + size)));
    let body = Pieces { length: whole.len() as u64, left: pieces.take(sent).collect(), pause, waiting: None };
    Ok(Response::from_parts(parts, body.boxed()))
}

/// The first half of an answer, and then the end of the connection.
pub(crate) fn half(content_type: &str, content: &str) -> Response<Body> {
    let length = content.len() as u64;
    let left = VecDeque::from([Bytes::copy_from_slice(&content.as_bytes()[..content.len() / 2])]);
    let mut response = reply(200, content_type, "");
    response.headers_mut().insert("content-length", length.into());
    *response.body_mut() = Pieces { length, left, pause: Duration::ZERO, waiting: None }.boxed();
    response
}

/// A length is announced; an early end is a broken connection to the other side.
struct Pieces {
    length: u64,
    left: VecDeque<Bytes>,
    pause: Duration,
    waiting: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(waiting) = &mut self.waiting {
            std::task::ready!(waiting.as_mut().poll(context));
        }
        self.waiting = (!self.pause.is_zero()).then(|| Box::pin(tokio::time::sleep(self.pause)));
        Poll::Ready(self.left.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.length)
    }
}
