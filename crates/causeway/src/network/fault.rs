use std::error::Error;
use std::io;
use std::sync::Arc;

use aws_smithy_runtime_api::client::result::ConnectorError;
use rustls::{AlertDescription, CertificateError};

use super::proxy::ProxyAddress;

/// A fault of the network in plain words, with what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error(
        "the proxy {proxy} wants a user name and password (HTTP {status}): give them to the agent (--proxyusername, --proxypassword) or in HTTPS_PROXY"
    )]
    CredentialsMissing { proxy: Arc<str>, status: u16 },
    #[error("the proxy {proxy} does not accept the user name and password that it was given (HTTP {status})")]
    CredentialsRefused { proxy: Arc<str>, status: u16 },
    #[error("the proxy {proxy} opens no connection to {host}{}", status.map(|status| format!(" (HTTP {status})")).unwrap_or_default())]
    TunnelRefused { proxy: Arc<str>, host: Arc<str>, status: Option<u16> },
    #[error("the proxy {proxy} cannot be reached: {reason}")]
    ProxyUnreachable { proxy: Arc<str>, reason: String },
    #[error(
        "the certificate of {host} comes from an authority that is not trusted here: if it is your own or your proxy's, give its PEM file to the agent (--sslcacert, AGENT_CAINFO) or in AWS_CA_BUNDLE"
    )]
    UnknownAuthority { host: Arc<str> },
    #[error("the certificate of {host} cannot be accepted: {reason}")]
    Certificate { host: Arc<str>, reason: String },
    #[error("{host} wants a client certificate: give one to the agent (--sslclientcert, --sslclientcertkey)")]
    ClientCertificateMissing { host: Arc<str> },
    #[error("{host} does not accept the agent's client certificate ({reason})")]
    ClientCertificateRefused { host: Arc<str>, reason: String },
}

impl Fault {
    /// A proxy's answer to the request itself.
    pub(super) fn of_status(status: u16, proxy: Option<&ProxyAddress>) -> Option<Self> {
        proxy.filter(|_| status == 407).map(|proxy| Self::of_credentials(proxy, status))
    }

    /// What a failed connection means, where that can be told.
    pub(super) fn of_error(
        error: &ConnectorError,
        host: &Arc<str>,
        proxy: Option<&ProxyAddress>,
    ) -> Option<Self> {
        let tls = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
        tls.and_then(|error| Self::of_tls(error, host)).or_else(|| Self::of_tunnel(error, host, proxy?))
    }

    fn of_tls(error: &rustls::Error, host: &Arc<str>) -> Option<Self> {
        let host = host.clone();
        match error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                Some(Self::UnknownAuthority { host })
            }
            rustls::Error::InvalidCertificate(reason) => {
                Some(Self::Certificate { host, reason: reason.to_string() })
            }
            rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
                Some(Self::ClientCertificateMissing { host })
            }
            rustls::Error::AlertReceived(
                alert @ (AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::DecryptError
                | AlertDescription::AccessDenied),
            ) => Some(Self::ClientCertificateRefused { host, reason: format!("{alert:?}") }),
            _ => None,
        }
    }

    /// The HTTP library keeps its error type to itself, so its words have to do
    /// (`hyper_util::client::legacy::connect::proxy`, `TunnelError`); the tests against real proxies hold them.
    fn of_tunnel(error: &ConnectorError, host: &Arc<str>, proxy: &ProxyAddress) -> Option<Self> {
        let says =
            |words: &str| chain(error).any(|cause| cause.to_string() == format!("tunnel error: {words}"));
        if says("proxy authorization required") {
            return Some(Self::of_credentials(proxy, 407));
        }
        if says("unsuccessful") {
            return Some(Self::TunnelRefused {
                proxy: proxy.shown().clone(),
                host: host.clone(),
                status: None,
            });
        }
        let is_connecting = says("failed to create underlying connection")
            || chain(error).any(|cause| {
                cause
                    .downcast_ref::<hyper_util::client::legacy::Error>()
                    .is_some_and(hyper_util::client::legacy::Error::is_connect)
            });
        is_connecting
            .then(|| Self::ProxyUnreachable { proxy: proxy.shown().clone(), reason: innermost(error) })
    }

    fn of_credentials(proxy: &ProxyAddress, status: u16) -> Self {
        let shown = proxy.shown().clone();
        match proxy.has_credentials() {
            true => Self::CredentialsRefused { proxy: shown, status },
            false => Self::CredentialsMissing { proxy: shown, status },
        }
    }

    /// The same, once it is known with which status the proxy refuses. Some say 401 where RFC 9110 has 407.
    pub(super) fn with_refusal(self, proxy: &ProxyAddress, status: Option<u16>) -> Self {
        match (self, status) {
            (Self::TunnelRefused { .. }, Some(status @ (401 | 407))) => Self::of_credentials(proxy, status),
            (Self::TunnelRefused { proxy, host, .. }, status) => Self::TunnelRefused { proxy, host, status },
            (other, _) => other,
        }
    }

    /// As the SDK and the token call take it: a `user` error is final, an `io` error is tried again.
    pub(super) fn into_error(self) -> ConnectorError {
        match self {
            // Too many requests, and a request that came too slowly, are not the last word.
            Self::TunnelRefused { status: Some(408 | 429), .. } => ConnectorError::io(Box::new(self)),
            Self::TunnelRefused { status: Some(400..=499), .. } => ConnectorError::user(Box::new(self)),
            Self::TunnelRefused { .. } | Self::ProxyUnreachable { .. } => ConnectorError::io(Box::new(self)),
            _ => ConnectorError::user(Box::new(self)),
        }
    }
}

