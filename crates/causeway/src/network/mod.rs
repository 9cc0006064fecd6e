//! The way out of the machine that every call takes: proxy, certificates, one pool of connections.

mod authorities;
mod client_certificate;
mod fault;
mod journal;
mod probe;
mod proxy;
mod router;
mod rules;
mod tools;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use causeway_agent::{CertificateSettings, Console, Environment};
use causeway_transfer::Route;

use authorities::Authorities;
use journal::Journal;
use proxy::ProxyAddress;
use router::Router;
use rules::{Proxies, Way};
pub(crate) use tools::ToolProxy;
pub(crate) use traffic::Traffic;

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may take to begin its answer. Signing in sets shorter limits of its own.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The way out, as the agent and the environment are configured.
pub(crate) struct Network {
    to_aws: SharedHttpConnector,
    to_registries: SharedHttpConnector,
    to_objects: Route,
    to_azure_devops: SharedHttpConnector,
    journal: Journal,
}

impl Network {
    /// Reads the configuration, checks it, and registers the proxy's password as a secret. Nothing is sent. `traffic` is told
    /// of every request.
    ///
    /// # Errors
    /// When a certificate file cannot be used or the proxy's address is none.
    pub(crate) fn for_step(
        environment: &Environment,
        console: &Console,
        traffic: Option<Traffic>,
    ) -> Result<Self> {
        let proxies = Arc::new(Proxies::read(environment, console)?);
        let certificates = CertificateSettings::read(environment);
        warn_of_skipped_validation(&certificates, console);
        let authorities = Authorities::load(&certificates, environment)?;
        console.debug(&authorities.to_string());
        let journal = Journal::default();
        let tls = authorities.to_context()?;
        let patient_tls = tls.clone();
        let patient = move |proxy: Option<&ProxyAddress>| with_limit(&patient_tls, proxy, None);
        let to_registries = Router::shared(proxies.clone(), journal.clone(), traffic.clone(), patient);
        let to_objects = objects(&authorities, proxies.clone(), to_registries.clone(), traffic.is_none());
        let plain = move |proxy: Option<&ProxyAddress>| connector(&tls, proxy);
        let to_aws = Router::shared(proxies.clone(), journal.clone(), traffic.clone(), plain);
        let to_azure_devops = match client_certificate::tls(&certificates, &authorities) {
            Ok(None) => to_aws.clone(),
            Ok(Some(tls)) => {
                let with_certificate =
                    move |proxy: Option<&ProxyAddress>| client_certificate::connector(&tls, proxy);
                Router::shared(proxies, journal.clone(), traffic, with_certificate)
            }
            // A step that needs nothing of Azure DevOps goes on without it.
            Err(error) => client_certificate::unusable(&error),
        };
        Ok(Self { to_aws, to_registries, to_objects, to_azure_devops, journal })
    }

    /// The way to Azure DevOps, which may ask for a client certificate.
    pub(crate) fn connector(&self) -> SharedHttpConnector {
        self.to_azure_devops.clone()
    }

    /// The way to AWS, for the SDK's clients.
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        let connector = self.to_aws.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    /// The way to registries, where one request carries a whole layer: nothing limits how long it takes.
    pub(crate) fn patient_connector(&self) -> SharedHttpConnector {
        self.to_registries.clone()
    }

    /// The way of the content of S3 objects, which sets time limits of its own.
    pub(crate) fn object_route(&self) -> Route {
        self.to_objects.clone()
    }

    /// What went wrong last, for the message when time is up.
    pub(crate) fn last_fault(&self) -> Option<String> {
        self.journal.last_fault()
    }
}

/// Past the SDK's connector where that is allowed and no proxy is in the way.
fn objects(
    authorities: &Authorities,
    proxies: Arc<Proxies>,
    connector: SharedHttpConnector,
    past_connector: bool,
) -> Route {
    let is_direct = move |address: &str| past_connector && matches!(proxies.way(address), Way::Direct);
    Route::new(Arc::new(authorities.store()), connector, is_direct)
}

fn connector(tls: &TlsContext, proxy: Option<&ProxyAddress>) -> SharedHttpConnector {
    with_limit(tls, proxy, Some(READ_TIMEOUT))
}

fn with_limit(
    tls: &TlsContext,
    proxy: Option<&ProxyAddress>,
    read_timeout: Option<Duration>,
) -> SharedHttpConnector {
    let mut settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT);
    settings.set_read_timeout(read_timeout);
    let settings = settings.build();
    SharedHttpConnector::new(
        Connector::builder()
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .proxy_config(proxy.map_or_else(ProxyConfig::disabled, ProxyAddress::to_config))
            .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls.clone())
            .build(),
    )
}

/// Credentials pass through these connections, so the agent's setting is not followed. It is said once, with the way
/// that serves the same end.
fn warn_of_skipped_validation(certificates: &CertificateSettings, console: &Console) {
    if certificates.skip_validation {
        console.warning(
            "The agent is configured to skip the check of certificates (AGENT_SKIPCERTVALIDATION, --sslskipcertvalidation). \
             Causeway checks them all the same, because tokens and keys pass through these connections. If a server or proxy \
             has a certificate of your own authority, give that authority's PEM file to the agent (--sslcacert, AGENT_CAINFO).",
        );
    }
}

#[cfg(test)]
mod printed;
#[cfg(test)]
mod test_keys;
