//! TLS for content that comes down: records are received in large pieces and opened where they lie.
//!
//! What rustls offers beside it, and tokio-rustls is built on, receives each record into a buffer that grows and shrinks
//! by 4 KiB, and copies the content twice more than this on its way.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ClientConfig;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// So much is received at once to begin with: a small object.
const RECEIVED_FIRST: usize = 8 << 10;
/// And so much at most, where so much comes: some records of 16 KiB (RFC 8446, 5.1). The longest message of a handshake, 64 KiB,
/// has to lie in it whole.
const RECEIVED_MOST: usize = 128 << 10;
/// So much is sealed at once, and waits to be sent at most.
const SEALED: usize = 64 << 10;

/// A TLS connection over TCP.
pub(super) struct Tls {
    tcp: TcpStream,
    session: UnbufferedClientConnection,
    received: Received,
    /// What was opened and had no room where it was asked for.
    opened: Pending,
    sealed: Pending,
    /// Why nothing goes over it any more. rustls would look at the same bytes again.
    failure: Option<rustls::Error>,
    has_ended: bool,
    has_said_end: bool,
}

/// Where a session stands when it can do no more by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// It needs more of the other side to begin.
    Handshake,
    Open,
    /// The other side has said that nothing will follow.
    Ended,
}

/// What is to be sealed.
#[derive(Debug, Clone, Copy)]
enum Outgoing<'a> {
    Content(&'a [u8]),
    /// That nothing follows.
    End,
}

/// Bytes in the order in which they are to go on.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    gone: usize,
}

/// What was received and not opened yet.
struct Received {
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    /// The last piece took all the space that there was.
    was_full: bool,
}

