//! A registry as the crate sees it: docker-registry under ECR's name, behind a proxy, with a private authority.

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use causeway_harness::registry::Registry as Server;
use causeway_registry::{Registry, RegistryLogin, RepositoryName};

/// The account of all tests here.
pub(crate) const ACCOUNT: &str = "123456789012";

/// A docker-registry, and the crate's own view of it.
pub(crate) fn start() -> (Server, Registry) {
    let server = Server::start(ACCOUNT);
    let registry = open(&server, &server.host(), &server.password());
    (server, registry)
}

/// A registry of this name, with this password.
pub(crate) fn open(server: &Server, host: &str, password: &str) -> Registry {
    let login = RegistryLogin {
        host: host.parse().unwrap(),
        username: "AWS".to_owned(),
        password: password.into(),
        basic: BASE64_STANDARD.encode(format!("AWS:{password}")).into(),
        expires_at: None,
    };
    Registry::new(connector(server), &login)
}

fn connector(server: &Server) -> SharedHttpConnector {
    let authority = std::fs::read(server.authority_file()).unwrap();
    let trust = TrustStore::empty().with_native_roots(false).with_pem_certificate(authority);
    let connector = Connector::builder()
        .sleep_impl(TokioSleep::new())
        .proxy_config(ProxyConfig::all(server.proxy_url()).unwrap())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(TlsContext::builder().with_trust_store(trust).build().unwrap())
        .build();
    SharedHttpConnector::new(connector)
}

pub(crate) fn repository(name: &str) -> RepositoryName {
    name.parse().unwrap()
}
