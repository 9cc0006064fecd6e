use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use causeway_agent::{CertificateSettings, Environment, ProxySettings};
use regress::Regex;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::ExposeSecret;

/// The way out of the machine that every call takes: proxy, certificates, connect timeout, one pool of connections.
pub(crate) struct Network {
    connector: SharedHttpConnector,
}

impl Network {
    /// As the agent and the environment of `environment` are configured.
    ///
    /// # Errors
    /// When a certificate file cannot be read or the proxy's address is none.
    pub(crate) fn for_step(environment: &Environment) -> Result<Self> {
        let certificates = CertificateSettings::read(environment);
        let tls = tls_context(&certificates, environment.get("AWS_CA_BUNDLE"))?;
        let connector = match ProxySettings::read(environment) {
            None => connector(&tls, ProxyConfig::from_env()),
            Some(settings) => SharedHttpConnector::new(AgentProxy {
                proxied: connector(&tls, proxy(&settings)?),
                direct: connector(&tls, ProxyConfig::disabled()),
                bypass: bypass(&settings)?,
            }),
        };
        Ok(Self { connector })
    }

    /// The way out for single requests.
    pub(crate) fn connector(&self) -> SharedHttpConnector {
        self.connector.clone()
    }

    /// The way out for the SDK's clients.
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        let connector = self.connector.clone();
        http_client_fn(move |_, _| connector.clone())
    }
}

fn connector(tls: &TlsContext, proxy: ProxyConfig) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(60))
        .build();
    SharedHttpConnector::new(
        Connector::builder()
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .proxy_config(proxy)
            .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls.clone())
            .build(),
    )
}

/// The machine's own authorities, and those of the agent (`AGENT_CAINFO`) and of AWS tools (`AWS_CA_BUNDLE`).
fn tls_context(certificates: &CertificateSettings, aws_bundle: Option<&str>) -> Result<TlsContext> {
    let mut store = TrustStore::default();
    for (source, path) in [
        ("the agent's certificate authorities", certificates.authorities.as_deref()),
        ("AWS_CA_BUNDLE", aws_bundle),
    ] {
        let Some(path) = path else { continue };
        let pem = std::fs::read(path).with_context(|| format!("{source}: {path} cannot be read"))?;
        check_authorities(&pem).with_context(|| format!("{source}: {path}"))?;
        store = store.with_pem_certificate(pem);
    }
    Ok(TlsContext::builder().with_trust_store(store).build()?)
}

/// The HTTP client panics at a bundle that it cannot read, so it is read here first.
fn check_authorities(pem: &[u8]) -> Result<()> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        store
            .add(certificate.context("it is not PEM")?)
            .context("it holds something else than a certificate")?;
    }
    if store.is_empty() {
        bail!("it holds no certificate in PEM form");
    }
    Ok(())
}

fn proxy(settings: &ProxySettings) -> Result<ProxyConfig> {
    let proxy =
        ProxyConfig::all(settings.url.as_str()).context("the agent's proxy address cannot be used")?;
    Ok(match (&settings.username, &settings.password) {
        (Some(username), password) => {
            let password = password.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
            proxy.with_basic_auth(username.as_str(), password)
        }
        (None, _) => proxy,
    })
}

fn bypass(settings: &ProxySettings) -> Result<Vec<Regex>> {
    let compile = |pattern: &String| {
        Regex::with_flags(pattern, "i")
            .with_context(|| format!("the agent's proxy bypass list: \"{pattern}\""))
    };
    settings.bypass.iter().map(compile).collect()
}

/// The agent's own rule (`VstsAgentWebProxy.IsBypassed`): this machine and what any expression of the list matches in
/// the whole address goes past the proxy. The expressions are ECMAScript's there too.
#[derive(Debug)]
struct AgentProxy {
    proxied: SharedHttpConnector,
    direct: SharedHttpConnector,
    bypass: Vec<Regex>,
}

impl AgentProxy {
    fn is_bypassed(&self, address: &str) -> bool {
        is_loopback(address) || self.bypass.iter().any(|expression| expression.find(address).is_some())
    }
}

impl HttpConnector for AgentProxy {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = if self.is_bypassed(request.uri()) { &self.direct } else { &self.proxied };
        connector.call(request)
    }
}

fn is_loopback(address: &str) -> bool {
    match url::Url::parse(address).ok().as_ref().and_then(url::Url::host) {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent_proxy(list: &[&str]) -> AgentProxy {
        let settings = ProxySettings {
            url: "http://proxy:8080".to_owned(),
            username: Some("build".to_owned()),
            password: None,
            bypass: list.iter().map(|pattern| (*pattern).to_owned()).collect(),
        };
        let tls = TlsContext::default();
        AgentProxy {
            proxied: connector(&tls, proxy(&settings).unwrap()),
            direct: connector(&tls, ProxyConfig::disabled()),
            bypass: bypass(&settings).unwrap(),
        }
    }

    #[test]
    fn the_bypass_list_is_matched_against_the_whole_address() {
        let proxy = agent_proxy(&[r"^https://[^/]*\.CONTOSO\.com", "s3(?=\\.eu)"]);
        for (address, bypassed) in [
            ("https://artifacts.contoso.com/x", true),
            ("https://contoso.com.evil.example/", false),
            ("https://s3.eu-west-1.amazonaws.com/", true),
            ("https://s3.us-east-1.amazonaws.com/", false),
            ("http://127.0.0.1:4000/", true),
            ("http://localhost:4000/", true),
            ("http://localhost.evil.example/", false),
        ] {
            assert_eq!(proxy.is_bypassed(address), bypassed, "{address}");
        }
    }

    #[test]
    fn a_bundle_that_is_none_is_refused_before_it_is_used() {
        for (pem, words) in [
            ("", "no certificate"),
            ("hello", "no certificate"),
            ("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", "something else"),
            ("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "not PEM"),
        ] {
            let error = check_authorities(pem.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{pem:?}: {error}");
        }
    }
}
