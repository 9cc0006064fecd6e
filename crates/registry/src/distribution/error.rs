use std::io;
use std::path::PathBuf;

use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::Digest;

/// Why a registry did not do what it was asked to. The action says what was being done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry said no, or went on failing.
    #[error("{action}: the registry answered HTTP {status}{}{}", said(.code, .message), asked(.request_id))]
    Refused {
        /// What was being done.
        action: String,
        /// The HTTP status.
        status: u16,
        /// The registry's code, such as `NAME_UNKNOWN`; may be empty.
        code: String,
        /// The registry's words. They come from outside.
        message: String,
        /// After how many seconds the registry wants to be asked again.
        retry_after: Option<u64>,
        /// AWS's number of the request, where the answer has one.
        request_id: Option<String>,
    },
    /// The connection could not be made or was cut.
    #[error("{action}: {}", innermost(.error.as_ref()))]
    Unreachable {
        /// What was being done.
        action: String,
        /// Why.
        error: Box<dyn std::error::Error + Send + Sync>,
        /// Whether asking again cannot help.
        is_final: bool,
    },
    /// Nothing moved for too long.
    #[error("{action}: the registry does not answer and takes nothing any more")]
    Stalled {
        /// What was being done.
        action: String,
    },
    /// The answer is not what the specification has.
    #[error("{action}: {reason}")]
    Protocol {
        /// What was being done.
        action: String,
        /// What is wrong.
        reason: String,
    },
    /// What came is not what its digest says, or the registry says so of what it got.
    #[error("{action}: the content does not have the digest {digest}")]
    Digest {
        /// What was being done.
        action: String,
        /// The digest.
        digest: Digest,
    },
    /// The blob on the disk is not what its digest says.
    #[error("the content of {digest} on the disk has another digest: the image is damaged")]
    Damaged {
        /// The digest that it should have.
        digest: Digest,
    },
    /// A file could not be read or written.
    #[error("{} could not be {action}", path.display())]
    Io {
        /// What was done: `read`, `written`.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

impl RegistryError {
    pub(super) fn unreachable(action: &str, error: ConnectorError) -> Self {
        let is_final = error.is_user();
        Self::Unreachable { action: action.to_owned(), error: error.into(), is_final }
    }

    pub(super) fn cut(action: &str, error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::Unreachable { action: action.to_owned(), error, is_final: false }
    }

    /// Whether the same may succeed when it is tried again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Unreachable { is_final, .. } => !is_final,
            Self::Stalled { .. } | Self::Digest { .. } => true,
            _ => false,
        }
    }

    /// The registry's own code, such as `TAG_INVALID`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The HTTP status, where the registry answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether a tag is taken in a repository whose tags cannot be moved (ECR's words for `TAG_INVALID`).
    #[must_use]
    pub fn is_immutable_tag(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains("immutable"))
    }
}

fn said(code: &str, message: &str) -> String {
    match (code, message) {
        ("", "") => String::new(),
        ("", message) => format!(": {message}"),
        (code, "") => format!(" ({code})"),
        (code, message) => format!(": {message} ({code})"),
    }
}

fn asked(request_id: &Option<String>) -> String {
    request_id.as_ref().map_or_else(String::new, |id| format!(", request {id}"))
}

/// The deepest cause says most.
fn innermost(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
