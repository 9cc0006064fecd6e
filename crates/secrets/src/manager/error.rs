use causeway_types::ServiceError;

use crate::words::listed;

/// What Secrets Manager said about one secret of several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{id}\": {message} ({code})")]
pub struct SecretProblem {
    /// The secret as it was asked for.
    pub id: String,
    /// The error code, such as `DecryptionFailure`.
    pub code: String,
    /// The service's own words. They come from outside: neutralise them before they are printed.
    pub message: String,
}

/// Why secrets could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadSecretsError {
    /// These secrets are not there, all that are missing.
    #[error("there is no secret, or no such version of it, in {region}: {}", listed(.ids))]
    Missing {
        /// The secrets as they were asked for.
        ids: Vec<String>,
        /// The region that was asked.
        region: String,
    },
    /// The service refused some of the secrets.
    #[error("secrets could not be read: {}", problems(.0))]
    Refused(Vec<SecretProblem>),
    /// The service refused or failed.
    #[error("{subject} could not be read")]
    Service {
        /// What was asked for.
        subject: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// The service answered, but without a value.
    #[error("Secrets Manager answered without a value for {}", listed(.0))]
    NoValue(Vec<String>),
    /// The service sent the same page token twice: reading on would never end.
    #[error("Secrets Manager repeats its pages for {0}: the list would never end")]
    RepeatedPage(String),
}

impl ReadSecretsError {
    /// What the service said, if it was one call that failed.
    #[must_use]
    pub fn service_error(&self) -> Option<&ServiceError> {
        match self {
            Self::Service { error, .. } => Some(error),
            _ => None,
        }
    }
}

fn problems(problems: &[SecretProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
