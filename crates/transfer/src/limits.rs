use std::num::NonZeroUsize;
use std::time::Duration;

const MEBIBYTE: u64 = 1 << 20;

/// How much happens at the same time, and how much memory it may take.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TransferLimits {
    /// How many requests with content are under way at the same time, at most: fewer where the service or the
    /// line is busy. Default 320.
    pub parallelism: NonZeroUsize,
    /// Files above this size go in parts, and objects come in ranges. Default 16 MiB; S3 wants 5 GiB at most.
    pub multipart_threshold: u64,
    /// The size of a part, unless a file is so large that its parts must be larger. Default 8 MiB; S3 wants
    /// 5 MiB at least.
    pub part_bytes: u64,
    /// Files and parts above this size are not held in memory but read while they are sent. Default 128 KiB.
    pub largest_buffer: u64,
    /// All content held in memory at one time. Default 24 MiB.
    pub buffered_bytes: u64,
    /// How often a request is tried in all. Default 8.
    pub attempts: u32,
    /// The longest pause before the second attempt at a request with content; later ones double. Default
    /// 100 ms.
    pub backoff: Duration,
    /// For how long requests may go without an answer before the whole transfer is given up: this long when they are
    /// many, four times as long when they are few. Default 30 s.
    pub silence: Duration,
    /// How long the slice that deletes waits for files of the others when no more of them arrive. Default two
    /// minutes.
    pub others_patience: Duration,
}

impl Default for TransferLimits {
    fn default() -> Self {
        Self {
            parallelism: NonZeroUsize::MIN.saturating_add(319),
            multipart_threshold: 16 * MEBIBYTE,
            part_bytes: 8 * MEBIBYTE,
            largest_buffer: MEBIBYTE / 8,
            buffered_bytes: 24 * MEBIBYTE,
            attempts: 8,
            backoff: Duration::from_millis(100),
            silence: Duration::from_secs(30),
            others_patience: Duration::from_secs(120),
        }
    }
}
