use std::io;
use std::path::PathBuf;

/// Why a docker configuration could not be read or written. Contents of the file are never shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DockerConfigError {
    /// The file is not a docker configuration.
    #[error("{} is not a docker configuration: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A symbolic link stands where the file or folder should.
    #[error("{} is a symbolic link, which could lead anywhere", .0.display())]
    Link(PathBuf),
    /// The file system refused.
    #[error("{} could not be {action}", path.display())]
    Io {
        /// What was done to the file or folder: `read`, `written`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}
