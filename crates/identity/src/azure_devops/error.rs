use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use azure_core::error::ErrorKind;
use serde_json::Value;

use crate::claims::{InvalidToken, SubjectError};

/// A token that cannot even be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRequestError {
    /// The agent named no address.
    #[error(
        "the agent says nowhere to get an OIDC token (System.OidcRequestUri): Azure DevOps Server cannot make one, only Azure DevOps Services can; use an access key or the agent's own identity"
    )]
    NoAddress,
    /// The job has no token of its own.
    #[error("the job has no access token: nothing can be asked of Azure DevOps without it")]
    NoJobToken,
    /// The address is none.
    #[error("the address for OIDC tokens cannot be used: {address}")]
    InvalidAddress {
        /// What stood there.
        address: String,
    },
    /// The address is not https.
    #[error("the address for OIDC tokens is not https, so the job's token is not sent there: {address}")]
    InsecureAddress {
        /// What stood there.
        address: String,
    },
    /// The address is not Azure DevOps's.
    #[error(
        "the address for OIDC tokens (System.OidcRequestUri) is on {host}, which is not the server that the agent works for, so the job's token is not sent there: a script of this job may have changed that variable"
    )]
    ForeignAddress {
        /// The host that it names.
        host: String,
    },
}

/// Azure DevOps gave no token that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// HTTP 401 or 403, or the sign-in page: the job's token is not accepted.
    #[error("Azure DevOps did not accept the job's own token ({answer})")]
    JobTokenRefused {
        /// What it answered.
        answer: String,
    },
    /// HTTP 404.
    #[error("Azure DevOps knows no such service connection for this job (HTTP 404{message})")]
    NotFound {
        /// Azure DevOps's own words, beginning with `: `, or empty.
        message: String,
    },
    /// Another answer than success.
    #[error("Azure DevOps answered HTTP {status}{message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// Azure DevOps's own words, beginning with `: `, or empty.
        message: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// No answer.
    #[error("Azure DevOps could not be reached: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// No way to it that another attempt could find: the proxy refuses, a certificate is not trusted.
    #[error("no connection to Azure DevOps: {reason}")]
    NoWay {
        /// Why, and what to change.
        reason: String,
    },
    /// A passing fault that went on for too long.
    #[error("{last} (attempt {attempts}; another one would lie beyond the deadline of {} seconds)", deadline.as_secs_f32())]
    OutOfTime {
        /// The last fault.
        last: Box<Self>,
        /// How many attempts were made.
        attempts: u32,
        /// How long they were allowed to take together.
        deadline: Duration,
    },
    /// Success without JSON.
    #[error("Azure DevOps's answer is not the JSON it should be")]
    Unreadable,
    /// Success without a token.
    #[error("Azure DevOps answered without a token")]
    Empty,
    /// Something else than a token.
    #[error(transparent)]
    Invalid(#[from] InvalidToken),
    /// Somebody else's token.
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

impl TokenError {
    /// Whether the same question may get another answer.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 408 || *status == 429 || *status >= 500,
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What the reader can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::JobTokenRefused { .. } => {
                "The job may have ended or been cancelled; in a classic release see that the agent job may use the OAuth token"
            }
            Self::NotFound { .. } => {
                "Check that the service connection still exists and that this pipeline is authorized to use it; on Azure DevOps Server the call does not exist: use an access key or the agent's own identity there"
            }
            Self::Status { .. } => "Run the step again; if it goes on, see the status of Azure DevOps",
            Self::Unreachable { .. } | Self::NoWay { .. } => {
                "Check the agent's network, proxy and certificates"
            }
            Self::OutOfTime { last, .. } => last.hint(),
            Self::Unreadable | Self::Empty | Self::Invalid(_) => {
                "A proxy between the agent and Azure DevOps may have changed the answer; run the step again"
            }
            Self::Subject(_) => {
                "Give the service connection itself in the step's input, not its name in a variable, and check that it belongs to this organization"
            }
        }
    }

    pub(crate) fn from_status(status: u16, body: &[u8]) -> Self {
        let message = message_of(body).map(|message| format!(": {message}")).unwrap_or_default();
        match status {
            // The sign-in page comes with status 203 (or a redirect to it).
            203 | 302 => Self::JobTokenRefused { answer: format!("HTTP {status}, its sign-in page") },
            401 | 403 => Self::JobTokenRefused { answer: format!("HTTP {status}{message}") },
            404 => Self::NotFound { message },
            200..=299 => Self::Unreadable,
            _ => Self::Status { status, message, retry_after: None },
        }
    }

    /// The same, naming the host that could not be reached.
    pub(crate) fn at(self, host: &str) -> Self {
        match self {
            Self::Unreachable { reason } if !reason.contains(host) => {
                Self::Unreachable { reason: format!("{host}: {reason}") }
            }
            other => other,
        }
    }

    pub(crate) fn from_azure(error: &azure_core::Error) -> Self {
        let ErrorKind::HttpResponse { status, raw_response, .. } = error.kind() else {
            return Self::from_connection(error);
        };
        let answer = raw_response.as_deref();
        let body = answer.map(|answer| -> &[u8] { answer.body() }).unwrap_or_default();
        let mut failure = Self::from_status(u16::from(*status), body);
        if let Self::Status { retry_after, .. } = &mut failure {
            *retry_after = answer
                .and_then(|answer| answer.headers().iter().find(|(name, _)| name.as_str() == "retry-after"))
                .and_then(|(_, value)| pause_of(value.as_str()));
        }
        failure
    }

    /// The connector marks as the user's what no other attempt can change.
    fn from_connection(error: &azure_core::Error) -> Self {
        let reason = innermost(error);
        let is_final = causes(error)
            .filter_map(|cause| cause.downcast_ref::<ConnectorError>())
            .any(ConnectorError::is_user);
        if is_final { Self::NoWay { reason } } else { Self::Unreachable { reason } }
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
fn pause_of(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = azure_core::time::parse_rfc7231(value).ok()?;
    Some((date - azure_core::time::OffsetDateTime::now_utc()).try_into().unwrap_or(Duration::ZERO))
}

/// The `message` of Azure DevOps's error JSON, cut to what fits a line of a log.
fn message_of(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    Some(answer.get("message")?.as_str()?.chars().take(300).collect())
}

/// The deepest cause says most: the outer ones only say that sending failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_errors_that_say_what_happened() {
        let json = br#"{"message":"VS800075: no such connection"}"#;
        for (status, passing, text) in [
            (203, false, "sign-in page"),
            (204, false, "not the JSON"),
            (401, false, "HTTP 401: VS800075"),
            (404, false, "HTTP 404: VS800075: no such connection"),
            (400, false, "HTTP 400"),
            (429, true, "HTTP 429"),
            (500, true, "HTTP 500"),
            (503, true, "HTTP 503"),
        ] {
            let error = TokenError::from_status(status, json);
            assert_eq!(error.is_passing(), passing, "{status}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn a_long_or_strange_message_is_cut_or_left_out() {
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(5000));
        assert!(TokenError::from_status(500, long.as_bytes()).to_string().len() < 400);
        assert_eq!(TokenError::from_status(500, b"<html>").to_string(), "Azure DevOps answered HTTP 500");
    }

    #[test]
    fn the_pause_that_is_asked_for_is_read_in_both_forms() {
        assert_eq!(pause_of(" 30 "), Some(Duration::from_secs(30)));
        assert_eq!(pause_of("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = azure_core::time::OffsetDateTime::now_utc() + Duration::from_secs(100);
        let pause = pause_of(&azure_core::time::to_rfc7231(&soon)).unwrap();
        assert!((98..=100).contains(&pause.as_secs()), "{pause:?}");
        for odd in ["", "-1", "1.5", "soon"] {
            assert_eq!(pause_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_the_connector_calls_final_is_final() {
        let of =
            |error: ConnectorError| TokenError::from_azure(&azure_core::Error::new(ErrorKind::Io, error));
        let refused = of(ConnectorError::user("the proxy wants a password".into()));
        assert!(!refused.is_passing());
        assert_eq!(refused.to_string(), "no connection to Azure DevOps: the proxy wants a password");
        assert!(of(ConnectorError::io("connection reset".into())).is_passing());
        assert!(of(ConnectorError::timeout("too late".into())).is_passing());
    }

    #[test]
    fn running_out_of_time_names_the_deadline_and_the_last_fault() {
        let last = Box::new(TokenError::from_status(503, b""));
        let error = TokenError::OutOfTime { last, attempts: 9, deadline: Duration::from_secs(60) };
        assert_eq!(
            error.to_string(),
            "Azure DevOps answered HTTP 503 (attempt 9; another one would lie beyond the deadline of 60 seconds)"
        );
        assert!(!error.is_passing());
    }
}
