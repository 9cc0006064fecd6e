use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::request::Body;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode};

use super::address::TokenAddress;

/// Carries the Azure client's request over the connection that the AWS SDK uses, to the address that the agent named.
///
/// One TLS stack, proxy and set of certificates serves both clouds. The address is the agent's own because the client
/// always writes `{endpoint}/{organization}/…`, which addresses such as `https://contoso.visualstudio.com/…` have not.
#[derive(Debug)]
pub(crate) struct ToAgentsAddress {
    connector: SharedHttpConnector,
    address: TokenAddress,
}

impl ToAgentsAddress {
    pub(crate) fn new(connector: SharedHttpConnector, address: TokenAddress) -> Self {
        Self { connector, address }
    }

    fn translate(&self, request: &Request) -> Result<HttpRequest, Error> {
        let Body::Bytes(body) = request.body() else {
            return Err(Error::with_message(ErrorKind::Other, "a streamed body is not supported"));
        };
        let connection = request.url().query_pairs().find(|(name, _)| name == "serviceConnectionId");
        let url = self.address.with_query(connection.as_ref().map(|(_, id)| id.as_ref()));
        let mut translated = HttpRequest::new(SdkBody::from(body.as_ref()));
        translated.set_method(request.method().as_str()).map_err(unsendable)?;
        translated.set_uri(url.as_str()).map_err(unsendable)?;
        for (name, value) in request.headers().iter() {
            translated
                .headers_mut()
                .try_insert(name.as_str().to_owned(), value.as_str().to_owned())
                .map_err(unsendable)?;
        }
        let length = body.len().to_string();
        translated.headers_mut().try_insert("content-length", length).map_err(unsendable)?;
        Ok(translated)
    }
}

#[async_trait]
impl HttpClient for ToAgentsAddress {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse, Error> {
        let request = self.translate(request)?;
        let mut response: HttpResponse =
            self.connector.call(request).await.map_err(|error| Error::new(ErrorKind::Io, error))?;
        let mut headers = Headers::new();
        for (name, value) in response.headers() {
            headers.insert(name.to_owned(), value.to_owned());
        }
        let status = StatusCode::from(response.status().as_u16());
        let body = ByteStream::new(response.take_body());
        let body = body.collect().await.map_err(|error| Error::new(ErrorKind::Io, error))?;
        Ok(AsyncRawResponse::from_bytes(status, headers, body.into_bytes()))
    }
}

fn unsendable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Other, error)
}
