use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_types::request_id::RequestId;

/// Why a call of an AWS service did not end well, in the words of the service and without its types.
///
/// Its [`Display`](fmt::Display) is one line: operation, message, then error code and request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError(Box<Details>);

/// Behind a pointer: it travels in the error of nearly every function, and is seldom there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    operation: &'static str,
    kind: ServiceErrorKind,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

/// What sort of failure it was: it decides what a person can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceErrorKind {
    /// The service answered and said no: permissions, a missing thing, a bad value.
    Refused,
    /// The service said that too much is asked of it, and went on saying so.
    Throttled,
    /// The service answered with a fault of its own (5xx).
    Unavailable,
    /// No answer came: name not found, connection refused or cut, TLS not agreed.
    Unreachable,
    /// No answer came within the time allowed.
    TimedOut,
    /// The answer could not be understood, or the call could not be put together.
    Unreadable,
}

impl ServiceError {
    /// Takes what the SDK reported for `operation` (the API's own name, such as `AssumeRole`).
    pub fn new<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + RequestId + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let metadata = error.as_service_error();
        let code = metadata.and_then(ProvideErrorMetadata::code).map(str::to_owned);
        let message = metadata
            .and_then(ProvideErrorMetadata::message)
            .map_or_else(|| describe(operation, error, status), str::to_owned);
        let request_id = error
            .as_service_error()
            .and_then(RequestId::request_id)
            .or_else(|| error.raw_response()?.headers().get("x-amzn-requestid"))
            .map(str::to_owned);
        let kind = kind_of(error, code.as_deref(), status);
        Self(Box::new(Details { operation, kind, code, message, request_id }))
    }

    /// The API operation, such as `AssumeRole`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// What sort of failure it was.
    #[must_use]
    pub fn kind(&self) -> ServiceErrorKind {
        self.0.kind
    }

    /// The service's own error code, such as `AccessDenied`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The service's own words. They come from outside: neutralise them before they are printed.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The id under which AWS support finds this call.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.operation, self.0.message)?;
        match (&self.0.code, &self.0.request_id) {
            (Some(code), Some(id)) => write!(formatter, " ({code}, request id {id})"),
            (Some(code), None) => write!(formatter, " ({code})"),
            (None, Some(id)) => write!(formatter, " (request id {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl Error for ServiceError {}

fn kind_of<E>(
    error: &SdkError<E, HttpResponse>,
    code: Option<&str>,
    status: Option<u16>,
) -> ServiceErrorKind {
    match error {
        SdkError::TimeoutError(_) => ServiceErrorKind::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ServiceErrorKind::TimedOut,
        SdkError::DispatchFailure(_) => ServiceErrorKind::Unreachable,
        SdkError::ServiceError(_) if code.is_some_and(is_throttle) => ServiceErrorKind::Throttled,
        _ if status == Some(429) => ServiceErrorKind::Throttled,
        _ if status.is_some_and(|status| status >= 500) => ServiceErrorKind::Unavailable,
        SdkError::ServiceError(_) => ServiceErrorKind::Refused,
        _ => ServiceErrorKind::Unreadable,
    }
}

/// The codes that the SDKs retry as throttling ("Retry behavior", AWS SDKs and Tools Reference Guide).
fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "TransactionInProgressException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "RequestThrottled"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "EC2ThrottledException"
    )
}

/// The innermost reasons of an error without a message of the service's own.
fn describe<E: Error + 'static>(
    operation: &str,
    error: &SdkError<E, HttpResponse>,
    status: Option<u16>,
) -> String {
    // Then it is not AWS that answered, or it may not say more; why its own form was not found in the answer helps nobody.
    if let Some(status) = status.filter(|status| *status >= 300) {
        return wordless(operation, status);
    }
    let mut reasons: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        // The connector's own words are only a class ("io error"); what it wraps says what happened.
        // What an answer without words becomes in the SDK says nothing either, in its own notation.
        let text = if error.is::<ConnectorError>() || error.is::<ErrorMetadata>() {
            String::new()
        } else {
            error.to_string()
        };
        let text = if text.starts_with("unhandled error") { String::new() } else { text };
        if !text.is_empty() && !reasons.iter().any(|known| known.contains(&text)) {
            reasons.push(text);
        }
        cause = error.source();
    }
    let reasons = if reasons.is_empty() { error.to_string() } else { reasons.join(": ") };
    match status {
        Some(status) => format!("the service answered HTTP {status}: {reasons}"),
        None => reasons,
    }
}

/// What the status of an answer without words means. S3 answers `HEAD` so, whatever the reason is (API `HeadBucket`,
/// "Errors").
fn wordless(operation: &str, status: u16) -> String {
    let meaning = match (operation, status) {
        ("HeadObject" | "GetObject", 400) => {
            ": the credentials have expired or are not valid, or the object is encrypted with a customer key (customerKey) that does not fit"
        }
        ("HeadBucket", 400) => ": the credentials have expired or are not valid",
        ("HeadObject" | "HeadBucket", 403) => ": it is not allowed, or the credentials are not valid",
        _ => " and gave no reason",
    };
    format!("the service answered HTTP {status}{meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    /// An operation's error as the SDK's generated code has it: its words are those of its metadata, in Rust's notation.
    #[derive(Debug, Clone)]
    struct Unhandled(ErrorMetadata);

    impl fmt::Display for Unhandled {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0.code() {
                Some(code) => write!(formatter, "unhandled error ({code})"),
                None => formatter.write_str("unhandled error"),
            }
        }
    }

    impl Error for Unhandled {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    impl ProvideErrorMetadata for Unhandled {
        fn meta(&self) -> &ErrorMetadata {
            &self.0
        }
    }

    impl RequestId for Unhandled {
        fn request_id(&self) -> Option<&str> {
            self.0.extra("aws_request_id")
        }
    }

    fn told(operation: &'static str, status: u16, code: Option<&str>) -> String {
        let mut metadata = ErrorMetadata::builder().custom("aws_request_id", "R1");
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        let error = SdkError::service_error(Unhandled(metadata.build()), response);
        ServiceError::new(operation, &error).to_string()
    }

    #[test]
    fn an_answer_without_words_is_told_in_words() {
        assert_eq!(
            told("HeadBucket", 400, None),
            "HeadBucket: the service answered HTTP 400: the credentials have expired or are not valid (request id R1)"
        );
        assert_eq!(
            told("HeadBucket", 403, Some("AccessDenied")),
            "HeadBucket: the service answered HTTP 403: it is not allowed, or the credentials are not valid (AccessDenied, request id R1)"
        );
        assert!(told("HeadObject", 400, None).contains("customerKey"));
        assert_eq!(
            told("PutObject", 502, None),
            "PutObject: the service answered HTTP 502 and gave no reason (request id R1)"
        );
    }
}
