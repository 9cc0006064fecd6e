use std::sync::Arc;
use std::time::Duration;

use causeway_types::ServiceError;

use crate::failure::Failure;
use crate::key::KeyRule;
use crate::prepare::BucketState;

/// How many of the slowest are told.
const SLOWEST: usize = 5;

/// What became of a plan.
#[derive(Debug, Clone)]
#[must_use = "a report may hold failures"]
#[non_exhaustive]
pub struct UploadReport {
    /// What is known about the bucket.
    pub bucket: BucketState,
    /// The objects that S3 has confirmed, by path.
    pub uploaded: Vec<UploadedObject>,
    /// How many files were left alone because their object was there, with the same size and checksum.
    pub unchanged: usize,
    /// Every file that did not arrive, the plan's failures first.
    pub failures: Vec<Failure>,
    /// How many files were not tried, or not finished, because the transfer ended before.
    pub unfinished: usize,
    /// Whether the caller cancelled it.
    pub cancelled: bool,
    /// Multipart uploads that could not be aborted: their parts stay in the bucket, and cost, until a
    /// lifecycle rule or somebody removes them.
    pub left_open: Vec<LeftOpen>,
    /// How many multipart uploads of an earlier process, which was killed, were aborted.
    pub cleaned_up: usize,
    /// The keys of the objects that had no file any more and were deleted.
    pub deleted: Vec<String>,
    /// Those that could not be deleted, by key.
    pub not_deleted: Vec<Failure>,
    /// How many objects have no file any more and were kept, because not everything arrived or it was cancelled.
    pub kept_though_removed: usize,
    /// The keys of other slices' files that were not in the bucket when objects were to be deleted, so that none
    /// were.
    pub missing_of_others: Vec<String>,
    /// The files that took longest.
    pub slowest: Vec<Slow>,
    /// How long it took.
    pub took: Duration,
    /// The most memory that content took at one time, in bytes.
    pub peak_buffered_bytes: u64,
}

/// An object that is in the bucket.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UploadedObject {
    /// The file's path below the source folder.
    pub relative: Arc<str>,
    /// Its size.
    pub bytes: u64,
    keys: Arc<KeyRule>,
}

/// A file and how long it took.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Slow {
    /// Its path or key.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// From its first request to the confirmation, pauses between attempts included.
    pub took: Duration,
}

/// The files that took longest, the slowest first.
#[derive(Debug, Default)]
pub(crate) struct Slowest(Vec<Slow>);

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
        let all_arrived = self.failures.is_empty() && self.unfinished == 0 && !self.cancelled;
        let all_arrived = all_arrived && self.missing_of_others.is_empty();
        all_arrived && self.left_open.is_empty() && self.not_deleted.is_empty()
    }

    /// The size of all uploaded objects together.
    #[must_use]
    pub fn uploaded_bytes(&self) -> u64 {
        self.uploaded.iter().map(|object| object.bytes).sum()
    }
}

impl UploadedObject {
    pub(crate) fn new(relative: Arc<str>, bytes: u64, keys: Arc<KeyRule>) -> Self {
        Self { relative, bytes, keys }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> String {
        self.keys.key_of(&self.relative)
    }
}

impl Slowest {
    pub(crate) fn add(&mut self, took: Duration, make: impl FnOnce() -> Slow) {
        if self.0.len() == SLOWEST && self.0.last().is_some_and(|last| last.took >= took) {
            return;
        }
        let place = self.0.partition_point(|slow| slow.took >= took);
        self.0.insert(place, make());
        self.0.truncate(SLOWEST);
    }

    pub(crate) fn into_vec(self) -> Vec<Slow> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_are_kept_in_order() {
        let mut slowest = Slowest::default();
        for seconds in [3, 9, 1, 7, 5, 8, 2, 6] {
            let took = Duration::from_secs(seconds);
            slowest.add(took, || Slow { path: String::new(), bytes: 0, took });
        }
        let seconds: Vec<u64> = slowest.into_vec().iter().map(|slow| slow.took.as_secs()).collect();
        assert_eq!(seconds, [9, 8, 7, 6, 5]);
    }
}
