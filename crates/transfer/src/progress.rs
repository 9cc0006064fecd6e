/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TransferProgress {
    /// Files that are finished, well or not.
    pub files_done: usize,
    /// Files of the plan.
    pub files_total: usize,
    /// Bytes that S3 has taken.
    pub bytes_done: u64,
    /// Bytes of the plan; what a file gained or lost since then makes the two differ at the end.
    pub bytes_total: u64,
}

/// Somebody who wants to know how far a transfer is.
///
/// Called after every file and every part, always from one place at a time; it should return soon.
pub trait Progress: Send + Sync {
    /// Something was done.
    fn advanced(&self, progress: TransferProgress);
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn advanced(&self, _: TransferProgress) {}
}

impl<F: Fn(TransferProgress) + Send + Sync> Progress for F {
    fn advanced(&self, progress: TransferProgress) {
        self(progress);
    }
}
