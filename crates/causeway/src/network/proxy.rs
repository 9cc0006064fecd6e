use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws_smithy_http_client::proxy::ProxyConfig;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A proxy with the credentials to show to it. It prints as `host:port`, never with user or password.
#[derive(Clone)]
pub(super) struct ProxyAddress {
    /// `scheme://user:password@host:port/`, user and password percent-encoded.
    full: SecretString,
    shown: Arc<str>,
    has_credentials: bool,
}

/// The parts of a proxy's address that are secret, for the mask.
pub(super) struct ProxyPassword {
    /// As it was given in an address, percent-encoded.
    pub(super) encoded: SecretString,
    /// What it means.
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
        let url = url.context("the address cannot be read; it should look like http://proxy.example:8080")?;
        Self::of(&url)
    }

    fn of(url: &Url) -> Result<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            bail!("the address begins with {}://, but only http and https proxies are supported", url.scheme());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).context("the address has no host")?;
        let port = url.port_or_known_default().context("the address has no port")?;
        let mut bare = url.clone();
        bare.set_path("/");
        bare.set_query(None);
        bare.set_fragment(None);
        Ok(Self {
            full: SecretString::from(String::from(bare)),
            shown: Arc::from(format!("{host}:{port}")),
            has_credentials: !url.username().is_empty() || url.password().is_some(),
        })
    }

    /// The same with a user name and password, which may hold any character.
    ///
    /// # Errors
    /// When the address cannot carry them.
    pub(super) fn with_credentials(&self, user: &str, password: Option<&SecretString>) -> Result<Self> {
        let unusable = |()| anyhow::anyhow!("the address takes no user name and password");
        let mut url = Url::parse(self.full.expose_secret())?;
        url.set_username(&encoded(user)).map_err(unusable)?;
        let password = password.map(|password| encoded(password.expose_secret()));
        url.set_password(password.as_deref()).map_err(unusable)?;
        Self::of(&url)
    }

    /// Whether the proxy is told who asks.
    pub(super) fn has_credentials(&self) -> bool {
        self.has_credentials
    }

    /// `host:port`.
    pub(super) fn shown(&self) -> Arc<str> {
        self.shown.clone()
    }

    /// The password that stands in the address.
    pub(super) fn password(&self) -> Option<ProxyPassword> {
        let url = Url::parse(self.full.expose_secret()).ok()?;
        let encoded = url.password()?;
        let decoded = decoded(encoded);
        Some(ProxyPassword { encoded: SecretString::from(encoded), decoded: SecretString::from(decoded) })
    }

    /// For the AWS SDK's connector.
    pub(super) fn to_config(&self) -> ProxyConfig {
        // The address was read before, so this cannot fail; no proxy at all would be the wrong way round it.
        ProxyConfig::all(self.full.expose_secret()).unwrap_or_else(|_| ProxyConfig::disabled())
    }

    /// For a connector of our own: where to connect, and the header to show there.
    pub(super) fn to_intercept(&self) -> Option<Intercept> {
        let matcher = Matcher::builder().all(self.full.expose_secret().to_owned()).build();
        matcher.intercept(&hyper_util_uri("https://any.example/"))
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ProxyAddress({})", self.shown)
    }
}
