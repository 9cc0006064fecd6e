use url::{Host, Url};

/// Whether a token may be sent there: over https, or over http to this machine itself (for tests).
pub(crate) fn is_safe_for_tokens(address: &Url) -> bool {
    let is_loopback = match address.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    address.scheme() == "https" || (address.scheme() == "http" && is_loopback)
}
