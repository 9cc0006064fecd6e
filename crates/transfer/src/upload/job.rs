use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::budget::BufferBudget;
use crate::failure::FailureReason;
use crate::journal::{Entry, Journal};
use crate::listing::Listed;
use crate::plan::UploadPlan;
use crate::store::{OpenUpload, Store};

/// What all files of one transfer share.
pub(super) struct Job {
    pub(super) plan: UploadPlan,
    pub(super) store: Store,
    pub(super) budget: BufferBudget,
    pub(super) stop: CancellationToken,
    /// What is in the bucket under the key of each file; empty where that is not to be compared.
    pub(super) existing: Vec<Option<Listed>>,
    pub(super) journal: Journal,
    pub(super) place: String,
    pub(super) sent: mpsc::UnboundedSender<u64>,
}

/// Why a file is not in the bucket.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The transfer ended before the file did.
    Cancelled,
    Failed(FailureReason),
}

impl From<FailureReason> for Stop {
    fn from(reason: FailureReason) -> Self {
        Self::Failed(reason)
    }
}

impl Job {
    /// Waits for something, but not beyond the end of the transfer.
    pub(super) async fn unless_stopped<T>(&self, wanted: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stop::Cancelled),
            value = wanted => Ok(value),
        }
    }

    /// The object that this file may be unchanged from.
    pub(super) fn existing(&self, index: usize) -> Option<&Listed> {
        self.existing.get(index).and_then(Option::as_ref)
    }

    /// Says that S3 has taken so many bytes.
    pub(super) fn sent(&self, bytes: u64) {
        // Nobody listens any more only when the transfer was dropped.
        let _ = self.sent.send(bytes);
    }

    /// Notes an upload before its first part. That it cannot be noted stops nothing.
    pub(super) fn note_begun(&self, upload: &OpenUpload) {
        let _ = self.journal.begun(&Entry {
            place: self.place.clone(),
            bucket: self.plan.bucket().as_str().to_owned(),
            key: upload.key.clone(),
            id: upload.id.clone(),
        });
    }

    pub(super) fn note_ended(&self, upload: &OpenUpload) {
        self.journal.ended(&upload.id);
    }
}

/// What a task returned. A panic goes on where it would have gone without the task.
pub(crate) fn joined<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A file of the plan, in a job.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) job: Arc<Job>,
    pub(super) index: usize,
}
