use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use rustls::{ClientConfig, RootCertStore};

/// How content gets to S3: over connections of our own where nothing stands between, otherwise through the
/// same connector as all other calls (which knows the proxy).
#[derive(Clone)]
pub struct Route {
    roots: Arc<RootCertStore>,
    connector: SharedHttpConnector,
    is_direct: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Route {
    /// `roots` are the authorities trusted on connections of our own; `is_direct` says of an address
    /// (`https://host/`) whether no proxy is in the way; where one is, `connector` carries the content.
    pub fn new(
        roots: Arc<RootCertStore>,
        connector: SharedHttpConnector,
        is_direct: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { roots, connector, is_direct: Arc::new(is_direct) }
    }

    pub(super) fn is_direct(&self, address: &str) -> bool {
        (self.is_direct)(address)
    }

    pub(super) fn connector(&self) -> SharedHttpConnector {
        self.connector.clone()
    }

    /// TLS 1.2 and 1.3 without client certificates. AES-128 goes first: it is what AWS's own ends prefer, and
    /// the quickest of what is safe.
    pub(super) fn tls(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider
            .cipher_suites
            .sort_by_key(|suite| suite.suite() != rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
        let builder = ClientConfig::builder_with_provider(Arc::new(provider));
        let mut config = builder
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Route").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}
