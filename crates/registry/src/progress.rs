use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far a push or pull is. It may be read from anywhere at any time.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    total: AtomicU64,
    settled: AtomicU64,
    under_way: std::sync::Mutex<Vec<Arc<AtomicU64>>>,
}

impl Progress {
    /// Nothing done yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that are there or on their way, and bytes in all.
    #[must_use]
    pub fn now(&self) -> (u64, u64) {
        let under_way = self.0.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let moving: u64 = under_way.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        let total = self.0.total.load(Ordering::Relaxed);
        ((self.0.settled.load(Ordering::Relaxed) + moving).min(total), total)
    }

    pub(crate) fn expect(&self, bytes: u64) {
        self.0.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A counter for one blob.
    pub(crate) fn begin(&self) -> Arc<AtomicU64> {
        let count = Arc::new(AtomicU64::new(0));
        self.0.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(count.clone());
        count
    }

    /// The blob is there.
    pub(crate) fn settle(&self, count: &Arc<AtomicU64>, size: u64) {
        let mut under_way = self.0.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        under_way.retain(|known| !Arc::ptr_eq(known, count));
        self.0.settled.fetch_add(size, Ordering::Relaxed);
    }
}
