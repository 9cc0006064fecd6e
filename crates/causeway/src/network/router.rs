use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use url::Url;

use super::fault::{Fault, innermost};
use super::journal::Journal;
use super::probe;
use super::proxy::ProxyAddress;
use super::rules::{Proxies, Way};
use super::traffic::Traffic;

type Build = dyn Fn(Option<&ProxyAddress>) -> SharedHttpConnector + Send + Sync;

/// Sends each request the way that the rules say, explains what failed, and keeps the journal.
///
/// A connector is made when the first request needs it: reading all certificates takes longer than the rest of a start.
pub(super) struct Router {
    proxies: Arc<Proxies>,
    journal: Journal,
    traffic: Option<Traffic>,
    build: Box<Build>,
    direct: OnceLock<SharedHttpConnector>,
    http: OnceLock<SharedHttpConnector>,
    https: OnceLock<SharedHttpConnector>,
}

impl Router {
    /// `build` makes the connector for a proxy, or for none.
    pub(super) fn shared(
        proxies: Arc<Proxies>,
        journal: Journal,
        traffic: Option<Traffic>,
        build: impl Fn(Option<&ProxyAddress>) -> SharedHttpConnector + Send + Sync + 'static,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self {
            proxies,
            journal,
            traffic,
            build: Box::new(build),
            direct: OnceLock::new(),
            http: OnceLock::new(),
            https: OnceLock::new(),
        })
    }

    fn way(&self, address: &str) -> (&SharedHttpConnector, Option<&ProxyAddress>) {
        let (place, proxy) = match self.proxies.way(address) {
            Way::Direct => (&self.direct, None),
            Way::Http(proxy) => (&self.http, Some(proxy)),
            Way::Https(proxy) => (&self.https, Some(proxy)),
        };
        (place.get_or_init(|| (self.build)(proxy)), proxy)
    }
}

impl HttpConnector for Router {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = Target::of(request.uri());
        let (connector, proxy) = self.way(request.uri());
        self.journal.asked(&target.host);
        let traffic = self.traffic.clone().map(|traffic| (traffic.asked(&request), traffic));
        let answer = connector.call(request);
        let (proxy, journal) = (proxy.cloned(), self.journal.clone());
        HttpConnectorFuture::new(async move {
            let ending = explained(answer.await, &target, proxy.as_ref()).await;
            if let Some((exchange, traffic)) = traffic {
                traffic.answered(&exchange, &ending);
            }
            match &ending {
                Ok(response) if response.status().as_u16() >= 400 => {
                    journal.failed(format!("{} answered HTTP {}", target.host, response.status().as_u16()));
                }
                Ok(_) => journal.answered(),
                Err(error) => journal.failed(format!("{}: {}", target.host, innermost(error))),
            }
            ending
        })
    }
}

async fn explained(
    ending: Result<HttpResponse, ConnectorError>,
    target: &Target,
    proxy: Option<&ProxyAddress>,
) -> Result<HttpResponse, ConnectorError> {
    let fault = match &ending {
        Ok(response) => Fault::of_status(response.status().as_u16(), proxy),
        Err(error) => Fault::of_error(error, &target.host, proxy),
    };
    match (fault, proxy) {
        (None, _) => ending,
        (Some(fault @ Fault::TunnelRefused { .. }), Some(proxy)) => {
            let status = probe::refusal(proxy, &target.host_and_port).await;
            Err(fault.with_refusal(proxy, status).into_error())
        }
        (Some(fault), _) => Err(fault.into_error()),
    }
}

/// Whom a request is for.
struct Target {
    host: Arc<str>,
    host_and_port: Arc<str>,
}

impl Target {
    fn of(address: &str) -> Self {
        let url = Url::parse(address).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("the server");
        let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or(443);
        Self { host: Arc::from(host), host_and_port: Arc::from(format!("{host}:{port}")) }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Router").field("proxies", &self.proxies).finish_non_exhaustive()
    }
}
