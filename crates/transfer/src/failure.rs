use std::fmt;
use std::io;

use causeway_types::ServiceError;

/// A file that did not arrive, and why.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The file or folder, below the source folder; bytes that are no UTF-8 are shown as `�`.
    pub path: String,
    /// Why.
    pub reason: FailureReason,
}

/// Why a file did not arrive.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FailureReason {
    /// The file could not be opened or read.
    #[error("it cannot be read: {0}")]
    Unreadable(ReadError),
    /// The folder could not be listed, so it is not known what is in it.
    #[error("the folder cannot be listed: {0}")]
    UnreadableFolder(ReadError),
    /// A symbolic link to something that is not there.
    #[error("the symbolic link leads nowhere")]
    DanglingLink,
    /// The file was written to while it was read, so what was read is no state it ever had.
    #[error("it changed while it was being read")]
    Changed,
    /// Its name is not UTF-8, and keys must be.
    #[error("its name is not valid UTF-8")]
    NameNotUtf8,
    /// Its key would be longer than S3 takes.
    #[error("its key has {0} bytes, S3 takes 1024")]
    KeyTooLong(usize),
    /// It does not fit into 10,000 parts of 5 GiB.
    #[error("it has {0} bytes, more than S3 takes")]
    TooLarge(u64),
    /// Something that was to be said about it cannot stand in a header.
    #[error("\"{0}\" cannot be sent as a header")]
    NoHeader(String),
    /// The file could not be written.
    #[error("it cannot be written: {0}")]
    Unwritable(ReadError),
    /// Its key names no place below the target folder.
    #[error("its key cannot be a path below the target folder: {0}")]
    UnsafeKey(&'static str),
    /// Two objects would become this file.
    #[error("another object would be written to the same file, {0}")]
    SameFile(String),
    /// The object is not what it was when it was listed, or not all of it came.
    #[error("the object changed while it was being read")]
    ObjectChanged,
    /// What arrived is not what S3 has a checksum of.
    #[error("what arrived does not have the object's checksum ({0})")]
    WrongChecksum(&'static str),
    /// S3 would not delete it.
    #[error("it cannot be deleted: {message} ({code})")]
    NotDeleted {
        /// S3's code.
        code: String,
        /// S3's words.
        message: String,
    },
    /// S3 refused it or could not be reached.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No request has been answered for so long that none is expected to be.
    #[error("S3 has answered nothing for {seconds} seconds, so the transfer was given up; the last: {last}")]
    Silence {
        /// For how long.
        seconds: u64,
        /// What became of the last request.
        last: ServiceError,
    },
    /// The credentials have ended, and there are no others.
    #[error("there are no credentials for it: {0}")]
    NoCredentials(String),
    /// S3 was sent all of it, and its answer does not confirm that.
    #[error("S3 did not confirm the object")]
    Unconfirmed,
}

/// What the operating system said when something was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The sort of error.
    pub kind: io::ErrorKind,
    message: String,
}

impl From<&io::Error> for ReadError {
    fn from(error: &io::Error) -> Self {
        Self { kind: error.kind(), message: error.to_string() }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl FailureReason {
    pub(crate) fn unreadable(error: &io::Error) -> Self {
        Self::Unreadable(error.into())
    }

    pub(crate) fn unwritable(error: &io::Error) -> Self {
        Self::Unwritable(error.into())
    }

    /// Whether it says nothing about one object, and so would become of every other (S3 API Reference, "List of
    /// error codes").
    pub(crate) fn concerns_all(&self) -> bool {
        let error = match self {
            Self::NoCredentials(_) | Self::Silence { .. } => return true,
            Self::Service(error) => error,
            _ => return false,
        };
        matches!(
            error.code(),
            Some(
                "NoSuchBucket"
                    | "PermanentRedirect"
                    | "AuthorizationHeaderMalformed"
                    | "ExpiredToken"
                    | "InvalidAccessKeyId"
                    | "InvalidToken"
                    | "RequestTimeTooSkewed"
                    | "SignatureDoesNotMatch"
                    | "AllAccessDisabled"
                    | "AccountProblem"
                    | "NotSignedUp"
            )
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.reason)
    }
}
