use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::budget::{BufferBudget, Reservation};
use crate::failure::FailureReason;
use crate::limits::TransferLimits;
use crate::reader::{SCRATCH_BYTES, SourceReader};
use crate::store::{Body, Content, Store};

/// What all files of one transfer share.
pub(super) struct Job {
    pub(super) store: Store,
    pub(super) limits: TransferLimits,
    pub(super) parallelism: usize,
    pub(super) budget: BufferBudget,
    pub(super) stop: CancellationToken,
    slots: Semaphore,
    sent: mpsc::UnboundedSender<u64>,
}

/// Why a file is not in the bucket.
#[derive(Debug)]
pub(super) enum Stop {
    /// The transfer ended before the file did.
    Cancelled,
    Failed(FailureReason),
}

impl From<FailureReason> for Stop {
    fn from(reason: FailureReason) -> Self {
        Self::Failed(reason)
    }
}

/// The right to have one request with content under way, and the memory for its content.
pub(super) struct Turn<'a> {
    _slot: Option<SemaphorePermit<'a>>,
    _memory: Reservation,
    keep_in_memory: bool,
}

impl Job {
    pub(super) fn new(
        store: Store,
        limits: &TransferLimits,
        stop: CancellationToken,
        sent: mpsc::UnboundedSender<u64>,
    ) -> Self {
        let parallelism = limits.parallelism.get();
        Self {
            store,
            limits: limits.clone(),
            parallelism,
            budget: BufferBudget::new(limits.buffered_bytes),
            stop,
            slots: Semaphore::new(parallelism.min(Semaphore::MAX_PERMITS)),
            sent,
        }
    }

    /// Waits for something, but not beyond the end of the transfer.
    pub(super) async fn unless_stopped<T>(&self, wanted: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stop::Cancelled),
            value = wanted => Ok(value),
        }
    }

    /// Waits until content of this size may be read and sent.
    ///
    /// The slot comes first: whoever waits for memory has one already, so those who hold memory never wait
    /// for a slot, and both come free.
    pub(super) async fn turn(&self, bytes: u64) -> Result<Turn<'_>, Stop> {
        let keep_in_memory = bytes <= self.limits.largest_buffer.min(self.limits.buffered_bytes);
        let needed = if keep_in_memory { bytes } else { 2 * SCRATCH_BYTES };
        // The semaphore is never closed, so there is always a permit.
        let slot = self.unless_stopped(self.slots.acquire()).await?.ok();
        let memory = self.unless_stopped(self.budget.reserve(needed)).await?;
        Ok(Turn { _slot: slot, _memory: memory, keep_in_memory })
    }

    /// Says that S3 has taken so many bytes.
    pub(super) fn sent(&self, bytes: u64) {
        // Nobody listens any more only when the transfer was dropped.
        let _ = self.sent.send(bytes);
    }
}

impl Turn<'_> {
    /// Reads a range of the file, or only its checksum where it is to be sent from the file.
    pub(super) async fn read(
        &self,
        file: &SourceReader,
        offset: u64,
        bytes: u64,
    ) -> Result<Content, FailureReason> {
        if self.keep_in_memory {
            let (content, checksum) = file.read(offset, bytes).await?;
            return Ok(Content { body: Body::Memory(content), bytes, checksum });
        }
        let checksum = file.checksum(offset, bytes).await?;
        Ok(Content { body: Body::File { path: file.path().to_owned(), offset }, bytes, checksum })
    }
}

/// What a task returned. A panic goes on where it would have gone without the task.
pub(super) fn joined<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
