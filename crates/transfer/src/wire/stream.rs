use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tls::Tls;
use crate::buffers::BUFFER_BYTES;

/// How long opening a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the addresses of a name are kept. S3 answers with a few of many and changes them every few seconds.
const ADDRESSES_KEPT: Duration = Duration::from_secs(20);

/// So much may be sealed and wait for the socket: a whole buffer of content goes out in one call.
const SEALED_AHEAD: usize = 2 * BUFFER_BYTES;
/// rustls asks for the head of a record, and then for the rest; with this between, the system is asked once.
const READ_AHEAD: usize = 4 << 10;

/// What mostly comes over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Short answers: content goes up.
    Up,
    /// Content.
    Down,
}

/// A connection to the service, with or without TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    /// Made for content that goes up.
    Up(Box<TlsStream<BufReader<TcpStream>>>),
    /// Made for content that comes down.
    Down(Box<Tls>),
}

/// Opens connections to one host, spread over its addresses.
pub(super) struct Dialer {
    host: String,
    port: u16,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    flow: Flow,
    addresses: Mutex<Addresses>,
}

#[derive(Default)]
struct Addresses {
    known: Vec<SocketAddr>,
    asked: Option<Instant>,
    next: usize,
}

impl Dialer {
    pub(super) fn new(host: &str, port: u16, tls: Option<Arc<ClientConfig>>, flow: Flow) -> io::Result<Self> {
        let tls = match tls {
            None => None,
            Some(config) => {
                let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
                Some((config, name))
            }
        };
        Ok(Self { host: host.to_owned(), port, tls, flow, addresses: Mutex::default() })
    }

    pub(super) async fn connect(&self) -> io::Result<Stream> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.open()).await {
            Ok(stream) => stream,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the connection was not opened in time")),
        }
    }

    async fn open(&self) -> io::Result<Stream> {
        let tcp = self.dial().await?;
        tcp.set_nodelay(true)?;
        let Some((config, name)) = &self.tls else { return Ok(Stream::Plain(tcp)) };
        let (config, name) = (Arc::clone(config), name.clone());
        match self.flow {
            Flow::Up => {
                let tcp = BufReader::with_capacity(READ_AHEAD, tcp);
                let limit = |tls: &mut ClientConnection| tls.set_buffer_limit(Some(SEALED_AHEAD));
                let tls = TlsConnector::from(config).connect_with(name, tcp, limit).await?;
                Ok(Stream::Up(Box::new(tls)))
            }
            Flow::Down => Ok(Stream::Down(Box::new(Tls::connect(tcp, config, name).await?))),
        }
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in self.turn().await? {
            match TcpStream::connect(address).await {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = error,
            }
        }
        self.addresses().asked = None;
        Err(last)
    }

    /// The addresses, each time beginning with the next one.
    async fn turn(&self) -> io::Result<Vec<SocketAddr>> {
        let is_known = self.addresses().asked.is_some_and(|asked| asked.elapsed() < ADDRESSES_KEPT);
        if !is_known {
            let known: Vec<_> = tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
            let mut addresses = self.addresses();
            (addresses.known, addresses.asked) = (known, Some(Instant::now()));
        }
        let mut addresses = self.addresses();
        let mut turn = addresses.known.clone();
        let first = addresses.next % turn.len().max(1);
        turn.rotate_left(first);
        addresses.next = addresses.next.wrapping_add(1);
        Ok(turn)
    }

    fn addresses(&self) -> std::sync::MutexGuard<'_, Addresses> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Up(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Down(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Up(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Down(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Up(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Down(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        !matches!(self, Self::Down(_))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Up(stream) => Pin::new(stream).poll_flush(context),
            Self::Down(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Up(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Down(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
