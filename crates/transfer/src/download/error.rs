use std::path::PathBuf;

use causeway_types::ServiceError;

use crate::bucket::BucketName;
use crate::failure::ReadError;
use crate::prepare::UploadError;
use crate::wire::EndpointError;

/// Why nothing was downloaded at all.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The bucket is missing, elsewhere, or gave no clear answer.
    #[error(transparent)]
    Bucket(#[from] UploadError),
    /// What is in the bucket could not be listed; a part of it would be no answer.
    #[error("the bucket {bucket} could not be listed: {source}")]
    List {
        /// The bucket.
        bucket: BucketName,
        /// S3's answer.
        source: ServiceError,
    },
    /// Content cannot be read from such a bucket.
    #[error("the bucket {bucket} cannot be used: {source}")]
    Endpoint {
        /// The bucket.
        bucket: BucketName,
        /// Why not.
        source: EndpointError,
    },
    /// The target folder is not there and cannot be made.
    #[error("the target folder {} cannot be used: {reason}", path.display())]
    TargetFolder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        reason: ReadError,
    },
    /// Files are there that must not be replaced.
    #[error("{} already exist{}", named.join(", "), if *more > 0 { format!(", and {more} more") } else { String::new() })]
    Exists {
        /// The first of them.
        named: Vec<String>,
        /// How many there are besides.
        more: usize,
    },
    /// Files without an object are to be deleted, and there is no object at all: more likely a mistake.
    #[error("no object of the bucket {0} matches, so every file would be deleted")]
    EmptySource(BucketName),
    /// Files without an object are to be deleted in the whole target folder: more likely a mistake.
    #[error("without a source folder every other file in {} would be deleted", .0.display())]
    WholeFolder(PathBuf),
    /// Patterns that name folders do not say which files without folders are meant to be deleted.
    #[error("with files in no folders, a pattern that names one does not say which files to delete")]
    FlatPatterns,
}