/// The deepest cause says most: the outer ones only say that sending failed.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error and its causes. `io::Error` gives its own cause's cause as the next one, so what it wraps is asked for.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| deeper(error))
}

fn deeper<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Arc<str> {
        Arc::from("sts.eu-west-1.amazonaws.com")
    }

    /// As hyper-rustls nests it.
    fn in_io(error: rustls::Error) -> ConnectorError {
        ConnectorError::io(Box::new(io::Error::other(io::Error::other(error))))
    }

    #[test]
    fn a_certificate_that_is_not_accepted_is_final_and_explained() {
        for (error, words) in [
            (CertificateError::UnknownIssuer, "AGENT_CAINFO"),
            (CertificateError::Expired, "expired"),
            (CertificateError::NotValidForName, "NotValidForName"),
        ] {
            let fault =
                Fault::of_error(&in_io(rustls::Error::InvalidCertificate(error)), &host(), None).unwrap();
            assert!(fault.to_string().to_lowercase().contains(&words.to_lowercase()), "{fault}");
            assert!(fault.into_error().is_user());
        }
        let wanted = in_io(rustls::Error::AlertReceived(AlertDescription::CertificateRequired));
        assert!(Fault::of_error(&wanted, &host(), None).unwrap().to_string().contains("--sslclientcert"));
    }

    #[test]
    fn other_faults_stay_what_they_are() {
        let refused = ConnectorError::io(Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)));
        assert_eq!(Fault::of_error(&refused, &host(), None), None);
        let proxy = ProxyAddress::parse("http://build:hunter22@proxy:8080").unwrap();
        assert_eq!(Fault::of_error(&refused, &host(), Some(&proxy)), None);
        assert_eq!(Fault::of_status(407, None), None, "a server's own 407 is not the proxy's");
        assert_eq!(Fault::of_status(503, Some(&proxy)), None);
    }

    #[test]
    fn a_407_says_whether_credentials_were_given() {
        for (address, words) in [
            ("http://build:hunter22@proxy:8080", "does not accept"),
            ("http://proxy:8080", "wants a user name and password"),
        ] {
            let proxy = ProxyAddress::parse(address).unwrap();
            let fault = Fault::of_status(407, Some(&proxy)).unwrap();
            assert!(fault.to_string().contains(words) && fault.to_string().contains("proxy:8080"), "{fault}");
            assert!(!fault.to_string().contains("hunter22"), "{fault}");
            assert!(fault.into_error().is_user(), "it is final");
        }
    }

    #[test]
    fn a_refused_tunnel_is_final_where_its_status_is() {
        let proxy = ProxyAddress::parse("http://build:hunter22@proxy:8080").unwrap();
        for (status, is_final, words) in [
            (Some(401), true, "does not accept the user name and password that it was given (HTTP 401)"),
            (Some(403), true, "opens no connection to sts.eu-west-1.amazonaws.com (HTTP 403)"),
            (Some(429), false, "(HTTP 429)"),
            (Some(502), false, "(HTTP 502)"),
            (Some(200), false, "opens no connection"),
            (None, false, "opens no connection to sts.eu-west-1.amazonaws.com"),
        ] {
            let fault = Fault::TunnelRefused { proxy: proxy.shown().clone(), host: host(), status: None };
            let fault = fault.with_refusal(&proxy, status);
            assert!(fault.to_string().contains(words), "{fault}");
            assert_eq!(fault.into_error().is_user(), is_final, "{status:?}");
        }
    }
}
