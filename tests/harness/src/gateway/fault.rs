use std::time::Duration;

use hyper::Response;
use serde_json::json;

use crate::http::{Body, reply};

/// What the gateway answers instead of the service.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: Kind,
    pub(super) delay: Duration,
    pub(super) times: usize,
}

#[derive(Debug, Clone)]
enum Kind {
    Error { status: u16, code: String, message: String },
    Raw { status: u16, content_type: String, body: String },
    Half { content_type: String, body: String },
    Slow,
    Cut,
}

impl Fault {
    /// An error of the service, written in its own protocol; once.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::of(Kind::Error { status, code: code.to_owned(), message: message.to_owned() })
    }

    /// `Throttling` with status 400, as AWS's query and JSON services send it; once.
    #[must_use]
    pub fn throttling() -> Self {
        Self::error(400, "ThrottlingException", "Rate exceeded")
    }

    /// `AccessDenied` with status 403; once.
    #[must_use]
    pub fn access_denied(message: &str) -> Self {
        Self::error(403, "AccessDenied", message)
    }

    /// `ServiceUnavailable` with status 503; once.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::error(503, "ServiceUnavailable", "Service is unavailable. Please try again.")
    }

    /// Any answer at all; once.
    #[must_use]
    pub fn raw(status: u16, content_type: &str, body: &str) -> Self {
        Self::of(Kind::Raw { status, content_type: content_type.to_owned(), body: body.to_owned() })
    }

    /// The first half of an answer of status 200, and then the end of the connection; once.
    #[must_use]
    pub fn half(content_type: &str, body: &str) -> Self {
        Self::of(Kind::Half { content_type: content_type.to_owned(), body: body.to_owned() })
    }

    /// The usual answer, after a pause; once.
    #[must_use]
    pub fn slow(delay: Duration) -> Self {
        Self::of(Kind::Slow).after(delay)
    }

    /// The connection is cut without an answer; once.
    #[must_use]
    pub fn cut() -> Self {
        Self::of(Kind::Cut)
    }

    /// The same, so many times.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// The same, for ever.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// The same, after a pause.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn of(kind: Kind) -> Self {
        Self { kind, delay: Duration::ZERO, times: 1 }
    }

    /// The answer in the protocol of the service: `None` means the usual one, an error a cut connection.
    pub(super) fn render(
        &self,
        service: &str,
        request_id: &str,
    ) -> Option<Result<Response<Body>, crate::http::Cut>> {
        match &self.kind {
            Kind::Slow => None,
            Kind::Cut => Some(Err(crate::http::Cut)),
            Kind::Half { content_type, body } => Some(Ok(crate::chaos::half(content_type, body))),
            Kind::Raw { status, content_type, body } => Some(Ok(reply(*status, content_type, body.clone()))),
            Kind::Error { status, code, message } => {
                Some(Ok(error(service, *status, code, message, request_id)))
            }
        }
    }
}

/// An error as the service's protocol writes it: query XML for STS, S3's XML, or JSON 1.1.
pub(super) fn error(
    service: &str,
    status: u16,
    code: &str,
    message: &str,
    request_id: &str,
) -> Response<Body> {
    let escaped = escape(message);
    match service {
        "sts" | "iam" => {
            let sender = if status < 500 { "Sender" } else { "Receiver" };
            let body = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{sender}</Type>\
                 <Code>{code}</Code><Message>{escaped}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            );
            reply(status, "text/xml", body)
        }
        "s3" => {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{escaped}</Message>\
                 <RequestId>{request_id}</RequestId></Error>"
            );
            reply(status, "application/xml", body)
        }
        _ => reply(
            status,
            "application/x-amz-json-1.1",
            json!({ "__type": code, "message": message }).to_string(),
        ),
    }
}

/// Text as XML content.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
