//! What S3 says when it refuses, and whether to ask again.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, try_data};
use causeway_types::{ServiceError, ServiceErrorKind};
use http::response::Parts;

use crate::failure::FailureReason;

/// Why one attempt at a request did not end well.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: FailureReason,
    pub(crate) again: Again,
}

/// Whether the same request may end better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Never,
    /// At once, and it does not count: a connection had been closed meanwhile, credentials were renewed.
    AtOnce,
    Later,
    /// Later, and with fewer at the same time: the service is asked too much.
    Slower,
}

impl Fault {
    pub(crate) fn never(reason: FailureReason) -> Self {
        Self { reason, again: Again::Never }
    }

    /// There is nothing to sign with.
    pub(super) fn without_credentials(reason: String) -> Self {
        Self::never(FailureReason::NoCredentials(reason))
    }

    pub(crate) fn is_pressure(&self) -> bool {
        self.again == Again::Slower
    }

    /// Whether nothing, or nothing whole, was heard of the service.
    pub(crate) fn is_silence(&self) -> bool {
        let FailureReason::Service(error) = &self.reason else { return false };
        matches!(error.kind(), ServiceErrorKind::Unreachable | ServiceErrorKind::TimedOut)
    }

    /// The reason to end everything, when nothing else was heard for so long.
    pub(crate) fn into_silence(self, lasts: Duration) -> FailureReason {
        match self.reason {
            FailureReason::Service(last) => FailureReason::Silence { seconds: lasts.as_secs(), last },
            other => other,
        }
    }

    /// No answer came, or it broke off.
    pub(super) fn broken(
        operation: &'static str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        let error = ConnectorError::io(Box::new(error));
        let error = SdkError::<PutObjectError, HttpResponse>::dispatch_failure(error);
        Self { reason: ServiceError::new(operation, &error).into(), again: Again::Later }
    }

    /// What the connector of the SDK reports.
    pub(super) fn of_connector(operation: &'static str, error: ConnectorError) -> Self {
        let again = if error.is_user() { Again::Never } else { Again::Later };
        let error = SdkError::<PutObjectError, HttpResponse>::dispatch_failure(error);
        Self { reason: ServiceError::new(operation, &error).into(), again }
    }

    pub(super) fn timed_out(operation: &'static str) -> Self {
        let error = SdkError::<PutObjectError, HttpResponse>::timeout_error("no answer came in time");
        Self { reason: ServiceError::new(operation, &error).into(), again: Again::Later }
    }

    /// A request with content was not answered in time: others with content beside it are a likely reason.
    pub(super) fn too_slow(operation: &'static str) -> Self {
        Self { again: Again::Slower, ..Self::timed_out(operation) }
    }

    pub(super) fn not_built(
        operation: &'static str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        let error = SdkError::<PutObjectError, HttpResponse>::construction_failure(Box::new(error));
        Self::never(ServiceError::new(operation, &error).into())
    }

    /// An answer that is no success.
    pub(super) fn refused(operation: &'static str, head: &Parts, content: &[u8]) -> Self {
        let error = service_error(operation, head, content);
        let again = again(&error, head.status.as_u16());
        Self { reason: error.into(), again }
    }

    pub(super) fn code(&self) -> Option<&str> {
        match &self.reason {
            FailureReason::Service(error) => error.code(),
            _ => None,
        }
    }
}

fn service_error(operation: &'static str, head: &Parts, content: &[u8]) -> ServiceError {
    let said = read(content);
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut metadata = ErrorMetadata::builder();
    // An answer to HEAD has no content; what its status means is known.
    if let Some(code) = said.code.as_deref().or_else(|| code_of_status(head.status.as_u16())) {
        metadata = metadata.code(code);
    }
    if let Some(message) = said.message {
        metadata = metadata.message(message);
    }
    if let Some(id) = header("x-amz-request-id").or(said.request_id.as_deref()) {
        metadata = metadata.custom("aws_request_id", id);
    }
    let mut raw = HttpResponse::new(head.status.into(), SdkBody::empty());
    for name in ["x-amz-bucket-region", "x-amz-request-id"] {
        if let Some(value) = header(name) {
            raw.headers_mut().insert(name, value.to_owned());
        }
    }
    let error = SdkError::service_error(PutObjectError::generic(metadata.build()), raw);
    ServiceError::new(operation, &error)
}

