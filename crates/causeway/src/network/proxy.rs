use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws_smithy_http_client::proxy::ProxyConfig;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A proxy with the credentials to show to it. It prints as `host:port`, never with user or password.
#[derive(Clone)]
pub(super) struct ProxyAddress {
    /// `scheme://user:password@host:port/`, user and password percent-encoded.
    full: SecretString,
    shown: Arc<str>,
    has_credentials: bool,
    config: ProxyConfig,
    intercept: Intercept,
}

/// A proxy's password in both forms that it takes, for the masks.
pub(super) struct ProxyPassword {
    /// As an address holds it, percent-encoded.
    pub(super) encoded: SecretString,
    /// As the proxy gets it.
    pub(super) decoded: SecretString,
}

impl ProxyAddress {
    /// Takes `http://proxy:8080`, `http://user:p%40ss@proxy:8080` or, as curl does, `proxy:8080`.
    ///
    /// # Errors
    /// When it is no address of an HTTP proxy. The message repeats nothing of it: a password may stand in it.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
        Self::of(url.context("it cannot be read as an address such as http://proxy.example:8080")?)
    }

    /// The same with a user name and password of any characters.
    ///
    /// # Errors
    /// When the address cannot carry them.
    pub(super) fn with_credentials(&self, user: &str, password: Option<&SecretString>) -> Result<Self> {
        let unusable = |()| anyhow::anyhow!("it takes no user name and password");
        let mut url = Url::parse(self.full.expose_secret())?;
        url.set_username(&encoded(user)).map_err(unusable)?;
        let password = password.map(|password| encoded(password.expose_secret()));
        url.set_password(password.as_deref()).map_err(unusable)?;
        Self::of(url)
    }

    fn of(mut url: Url) -> Result<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            bail!("it begins with {}://, but only http and https proxies are supported", url.scheme());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).context("it names no host")?;
        let shown = format!("{host}:{}", url.port_or_known_default().context("it names no port")?);
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        // The HTTP clients take a proxy that they cannot read for none at all, so it is read here first.
        let config = ProxyConfig::all(url.as_str()).ok().context("it cannot be used as a proxy's address")?;
        let intercept = Matcher::builder()
            .all(url.as_str())
            .build()
            .intercept(&http::Uri::from_static("https://any.example/"))
            .context("it cannot be used as a proxy's address")?;
        Ok(Self {
            shown: Arc::from(shown),
            has_credentials: !url.username().is_empty() || url.password().is_some(),
            full: SecretString::from(String::from(url)),
            config,
            intercept,
        })
    }

    /// Whether the proxy is told who asks.
    pub(super) fn has_credentials(&self) -> bool {
        self.has_credentials
    }

    /// `host:port`.
    pub(super) fn shown(&self) -> &Arc<str> {
        &self.shown
    }

    /// The password that the address holds.
    pub(super) fn password(&self) -> Option<ProxyPassword> {
        let url = Url::parse(self.full.expose_secret()).ok()?;
        let encoded = url.password()?;
        Some(ProxyPassword {
            encoded: SecretString::from(encoded),
            decoded: SecretString::from(percent_decode_str(encoded).decode_utf8_lossy().into_owned()),
        })
    }

    /// The whole address, with user and password percent-encoded.
    pub(super) fn full(&self) -> &SecretString {
        &self.full
    }

    /// For the AWS SDK's connector.
    pub(super) fn to_config(&self) -> ProxyConfig {
        self.config.clone()
    }

    /// For a connector of our own: where to connect to, and the header to show there.
    pub(super) fn intercept(&self) -> &Intercept {
        &self.intercept
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ProxyAddress({})", self.shown)
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_STANDARD};

    fn shown_to_the_proxy(address: &ProxyAddress) -> String {
        let header = address.intercept().basic_auth().unwrap().to_str().unwrap();
        String::from_utf8(BASE64_STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn user_and_password_of_any_characters_arrive_as_they_are() {
        let bare = ProxyAddress::parse("http://proxy.contoso.com:8080").unwrap();
        for (user, password) in [
            ("build", "hunter2"),
            ("CONTOSO\\build", "p@ss:w/o?r#d"),
            ("a b", "100%"),
            ("a%40b", "p%40ss"),
            ("büro", "pässwörd ✓"),
            ("build", "[]{}|<>\"'`^&=+$,;!*()~"),
        ] {
            let address = bare.with_credentials(user, Some(&SecretString::from(password))).unwrap();
            assert_eq!(shown_to_the_proxy(&address), format!("{user}:{password}"));
            assert_eq!(address.intercept().uri().to_string(), "http://proxy.contoso.com:8080/");
            assert_eq!(address.password().unwrap().decoded.expose_secret(), password);
            assert!(!format!("{address:?}").contains(password));
        }
    }

    #[test]
    fn addresses_are_read_as_curl_reads_them() {
        for (text, shown, credentials) in [
            ("http://proxy:8080", "proxy:8080", None),
            ("proxy:8080", "proxy:8080", None),
            ("https://proxy", "proxy:443", None),
            ("http://build:p%40ss@proxy:8080/", "proxy:8080", Some("build:p@ss")),
            ("build:p%40ss@proxy:8080", "proxy:8080", Some("build:p@ss")),
            ("http://build@proxy:8080", "proxy:8080", Some("build:")),
            (" http://[::1]:3128/x?y#z ", "[::1]:3128", None),
        ] {
            let address = ProxyAddress::parse(text).unwrap();
            assert_eq!(address.shown().as_ref(), shown, "{text}");
            assert_eq!(address.has_credentials(), credentials.is_some(), "{text}");
            if let Some(credentials) = credentials {
                assert_eq!(shown_to_the_proxy(&address), credentials);
            }
        }
    }

    #[test]
    fn what_is_no_http_proxy_is_refused_without_repeating_it() {
        for text in [
            "",
            "http://",
            "socks5://build:hunter2@proxy:1080",
            "http://build:hunter2@pro xy:8080",
            "http://build:hunter2@proxy:99999",
            "http://build:hunter2@",
        ] {
            let error = format!("{:#}", ProxyAddress::parse(text).unwrap_err());
            assert!(!error.contains("hunter2") && !error.contains("build"), "{error}");
        }
    }
}
