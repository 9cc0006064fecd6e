use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::chaos::{Chaos, Mishap};
use crate::http::{spawn, wait};

/// A tunnel that breaks breaks after so many bytes of the server's: within the certificates, or within an answer.
const CUT_AFTER: u64 = 3000;
/// The bytes at a time where they come in drops.
const DROP: u64 = 300;

/// A `CONNECT` proxy with names of its own: `sts.eu-west-1.test` leads to a local server for it, and to nothing for
/// everybody else. What arrives at such a server has come through this proxy. It ends with this value.
#[derive(Debug)]
pub struct NamingProxy {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<ProxyRequest>>>,
    rules: Arc<Rules>,
    accepting: JoinHandle<()>,
}

/// What the proxy was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyRequest {
    /// The method and the target, such as `CONNECT sts.eu-west-1.test:443`.
    pub line: String,
    /// User and password as they were sent (`user:password`).
    pub credentials: Option<String>,
    /// The status of the answer.
    pub status: u16,
}

#[derive(Debug)]
struct Rules {
    names: HashMap<String, SocketAddr>,
    credentials: Option<String>,
    chaos: Mutex<Option<Chaos>>,
    /// The end of a name that is not known any more.
    lost: Mutex<Option<String>>,
}

impl NamingProxy {
    /// Starts on a free port. With `credentials` (`user:password`), others get 407.
    #[must_use]
    pub fn start(names: &[(&str, SocketAddr)], credentials: Option<&str>) -> Self {
        let listener = wait(TcpListener::bind(("127.0.0.1", 0))).expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("the bound address");
        let names = names.iter().map(|(name, address)| ((*name).to_owned(), *address)).collect();
        let rules = Arc::new(Rules {
            names,
            credentials: credentials.map(str::to_owned),
            chaos: Mutex::default(),
            lost: Mutex::default(),
        });
        let requests = Arc::<Mutex<Vec<ProxyRequest>>>::default();
        let accepting = spawn(accept(listener, rules.clone(), requests.clone()));
        Self { address, requests, rules, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Throws this dice for every tunnel from now on.
    pub fn through(&self, chaos: &Chaos) {
        *self.rules.chaos.lock().unwrap() = Some(chaos.clone());
    }

    /// From now on it knows no name that ends so; `None`: it knows all again.
    pub fn lose(&self, name: Option<&str>) {
        *self.rules.lost.lock().unwrap() = name.map(str::to_owned);
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<ProxyRequest> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for NamingProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, rules: Arc<Rules>, requests: Arc<Mutex<Vec<ProxyRequest>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (rules, requests) = (rules.clone(), requests.clone());
        tokio::spawn(async move {
            // A client that goes away is its own affair.
            let _ = serve(stream, &rules, &requests).await;
        });
    }
}

async fn serve(
    mut client: TcpStream,
    rules: &Rules,
    requests: &Mutex<Vec<ProxyRequest>>,
) -> std::io::Result<()> {
    let head = head(&mut client).await?;
    let (line, credentials) = read(&head);
    let mishap = rules.chaos.lock().unwrap().as_ref().and_then(|chaos| chaos.throw(&line));
    match mishap {
        Some(Mishap::Delay(pause)) => tokio::time::sleep(pause).await,
        Some(Mishap::ResetBefore) => return client.set_zero_linger(),
        Some(Mishap::Silent) => std::future::pending().await,
        _ => {}
    }
    let upstream = match mishap {
        Some(Mishap::Answer(status)) => Err(status),
        _ => rules.upstream(&line, credentials.as_deref()),
    };
    let status = *upstream.as_ref().err().unwrap_or(&200);
    requests.lock().unwrap().push(ProxyRequest { line, credentials, status });
    match upstream {
        Err(status) => {
            let answer = format!(
                "HTTP/1.1 {status} {}\r\nProxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                reason(status)
            );
            client.write_all(answer.as_bytes()).await
        }
        Ok(address) => {
            let server = TcpStream::connect(address).await?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            tunnel(client, server, mishap).await
        }
    }
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("No")
}

/// Carries both ways, as far as the mishap lets it.
async fn tunnel(mut client: TcpStream, mut server: TcpStream, mishap: Option<Mishap>) -> std::io::Result<()> {
    match mishap {
        Some(Mishap::ResetAfter) => return client.set_zero_linger(),
        Some(Mishap::Truncate | Mishap::Drip(_)) => {}
        _ => return tokio::io::copy_bidirectional(&mut client, &mut server).await.map(drop),
    }
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_client, mut to_client) = client.into_split();
    let upwards = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let ended = match mishap {
        Some(Mishap::Drip(pause)) => drip(&mut from_server, &mut to_client, pause).await,
        _ => tokio::io::copy(&mut from_server.take(CUT_AFTER), &mut to_client).await,
    };
    upwards.abort();
    ended.map(drop)
}

async fn drip(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    pause: Duration,
) -> std::io::Result<u64> {
    for _ in 0..9 {
        tokio::io::copy(&mut from.take(DROP), to).await?;
        tokio::time::sleep(pause).await;
    }
    tokio::io::copy(from, to).await
}

impl Rules {
    fn upstream(&self, line: &str, credentials: Option<&str>) -> Result<SocketAddr, u16> {
        if self.credentials.is_some() && self.credentials.as_deref() != credentials {
            return Err(407);
        }
        let target = line.strip_prefix("CONNECT ").ok_or(405_u16)?;
        let name = target.rsplit_once(':').map_or(target, |(name, _)| name);
        if self.lost.lock().unwrap().as_ref().is_some_and(|lost| name.ends_with(lost.as_str())) {
            return Err(502);
        }
        self.names.get(name).copied().ok_or(502)
    }
}

/// The request up to the empty line, and not a byte of what follows.
async fn head(client: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Method and target, and the credentials.
fn read(head: &str) -> (String, Option<String>) {
    let line = head.lines().next().unwrap_or_default();
    let line = line.rsplit_once(' ').map_or(line, |(line, _version)| line).to_owned();
    let credentials = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let encoded = value.trim().strip_prefix("Basic ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| BASE64_STANDARD.decode(encoded).ok())?
    });
    (line, credentials.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
