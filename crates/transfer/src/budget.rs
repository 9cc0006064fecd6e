use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one permit of the semaphore stands for: its count is 32 bits wide, sizes of files are not.
const UNIT: u64 = 1024;

/// The memory that content may take, shared by everything that is under way.
///
/// Who asks first is served first, so a large request is not starved by small ones.
#[derive(Debug)]
pub(crate) struct BufferBudget {
    units: Arc<Semaphore>,
    total_units: u32,
    in_use: Arc<AtomicU64>,
    peak: AtomicU64,
}

/// A share of the budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    _permit: Option<OwnedSemaphorePermit>,
    bytes: u64,
    in_use: Arc<AtomicU64>,
}

impl BufferBudget {
    pub(crate) fn new(bytes: u64) -> Self {
        let total_units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
        Self {
            units: Arc::new(Semaphore::new(usize::try_from(total_units).unwrap_or(Semaphore::MAX_PERMITS))),
            total_units,
            in_use: Arc::default(),
            peak: AtomicU64::new(0),
        }
    }

    /// Waits until so many bytes are free. More than there are in all means: all.
    pub(crate) async fn reserve(&self, bytes: u64) -> Reservation {
        // The semaphore is never closed, so there is always a permit.
        let permit = Arc::clone(&self.units).acquire_many_owned(self.units_of(bytes)).await.ok();
        self.account(permit, bytes)
    }

    /// As [`reserve`](Self::reserve), without waiting.
    pub(crate) fn try_reserve(&self, bytes: u64) -> Option<Reservation> {
        let units = self.units_of(bytes);
        let permit = Arc::clone(&self.units).try_acquire_many_owned(units).ok()?;
        Some(self.account(Some(permit), bytes))
    }

    fn units_of(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.total_units)
    }

    fn account(&self, permit: Option<OwnedSemaphorePermit>, bytes: u64) -> Reservation {
        let in_use = self.in_use.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(in_use, Ordering::Relaxed);
        Reservation { _permit: permit, bytes, in_use: Arc::clone(&self.in_use) }
    }

    /// The most that was reserved at one time, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Reservation {
    /// Runs before the permit is given back, so the account never shows more than was allowed.
    fn drop(&mut self) {
        self.in_use.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_is_given_than_there_is() {
        let budget = Arc::new(BufferBudget::new(10 * UNIT));
        let tasks: Vec<_> = (0..50)
            .map(|index| {
                let budget = Arc::clone(&budget);
                tokio::spawn(async move {
                    let _share = budget.reserve(index % 7 * UNIT).await;
                    tokio::task::yield_now().await;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!((6 * UNIT..=10 * UNIT).contains(&budget.peak()), "{}", budget.peak());
        assert_eq!(budget.in_use.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_request_beyond_the_whole_waits_for_all_of_it() {
        let budget = BufferBudget::new(UNIT);
        let all = budget.reserve(100 * UNIT).await;
        let pending = std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::pin::pin!(budget.reserve(1)).poll(context).is_pending())
        });
        assert!(pending.await);
        drop(all);
        budget.reserve(1).await;
    }
}
