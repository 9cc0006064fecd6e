use causeway_types::ServiceError;

use crate::ParameterPath;
use crate::words::listed;

/// Why parameters could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such parameter.
    #[error("parameter \"{name}\" does not exist in {region}")]
    NotFound {
        /// The name or ARN that was asked for.
        name: String,
        /// The region that was asked.
        region: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// The parameter exists, but not in this version or with this label.
    #[error("parameter \"{name}\" has no such version or label in {region}")]
    VersionNotFound {
        /// The name with the version or label, `name:3`.
        name: String,
        /// The region that was asked.
        region: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// Of a list of names, these are not there (`InvalidParameters` of `GetParameters`).
    #[error("there is no parameter, or no such version or label of it, in {region}: {}", listed(.names))]
    Missing {
        /// The names as they were asked for, all that are missing.
        names: Vec<String>,
        /// The region that was asked.
        region: String,
    },
    /// SSM, or KMS behind it, refused or failed.
    #[error("\"{subject}\" could not be read")]
    Service {
        /// The parameter, parameters or path that was asked for.
        subject: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// The service answered, but without a name or a value.
    #[error("SSM answered without a value for \"{0}\"")]
    NoValue(String),
    /// The service sent the same page token twice: reading on would never end.
    #[error("SSM repeats its pages below \"{0}\": the list would never end")]
    RepeatedPage(ParameterPath),
}

impl ReadError {
    /// What the service said, if it was the service that failed.
    #[must_use]
    pub fn service_error(&self) -> Option<&ServiceError> {
        match self {
            Self::NotFound { error, .. }
            | Self::VersionNotFound { error, .. }
            | Self::Service { error, .. } => Some(error),
            Self::Missing { .. } | Self::NoValue(_) | Self::RepeatedPage(_) => None,
        }
    }
}
