use causeway_types::ServiceError;

use crate::failure::Failure;
use crate::prepare::BucketState;

/// What became of a plan.
#[derive(Debug, Clone)]
#[must_use = "a report may hold failures"]
#[non_exhaustive]
pub struct UploadReport {
    /// What is known about the bucket.
    pub bucket: BucketState,
    /// The objects that S3 has confirmed, by key.
    pub uploaded: Vec<UploadedObject>,
    /// Every file that did not arrive, the plan's failures first.
    pub failures: Vec<Failure>,
    /// How many files were not tried, or not finished, because the transfer ended before.
    pub unfinished: usize,
    /// Whether the caller cancelled it.
    pub cancelled: bool,
    /// Multipart uploads that could not be aborted: their parts stay in the bucket, and cost, until a
    /// lifecycle rule or somebody removes them.
    pub left_open: Vec<LeftOpen>,
    /// The most memory that content took at one time, in bytes.
    pub peak_buffered_bytes: u64,
}

/// An object that is in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadedObject {
    /// Its key.
    pub key: String,
    /// The file's path below the source folder.
    pub relative: String,
    /// Its size.
    pub bytes: u64,
}

/// A multipart upload that could not be aborted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LeftOpen {
    /// The key of the object that it would have made.
    pub key: String,
    /// S3's id of the upload.
    pub upload_id: String,
    /// Why not.
    pub reason: ServiceError,
}

impl UploadReport {
    /// Whether everything that was planned is in the bucket and nothing else was left there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.unfinished == 0 && self.left_open.is_empty() && !self.cancelled
    }

    /// The size of all uploaded objects together.
    #[must_use]
    pub fn uploaded_bytes(&self) -> u64 {
        self.uploaded.iter().map(|object| object.bytes).sum()
    }
}
