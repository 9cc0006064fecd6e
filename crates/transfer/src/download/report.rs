use std::sync::Arc;
use std::time::Duration;

use crate::failure::Failure;
use crate::report::Slow;
use crate::shard::Fingerprint;

/// What became of a download.
#[derive(Debug, Clone)]
#[must_use = "a report may hold failures"]
#[non_exhaustive]
pub struct DownloadReport {
    /// The objects that are files now, by key.
    pub downloaded: Vec<DownloadedObject>,
    /// How many matched, those of all slices and those that cannot be downloaded.
    pub matched: usize,
    /// How many files were left alone because they hold the same already.
    pub unchanged: usize,
    /// How many objects have no checksum that tells about their whole content: their length alone was checked.
    pub unverified: usize,
    /// Every object that did not become a file.
    pub failures: Vec<Failure>,
    /// How many objects were not tried, or not finished, because the transfer ended before.
    pub unfinished: usize,
    /// Whether the caller cancelled it.
    pub cancelled: bool,
    /// The files without an object that were deleted.
    pub deleted: Vec<String>,
    /// Those that could not be deleted.
    pub not_deleted: Vec<Failure>,
    /// Identifies the set of all slices' objects.
    pub fingerprint: Fingerprint,
    /// The objects that took longest.
    pub slowest: Vec<Slow>,
    /// How long it took.
    pub took: Duration,
}

/// An object that is a file now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadedObject {
    /// Its key.
    pub key: Arc<str>,
    /// Its size.
    pub bytes: u64,
}

impl DownloadReport {
    /// Whether everything that matched is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let all_arrived = self.failures.is_empty() && self.unfinished == 0 && !self.cancelled;
        all_arrived && self.not_deleted.is_empty()
    }

    /// The size of all downloaded objects together.
    #[must_use]
    pub fn downloaded_bytes(&self) -> u64 {
        self.downloaded.iter().map(|object| object.bytes).sum()
    }
}