fn code_of_status(status: u16) -> Option<&'static str> {
    match status {
        304 => Some("NotModified"),
        403 => Some("AccessDenied"),
        404 => Some("NotFound"),
        412 => Some("PreconditionFailed"),
        _ => None,
    }
}

/// Error codes with which a request may succeed the next time though they are no server faults (S3 API
/// Reference, "List of error codes").
const PASSING: [&str; 4] = ["RequestTimeout", "OperationAborted", "ConditionalRequestConflict", "BadDigest"];

fn again(error: &ServiceError, status: u16) -> Again {
    match error.kind() {
        ServiceErrorKind::Throttled => Again::Slower,
        _ if status == 503 || status == 429 => Again::Slower,
        ServiceErrorKind::Unavailable | ServiceErrorKind::Unreachable | ServiceErrorKind::TimedOut => {
            Again::Later
        }
        _ if error.code().is_some_and(|code| PASSING.contains(&code)) => Again::Later,
        _ => Again::Never,
    }
}

#[derive(Default)]
struct Said {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

/// Reads `<Error><Code>…</Code><Message>…</Message></Error>`; what is none says nothing.
fn read(content: &[u8]) -> Said {
    let mut said = Said::default();
    let Ok(text) = std::str::from_utf8(content) else { return said };
    let mut document = Document::new(text);
    let Ok(mut root) = document.root_element() else { return said };
    if !root.start_el().matches("Error") {
        return said;
    }
    while let Some(mut tag) = root.next_tag() {
        let place = match tag.start_el().local() {
            "Code" => &mut said.code,
            "Message" => &mut said.message,
            "RequestId" => &mut said.request_id,
            _ => continue,
        };
        *place = try_data(&mut tag).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    }
    said
}

/// The service's clock, as the answer shows it.
pub(super) fn clock(head: &Parts) -> Option<SystemTime> {
    let date = head.headers.get("date")?.to_str().ok()?;
    SystemTime::try_from(DateTime::from_str(date, Format::HttpDate).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, content: &str) -> Fault {
        let response = http::Response::builder().status(status).header("x-amz-request-id", "REQ1").body(());
        Fault::refused("PutObject", &response.unwrap().into_parts().0, content.as_bytes())
    }

    #[test]
    fn code_message_and_request_id_are_told() {
        let xml = "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>a &lt;b&gt; &amp; c</Message><RequestId>R2</RequestId></Error>";
        let fault = fault(403, xml);
        assert_eq!(fault.reason.to_string(), "PutObject: a <b> & c (AccessDenied, request id REQ1)");
        assert_eq!((fault.code(), fault.again), (Some("AccessDenied"), Again::Never));
    }

    #[test]
    fn what_may_pass_is_tried_again_and_pressure_is_known() {
        let said = |code: &str| format!("<Error><Code>{code}</Code></Error>");
        for (status, content, again) in [
            (503, said("SlowDown"), Again::Slower),
            (503, String::new(), Again::Slower),
            (429, String::new(), Again::Slower),
            (500, said("InternalError"), Again::Later),
            (502, "<html>bad gateway</html>".to_owned(), Again::Later),
            (400, said("RequestTimeout"), Again::Later),
            (409, said("OperationAborted"), Again::Later),
            (400, said("BadDigest"), Again::Later),
            (403, said("SignatureDoesNotMatch"), Again::Never),
            (404, said("NoSuchBucket"), Again::Never),
            (400, "not xml <".to_owned(), Again::Never),
        ] {
            assert_eq!(fault(status, &content).again, again, "{status} {content}");
        }
    }

    #[test]
    fn content_that_takes_too_long_is_sent_with_less_beside_it() {
        assert!(Fault::too_slow("PutObject").is_pressure() && Fault::too_slow("PutObject").is_silence());
        assert!(!Fault::timed_out("GetObject").is_pressure());
    }

    #[test]
    fn the_clock_is_read() {
        let response = http::Response::builder().header("date", "Thu, 01 Jan 1970 00:01:00 GMT").body(());
        let clock = clock(&response.unwrap().into_parts().0).unwrap();
        assert_eq!(clock.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), 60);
    }
}
