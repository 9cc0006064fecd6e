use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::plan::DownloadPlan;
use super::target::TargetRoot;
use crate::budget::BufferBudget;
use crate::store::Store;
pub(super) use crate::upload::{Stop, joined};

/// What all objects of one download share.
pub(super) struct Job {
    pub(super) plan: DownloadPlan,
    pub(super) store: Store,
    pub(super) root: Arc<TargetRoot>,
    pub(super) budget: BufferBudget,
    pub(super) stop: CancellationToken,
    pub(super) received: mpsc::UnboundedSender<u64>,
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

    /// Says that so many bytes are on the disk.
    pub(super) fn received(&self, bytes: u64) {
        // Nobody listens any more only when the transfer was dropped.
        let _ = self.received.send(bytes);
    }
}
