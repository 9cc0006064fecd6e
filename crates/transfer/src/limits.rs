use std::num::NonZeroUsize;

const MEBIBYTE: u64 = 1 << 20;

/// How much happens at the same time, and how much memory it may take.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TransferLimits {
    /// How many files, and how many requests with content, are under way at the same time. Default 16.
    pub parallelism: NonZeroUsize,
    /// Files above this size go in parts. Default 16 MiB; S3 wants 5 GiB at most.
    pub multipart_threshold: u64,
    /// The size of a part, unless a file is so large that its parts must be larger. Default 8 MiB; S3 wants
    /// 5 MiB at least.
    pub part_bytes: u64,
    /// Parts above this size are not held in memory but read twice: for their checksum and to be sent.
    /// Default 16 MiB.
    pub largest_buffer: u64,
    /// All content held in memory at one time. Default 64 MiB.
    pub buffered_bytes: u64,
    /// How often a request is tried in all. Default 8.
    pub attempts: u32,
}

impl Default for TransferLimits {
    fn default() -> Self {
        Self {
            parallelism: NonZeroUsize::MIN.saturating_add(15),
            multipart_threshold: 16 * MEBIBYTE,
            part_bytes: 8 * MEBIBYTE,
            largest_buffer: 16 * MEBIBYTE,
            buffered_bytes: 64 * MEBIBYTE,
            attempts: 8,
        }
    }
}
