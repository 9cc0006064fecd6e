use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::request::Body;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode};

/// The header in which Azure DevOps names the Entra tenant of an organization (Git Credential Manager reads it too).
const TENANT: &str = "x-vss-resourcetenant";

/// Carries the Azure client's requests over the connection that AWS is reached by: one TLS stack, one proxy, one set of
/// authorities for both clouds.
#[derive(Debug, Clone)]
pub(super) struct Carrier {
    connector: SharedHttpConnector,
    tenant: Arc<Mutex<Option<String>>>,
}

impl Carrier {
    pub(super) fn new(connector: SharedHttpConnector) -> Self {
        Self { connector, tenant: Arc::default() }
    }

    /// The tenant that the last answer with that header named.
    pub(super) fn tenant(&self) -> Option<String> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, tenant: &str) {
        *self.tenant.lock().unwrap_or_else(PoisonError::into_inner) = Some(tenant.to_owned());
    }
}

#[async_trait]
impl HttpClient for Carrier {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse, Error> {
        let request = translate(request)?;
        let mut response =
            self.connector.call(request).await.map_err(|error| Error::new(ErrorKind::Io, error))?;
        let mut headers = Headers::new();
        for (name, value) in response.headers() {
            headers.insert(name.to_owned(), value.to_owned());
        }
        if let Some(tenant) = response.headers().get(TENANT) {
            self.remember(tenant);
        }
        let status = StatusCode::from(response.status().as_u16());
        let body = ByteStream::new(response.take_body());
        let body = body.collect().await.map_err(|error| Error::new(ErrorKind::Io, error))?;
        Ok(AsyncRawResponse::from_bytes(status, headers, body.into_bytes()))
    }
}

fn translate(request: &Request) -> Result<HttpRequest, Error> {
    let Body::Bytes(body) = request.body() else {
        return Err(Error::with_message(ErrorKind::Other, "a streamed body is not supported"));
    };
    let mut url = request.url().clone();
    // The client writes `{endpoint}/{organization}/…`, and the endpoint ends in a slash of its own.
    let path = url.path().trim_start_matches('/').to_owned();
    url.set_path(&path);
    let mut translated = HttpRequest::new(SdkBody::from(body.as_ref()));
    translated.set_method(request.method().as_str()).map_err(unsendable)?;
    translated.set_uri(url.as_str()).map_err(unsendable)?;
    for (name, value) in request.headers().iter() {
        translated
            .headers_mut()
            .try_insert(name.as_str().to_owned(), value.as_str().to_owned())
            .map_err(unsendable)?;
    }
    let more = [("content-length", body.len().to_string()), ("x-tfs-fedauthredirect", "Suppress".to_owned())];
    for (name, value) in more {
        translated.headers_mut().try_insert(name, value).map_err(unsendable)?;
    }
    Ok(translated)
}

fn unsendable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Other, error)
}
