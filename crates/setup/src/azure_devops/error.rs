use std::error::Error;

use azure_core::error::ErrorKind;
use serde_json::Value;

/// Azure DevOps did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AzureDevOpsError {
    /// 401, or the sign-in page: the token is not accepted.
    #[error("{call}: Azure DevOps does not accept the token ({answer})")]
    SignIn {
        /// What was asked.
        call: &'static str,
        /// What it answered.
        answer: String,
    },
    /// 403.
    #[error("{call}: the token may not do this (HTTP 403{message})")]
    Forbidden {
        /// What was asked.
        call: &'static str,
        /// Azure DevOps's own words, beginning with `: `, or empty.
        message: String,
    },
    /// 404.
    #[error("{call}: not found{message}")]
    NotFound {
        /// What was asked.
        call: &'static str,
        /// Azure DevOps's own words, beginning with `: `, or empty.
        message: String,
    },
    /// Any other refusal.
    #[error("{call}: Azure DevOps answered HTTP {status}{message}")]
    Refused {
        /// What was asked.
        call: &'static str,
        /// The HTTP status.
        status: u16,
        /// Azure DevOps's own words, beginning with `: `, or empty.
        message: String,
    },
    /// No answer.
    #[error("{call}: Azure DevOps could not be reached: {reason}")]
    Unreachable {
        /// What was asked.
        call: &'static str,
        /// Why.
        reason: String,
    },
    /// An answer that is not the documented one.
    #[error("{call}: Azure DevOps's answer could not be read: {reason}")]
    Unreadable {
        /// What was asked.
        call: &'static str,
        /// What is missing.
        reason: String,
    },
}

impl AzureDevOpsError {
    /// What the reader can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::SignIn { .. } => {
                "Make a new personal access token (it may have expired, or belong to another organization) with the scopes \"Service Connections: Read, query, & manage\" and \"Project and Team: Read\", and put it into AZURE_DEVOPS_EXT_PAT"
            }
            Self::Forbidden { .. } => {
                "The token needs the scopes \"Service Connections: Read, query, & manage\" and \"Project and Team: Read\", and its owner the role Administrator or Creator on the project's service connections"
            }
            Self::NotFound { .. } => {
                "Check the names of organization and project, and that the token's owner can see the project"
            }
            Self::Refused { .. } => "Read what Azure DevOps says, and run the command again",
            Self::Unreachable { .. } => "Check network, proxy (HTTPS_PROXY) and certificates (SSL_CERT_FILE)",
            Self::Unreadable { .. } => "A proxy may have changed the answer; run the command again",
        }
    }

    pub(super) fn of_answer(call: &'static str, status: u16, body: &[u8]) -> Self {
        let message = message_of(body).map(|message| format!(": {message}")).unwrap_or_default();
        match status {
            203 | 302 => Self::SignIn { call, answer: format!("HTTP {status}, its sign-in page") },
            401 => Self::SignIn { call, answer: "HTTP 401".to_owned() },
            403 => Self::Forbidden { call, message },
            404 => Self::NotFound { call, message },
            _ => Self::Refused { call, status, message },
        }
    }

    pub(super) fn of_failure(call: &'static str, error: &azure_core::Error) -> Self {
        if let ErrorKind::HttpResponse { status, raw_response, .. } = error.kind() {
            let body = raw_response.as_deref().map(|answer| answer.body().to_vec()).unwrap_or_default();
            return Self::of_answer(call, u16::from(*status), &body);
        }
        let causes = std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source());
        let reason = causes.last().map(ToString::to_string).unwrap_or_default();
        Self::Unreachable { call, reason }
    }
}

fn message_of(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    Some(answer.get("message")?.as_str()?.chars().take(300).collect())
}
