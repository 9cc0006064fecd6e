use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::CONNECT_TIMEOUT;
use super::proxy::ProxyAddress;

/// Longer than any status line; what follows it is not needed.
const ENOUGH: u64 = 512;

/// The status with which `proxy` refuses to connect to `target` (`host:port`).
///
/// The HTTP library says only that it was not 200. Whether it is worth another attempt depends on it, so the proxy is
/// asked once more. `None` when it did not say, or is itself reached over TLS.
pub(super) async fn refusal(proxy: &ProxyAddress, target: &str) -> Option<u16> {
    if proxy.intercept().uri().scheme_str() != Some("http") {
        return None;
    }
    tokio::time::timeout(CONNECT_TIMEOUT, ask(proxy, target)).await.ok()?.ok().flatten()
}

async fn ask(proxy: &ProxyAddress, target: &str) -> std::io::Result<Option<u16>> {
    let shown: &Arc<str> = proxy.shown();
    let mut connection = TcpStream::connect(shown.as_ref()).await?;
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(credentials) = proxy.intercept().basic_auth() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(credentials.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    connection.write_all(&request).await?;
    let mut answer = Vec::new();
    let mut connection = connection.take(ENOUGH);
    while !answer.contains(&b'\n') && connection.read_buf(&mut answer).await? > 0 {}
    Ok(status_of(&answer))
}

/// The number in `HTTP/1.1 403 Forbidden`.
fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_found_in_the_first_line_only() {
        for (answer, status) in [
            ("HTTP/1.1 403 Forbidden\r\nX: y\r\n\r\n", Some(403)),
            ("HTTP/1.0 502\r\n", Some(502)),
            ("HTTP/1.1 401 Unauth", Some(401)),
            ("HTTP/2 403\r\n", None),
            ("\r\nHTTP/1.1 403\r\n", None),
            ("SSH-2.0-OpenSSH_9.2\r\n", None),
            ("HTTP/1.1 forbidden\r\n", None),
            ("", None),
        ] {
            assert_eq!(status_of(answer.as_bytes()), status, "{answer:?}");
        }
    }
}
