use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::Deserialize;

use super::RegistryError;
use super::patience::SILENCE;

/// What a registry answered. The body is still to be read.
pub(super) struct Answer {
    pub(super) status: u16,
    response: HttpResponse,
}

/// "Error Codes", OCI Distribution Specification.
#[derive(Debug, Default, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<ErrorEntry>,
}

#[derive(Debug, Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Answer {
    pub(super) fn of(response: HttpResponse) -> Self {
        Self { status: response.status().as_u16(), response }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)
    }

    /// Whether asking again may bring another answer.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
    }

    pub(super) fn into_body(mut self) -> SdkBody {
        self.response.take_body()
    }

    /// The body whole.
    pub(super) async fn bytes(self, limit: usize, action: &str) -> Result<Bytes, RegistryError> {
        let mut body = self.into_body();
        let mut read = BytesMut::new();
        while let Some(part) = next_part(&mut body, action).await? {
            if read.len() + part.len() > limit {
                return Err(RegistryError::Protocol {
                    action: action.to_owned(),
                    reason: format!("the answer is larger than {limit} bytes"),
                });
            }
            read.extend_from_slice(&part);
        }
        Ok(read.freeze())
    }

    /// The answer as the error that it is.
    pub(super) async fn into_error(self, action: &str) -> RegistryError {
        let status = self.status;
        let retry_after = self.header("retry-after").and_then(|seconds| seconds.trim().parse().ok());
        let request_id = ["x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"]
            .iter()
            .find_map(|name| self.header(name))
            .filter(|id| id.len() <= 128)
            .map(str::to_owned);
        let body = self.bytes(1 << 16, action).await.unwrap_or_default();
        let errors: Errors = serde_json::from_slice(&body).unwrap_or_default();
        let first = errors.errors.into_iter().next();
        let (code, message) = first.map(|entry| (entry.code, entry.message)).unwrap_or_default();
        RegistryError::Refused { action: action.to_owned(), status, code, message, retry_after, request_id }
    }
}

/// The next bytes of a body; `None` at its end. A server that falls silent is given up.
pub(super) async fn next_part(body: &mut SdkBody, action: &str) -> Result<Option<Bytes>, RegistryError> {
    loop {
        let frame = tokio::time::timeout(SILENCE, body.frame()).await;
        let frame = frame.map_err(|_| RegistryError::Stalled { action: action.to_owned() })?;
        match frame.transpose().map_err(|error| RegistryError::cut(action, error))? {
            None => return Ok(None),
            Some(frame) => {
                if let Ok(part) = frame.into_data() {
                    return Ok(Some(part));
                }
            }
        }
    }
}
