use std::sync::Arc;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};

/// What repeats in every object that is made up.
const BLOCK_BYTES: usize = 1 << 20;

/// Objects that are there without ever having been put: `object-<number>`, all of the same content.
pub(crate) struct MadeUp {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    pub(crate) checksum: u64,
    block: Bytes,
}

impl MadeUp {
    /// `1000x1048576`.
    pub(crate) fn parse(text: &str) -> Arc<Self> {
        let (count, bytes) = text.split_once('x').expect("COUNTxBYTES");
        let (count, bytes): (u64, u64) = (count.parse().unwrap(), bytes.parse().unwrap());
        let mut random = fastrand::Rng::with_seed(7);
        let block: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(BLOCK_BYTES).collect();
        let mut made_up = Self { count, bytes, checksum: 0, block: block.into() };
        let mut digest = Digest::new(CrcAlgorithm::Crc64Nvme);
        let mut offset = 0;
        while offset < bytes {
            let piece = made_up.piece(offset, bytes);
            digest.update(&piece);
            offset += piece.len() as u64;
        }
        made_up.checksum = digest.finalize();
        Arc::new(made_up)
    }

    pub(crate) fn key(&self, number: u64) -> String {
        format!("object-{number:06}")
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        key.strip_prefix("object-")
            .and_then(|number| number.parse().ok())
            .is_some_and(|number: u64| number < self.count)
    }

    /// What stands from `offset` on, up to the end of its block, or to `end`.
    pub(crate) fn piece(&self, offset: u64, end: u64) -> Bytes {
        let from = usize::try_from(offset % BLOCK_BYTES as u64).unwrap();
        let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
        self.block.slice(from..BLOCK_BYTES.min(from.saturating_add(left)))
    }
}