impl Tls {
    /// Opens a session over a new connection.
    pub(super) async fn connect(
        tcp: TcpStream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let session = UnbufferedClientConnection::new(config, name).map_err(broken)?;
        let received = Received { buffer: vec![0; RECEIVED_FIRST], begin: 0, end: 0, was_full: false };
        let (opened, sealed) = (Pending::default(), Pending::default());
        let mut tls = Self {
            tcp,
            session,
            received,
            opened,
            sealed,
            failure: None,
            has_ended: false,
            has_said_end: false,
        };
        std::future::poll_fn(|context| tls.poll_handshake(context)).await?;
        Ok(tls)
    }

    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let stand = self.advance(&mut ReadBuf::new(&mut []), None);
            let sent = self.poll_send(context);
            // The other side is told why it ends if that can go at once.
            let stand = stand?;
            ready!(sent)?;
            match stand {
                Stand::Handshake => ready!(self.poll_receive(context))?,
                Stand::Open => return Poll::Ready(Ok(())),
                Stand::Ended => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            }
        }
    }

    /// Lets the session take what was received, until it can do no more or there is content that has no room; and seals
    /// what is to be sent as soon as it may be.
    fn advance(&mut self, room: &mut ReadBuf<'_>, mut outgoing: Option<Outgoing<'_>>) -> io::Result<Stand> {
        if let Some(failure) = &self.failure {
            return Err(broken(failure.clone()));
        }
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.session.process_tls_records(self.received.bytes());
            let mut stand = None;
            match state {
                Ok(ConnectionState::ReadTraffic(mut content)) => {
                    while let Some(record) = content.next_record() {
                        let record = record.map_err(broken)?;
                        discard += record.discard;
                        let (fits, rest) =
                            record.payload.split_at(record.payload.len().min(room.remaining()));
                        room.put_slice(fits);
                        self.opened.bytes.extend_from_slice(rest);
                    }
                    if room.remaining() == 0 && outgoing.is_none() {
                        stand = Some(Stand::Open);
                    }
                }
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    if let Some(outgoing) = outgoing.take() {
                        self.sealed.append(|space| match outgoing {
                            Outgoing::Content(content) => {
                                traffic.encrypt(content, space).map_err(Refused::from)
                            }
                            Outgoing::End => traffic.queue_close_notify(space).map_err(Refused::from),
                        })?;
                    }
                    stand = Some(Stand::Open);
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    self.sealed.append(|space| message.encode(space).map_err(Refused::from))?;
                }
                // It lies where it is sent from, before everything that follows.
                Ok(ConnectionState::TransmitTlsData(message)) => message.done(),
                Ok(ConnectionState::BlockedHandshake) => stand = Some(Stand::Handshake),
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => stand = Some(Stand::Ended),
                Ok(_) => return Err(io::ErrorKind::Unsupported.into()),
                Err(error) => {
                    self.received.discard(discard);
                    self.farewell();
                    self.failure = Some(error.clone());
                    return Err(broken(error));
                }
            }
            self.received.discard(discard);
            if let Some(stand) = stand {
                self.has_ended |= stand == Stand::Ended;
                return Ok(stand);
            }
        }
    }

    /// What a session that ends in an error still has to say; without it the other side sees a broken connection.
    fn farewell(&mut self) {
        // Only as long as there is something: otherwise rustls goes on with what it has failed at.
        while self.session.wants_write() {
            let state = self.session.process_tls_records(self.received.bytes()).state;
            let Ok(ConnectionState::EncodeTlsData(mut message)) = state else { return };
            if self.sealed.append(|space| message.encode(space).map_err(Refused::from)).is_err() {
                return;
            }
        }
    }

    /// Sends everything that is sealed.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.sealed.left().is_empty() {
            let sent = ready!(Pin::new(&mut self.tcp).poll_write(context, self.sealed.left()))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sealed.take(sent);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut space = ReadBuf::new(self.received.space());
        if space.remaining() == 0 {
            return Poll::Ready(Err(broken(rustls::InvalidMessage::HandshakePayloadTooLarge.into())));
        }
        ready!(Pin::new(&mut self.tcp).poll_read(context, &mut space))?;
        match space.filled().len() {
            // Closed without a word of it: what came so far may have been cut off (RFC 8446, 6.1).
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            more => {
                self.received.was_full = space.remaining() == 0;
                self.received.end += more;
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncRead for Tls {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let kept = this.opened.left().len().min(buffer.remaining());
        buffer.put_slice(&this.opened.left()[..kept]);
        this.opened.take(kept);
        while !this.has_ended && this.opened.left().is_empty() && buffer.remaining() > 0 {
            let stand = this.advance(buffer, None);
            if buffer.filled().len() > before {
                // What failed behind it is told the next time.
                break;
            }
            stand?;
            if !this.has_ended {
                ready!(this.poll_receive(context))?;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tls {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        content: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.has_ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if this.sealed.left().len() >= SEALED {
            ready!(this.poll_send(context))?;
        }
        let taken = content.len().min(SEALED);
        this.advance(&mut ReadBuf::new(&mut []), Some(Outgoing::Content(&content[..taken])))?;
        if this.has_ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let _ = this.poll_send(context)?;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.tcp).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.has_said_end {
            this.has_said_end = true;
            // Where the session has failed there is nothing more to be said.
            let _ = this.advance(&mut ReadBuf::new(&mut []), Some(Outgoing::End));
        }
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.tcp).poll_shutdown(context)
    }
}

impl Pending {
    fn left(&self) -> &[u8] {
        &self.bytes[self.gone..]
    }

    fn take(&mut self, bytes: usize) {
        self.gone += bytes;
        if self.gone == self.bytes.len() {
            self.bytes.clear();
            self.gone = 0;
        }
    }

    /// Adds what is written into the space that it needs.
    fn append(&mut self, mut write: impl FnMut(&mut [u8]) -> Result<usize, Refused>) -> io::Result<()> {
        let begin = self.bytes.len();
        let mut space = 0;
        loop {
            self.bytes.resize(begin + space, 0);
            match write(&mut self.bytes[begin..]) {
                Ok(written) => {
                    self.bytes.truncate(begin + written);
                    return Ok(());
                }
                Err(Refused::Needs(more)) if more > space => space = more,
                Err(Refused::Needs(_)) => return Err(io::ErrorKind::OutOfMemory.into()),
                Err(Refused::Never(error)) => return Err(broken(error)),
            }
        }
    }
}

impl Received {
    fn bytes(&mut self) -> &mut [u8] {
        &mut self.buffer[self.begin..self.end]
    }

    fn discard(&mut self, bytes: usize) {
        self.begin += bytes;
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
    }

    /// Where more is received: behind what is there, which is a part of one record or handshake and moves to the front.
    fn space(&mut self) -> &mut [u8] {
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if self.was_full {
            self.buffer.resize(RECEIVED_MOST.min(2 * self.buffer.len()), 0);
        }
        &mut self.buffer[self.end..]
    }
}

/// Why something was not written.
enum Refused {
    /// It needs so much space.
    Needs(usize),
    Never(rustls::Error),
}

impl From<InsufficientSizeError> for Refused {
    fn from(error: InsufficientSizeError) -> Self {
        Self::Needs(error.required_size)
    }
}

impl From<EncodeError> for Refused {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(size) => size.into(),
            EncodeError::AlreadyEncoded => Self::Never(rustls::Error::General("encoded twice".to_owned())),
        }
    }
}

