use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::body::Body;
use super::stream::{Dialer, Stream};
use crate::buffers::BUFFER_BYTES;

/// S3 closes connections that have been idle for some seconds; those are not tried again.
const IDLE_LIMIT: Duration = Duration::from_secs(8);

/// A connection that carries one request at a time.
///
/// It has no task of its own: whoever waits for the answer also drives it. That saves the way between two
/// tasks, twice a request.
pub(super) struct Connection {
    sender: SendRequest<Body>,
    driver: Pin<Box<http1::Connection<TokioIo<Stream>, Body>>>,
    closed: bool,
    idle_since: Instant,
    pub(super) was_used: bool,
}

impl Connection {
    async fn open(dialer: &Dialer) -> io::Result<Self> {
        let stream = dialer.connect().await?;
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(BUFFER_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let idle_since = Instant::now();
        Ok(Self { sender, driver: Box::pin(driver), closed: false, idle_since, was_used: false })
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn send(&mut self, request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        let mut answer = pin!(self.sender.send_request(request));
        let (driver, closed) = (&mut self.driver, &mut self.closed);
        poll_fn(|context| {
            drive(driver, closed, context);
            answer.as_mut().poll(context)
        })
        .await
    }

    /// The next piece of an answer's content.
    pub(super) async fn chunk(&mut self, content: &mut Incoming) -> Option<hyper::Result<Bytes>> {
        let (driver, closed) = (&mut self.driver, &mut self.closed);
        poll_fn(|context| {
            if let Poll::Ready(chunk) = next_data(content, context) {
                return Poll::Ready(chunk);
            }
            drive(driver, closed, context);
            next_data(content, context)
        })
        .await
    }

    /// Whether another request can go over it.
    async fn is_usable(&mut self) -> bool {
        let (driver, closed) = (&mut self.driver, &mut self.closed);
        poll_fn(|context| {
            drive(driver, closed, context);
            Poll::Ready(())
        })
        .await;
        !self.closed && self.sender.is_ready()
    }
}

fn drive(
    driver: &mut Pin<Box<http1::Connection<TokioIo<Stream>, Body>>>,
    closed: &mut bool,
    context: &mut Context<'_>,
) {
    *closed = *closed || driver.as_mut().poll(context).is_ready();
}

fn next_data(content: &mut Incoming, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Bytes>>> {
    loop {
        match Pin::new(&mut *content).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                // What is no data is trailers, which nobody asked for.
                if let Ok(data) = frame.into_data() {
                    return Poll::Ready(Some(Ok(data)));
                }
            }
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        }
    }
}

/// Connections kept warm. There are never more than requests at the same time.
pub(super) struct Pool {
    dialer: Dialer,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(dialer: Dialer) -> Arc<Self> {
        Arc::new(Self { dialer, idle: Mutex::default() })
    }

    /// A warm connection, or a new one.
    pub(super) async fn take(&self) -> io::Result<Connection> {
        while let Some(mut connection) = self.pop() {
            if connection.idle_since.elapsed() < IDLE_LIMIT && connection.is_usable().await {
                return Ok(connection);
            }
        }
        // Rare, and large: not a part of every request's future.
        Box::pin(Connection::open(&self.dialer)).await
    }

    fn pop(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Takes back a connection whose answer has been read to its end.
    pub(super) async fn give_back(&self, mut connection: Connection) {
        if connection.is_usable().await {
            connection.was_used = true;
            connection.idle_since = Instant::now();
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