impl From<EncryptError> for Refused {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(size) => size.into(),
            EncryptError::EncryptExhausted => Self::Never(rustls::Error::EncryptError),
        }
    }
}

/// As tokio-rustls tells it.
fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    struct Server {
        listener: TcpListener,
        acceptor: TlsAcceptor,
        client: Arc<ClientConfig>,
    }

    impl Server {
        async fn start(versions: &[&'static SupportedProtocolVersion]) -> Self {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
            let mut roots = RootCertStore::empty();
            roots.add(made.cert.der().clone()).unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(versions)
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key.into())
                .unwrap();
            let client = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            Self { listener, acceptor: Arc::new(server).into(), client: Arc::new(client) }
        }

        /// Both ends of a connection to this name.
        async fn connect(&self, name: &'static str) -> (io::Result<Tls>, io::Result<TlsStream<TcpStream>>) {
            let tcp = TcpStream::connect(self.listener.local_addr().unwrap()).await.unwrap();
            let (accepted, _) = self.listener.accept().await.unwrap();
            let name = ServerName::try_from(name).unwrap();
            tokio::join!(Tls::connect(tcp, Arc::clone(&self.client), name), self.acceptor.accept(accepted))
        }

        async fn pair(&self) -> (Tls, TlsStream<TcpStream>) {
            let (client, server) = self.connect("localhost").await;
            (client.unwrap(), server.unwrap())
        }
    }

    fn content(bytes: usize) -> Vec<u8> {
        std::iter::repeat_with(|| fastrand::u8(..)).take(bytes).collect()
    }

    /// Reads in pieces of chance sizes.
    async fn read(tls: &mut Tls, bytes: usize) -> Vec<u8> {
        let mut all = Vec::with_capacity(bytes);
        while all.len() < bytes {
            let mut piece = vec![0; fastrand::usize(1..50_000).min(bytes - all.len())];
            let read = tls.read(&mut piece).await.unwrap();
            assert!(read > 0, "it ended after {}", all.len());
            all.extend_from_slice(&piece[..read]);
        }
        all
    }

    #[tokio::test]
    async fn what_goes_up_comes_down_with_both_versions_and_new_keys() {
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            let server = Server::start(&[version]).await;
            let (mut client, mut answering) = server.pair().await;
            let echo = tokio::spawn(async move {
                let mut piece = vec![0; 40_000];
                for turn in 0.. {
                    let read = answering.read(&mut piece).await.unwrap();
                    if read == 0 {
                        return;
                    }
                    if turn == 20 && version == &rustls::version::TLS13 {
                        answering.get_mut().1.refresh_traffic_keys().unwrap();
                    }
                    answering.write_all(&piece[..read]).await.unwrap();
                    answering.flush().await.unwrap();
                }
            });
            for bytes in [1, 1000, 16_384, 300_000, 3_000_000] {
                let sent = content(bytes);
                let (mut reading, mut writing) = tokio::io::split(client);
                let upward = sent.clone();
                let writer = tokio::spawn(async move {
                    writing.write_all(&upward).await.unwrap();
                    writing.flush().await.unwrap();
                    writing
                });
                let mut all = vec![0; bytes];
                reading.read_exact(&mut all).await.unwrap();
                assert!(all == sent, "{bytes} bytes are not the same");
                client = reading.unsplit(writer.await.unwrap());
            }
            client.shutdown().await.unwrap();
            drop(client);
            echo.await.unwrap();
        }
    }

    #[tokio::test]
    async fn content_comes_whole_however_it_is_read() {
        let server = Server::start(rustls::ALL_VERSIONS).await;
        let (mut client, mut answering) = server.pair().await;
        let sent = content(5_000_000);
        let expected = sent.clone();
        let sender = tokio::spawn(async move {
            for piece in sent.chunks(70_001) {
                answering.write_all(piece).await.unwrap();
            }
            answering.shutdown().await.unwrap();
            answering
        });
        assert!(read(&mut client, expected.len()).await == expected);
        // The other side has said that this was all.
        assert_eq!(client.read(&mut [0; 10]).await.unwrap(), 0);
        assert_eq!(client.read(&mut [0; 10]).await.unwrap(), 0);
        assert_eq!(client.write_all(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        drop(sender.await);
    }

    #[tokio::test]
    async fn an_end_that_nobody_announced_is_none() {
        let server = Server::start(rustls::ALL_VERSIONS).await;
        let (mut client, mut answering) = server.pair().await;
        answering.write_all(b"half of").await.unwrap();
        answering.flush().await.unwrap();
        drop(answering.into_inner().0);
        assert_eq!(read(&mut client, 7).await, b"half of");
        assert_eq!(client.read(&mut [0; 10]).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn what_was_changed_on_its_way_is_not_believed() {
        let server = Server::start(rustls::ALL_VERSIONS).await;
        let (mut client, mut answering) = server.pair().await;
        // A record of content that no key has sealed.
        let mut record = vec![23, 3, 3, 0, 100];
        record.extend_from_slice(&[7; 100]);
        answering.get_mut().0.write_all(&record).await.unwrap();
        let error = client.read(&mut [0; 10]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("decrypt"), "{error}");
    }

    #[tokio::test]
    async fn what_came_before_a_failure_is_read_and_the_failure_stays() {
        let server = Server::start(rustls::ALL_VERSIONS).await;
        let (mut client, mut answering) = server.pair().await;
        answering.write_all(b"good").await.unwrap();
        answering.flush().await.unwrap();
        answering.get_mut().0.write_all(&[23, 3, 3, 0, 30]).await.unwrap();
        answering.get_mut().0.write_all(&[7; 30]).await.unwrap();
        assert_eq!(read(&mut client, 4).await, b"good");
        for _ in 0..2 {
            assert_eq!(client.read(&mut [0; 10]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert_eq!(client.write(b"more").await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        client.shutdown().await.unwrap();
        let told = answering.read(&mut [0; 10]).await.unwrap_err();
        assert!(told.to_string().contains("alert"), "{told}");
    }

    /// Who speaks first, and what: nothing of it may do more than fail.
    #[tokio::test]
    async fn a_server_that_does_not_keep_to_the_protocol_is_an_error() {
        let server = Server::start(rustls::ALL_VERSIONS).await;
        // A message that says it has 16 MiB; a part of one and then an alert; text; a record of nothing.
        let openings: [&[u8]; 4] = [
            &[0x16, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff],
            &[0x16, 3, 3, 0, 6, 2, 0, 0, 70, 3, 3, 0x15, 3, 3, 0, 2, 1, 0],
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            &[0x16, 3, 3, 0, 0],
        ];
        for opening in openings {
            let tcp = TcpStream::connect(server.listener.local_addr().unwrap()).await.unwrap();
            let (mut accepted, _) = server.listener.accept().await.unwrap();
            accepted.write_all(opening).await.unwrap();
            accepted.shutdown().await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            assert!(Tls::connect(tcp, Arc::clone(&server.client), name).await.is_err(), "{opening:?}");
        }
    }

    #[tokio::test]
    async fn space_grows_with_what_comes() {
        let server = Server::start(rustls::ALL_VERSIONS).await;
        let (mut client, mut answering) = server.pair().await;
        answering.write_all(&content(4000)).await.unwrap();
        answering.flush().await.unwrap();
        read(&mut client, 4000).await;
        assert_eq!(client.received.buffer.len(), RECEIVED_FIRST);
        let sender = tokio::spawn(async move {
            answering.write_all(&content(4_000_000)).await.unwrap();
            answering.flush().await.unwrap();
        });
        read(&mut client, 4_000_000).await;
        sender.await.unwrap();
        let space = client.received.buffer.len();
        assert!((2 * RECEIVED_FIRST..=RECEIVED_MOST).contains(&space), "{space}");
    }

    #[tokio::test]
    async fn a_server_of_another_name_is_refused_and_told() {
        let server = Server::start(rustls::ALL_VERSIONS).await;
        let (client, answering) = server.connect("elsewhere.example").await;
        let error = client.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("not valid for name"), "{error}");
        let told = match answering {
            Err(error) => error,
            // With TLS 1.3 a server is ready before it has heard of the client's refusal.
            Ok(mut answering) => answering.read(&mut [0; 10]).await.unwrap_err(),
        };
        assert!(told.to_string().contains("alert"), "{told}");
    }

    #[tokio::test]
    async fn a_server_that_hangs_up_during_the_handshake_is_an_error() {
        let server = Server::start(rustls::ALL_VERSIONS).await;
        let tcp = TcpStream::connect(server.listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = server.listener.accept().await.unwrap();
        drop(accepted);
        let name = ServerName::try_from("localhost").unwrap();
        let error = Tls::connect(tcp, Arc::clone(&server.client), name).await.err().unwrap();
        assert!(
            matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset),
            "{error}"
        );
    }
}
