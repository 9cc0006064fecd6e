use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};

use super::target::Target;
use crate::checksum::{Checksum, hex};
use crate::failure::FailureReason;
use crate::reader::blocking;

/// So many bytes are handed to the disk at a time.
pub(super) const BATCH_BYTES: usize = 128 << 10;

/// The memory that one stream of content takes: what waits to be written, and what the connection
/// has read before and behind its decryption.
pub(super) const STREAM_BYTES: u64 = 4 * BATCH_BYTES as u64;

/// What is made of content while it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Digesting {
    Nothing,
    Crc(CrcAlgorithm),
    Md5,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Digested {
    Nothing,
    Crc(u64),
    Md5(String),
}

enum Running {
    Nothing,
    Crc(Box<Checksum>),
    Md5(Md5),
}

/// Takes content as it comes and writes it in batches. What is more than a batch has to come on a thread that
/// may wait for a disk; it is then written by the one that received it, while it is in that processor's cache.
pub(super) struct Writer {
    target: Arc<Target>,
    offset: u64,
    pending: Vec<Bytes>,
    pending_bytes: usize,
    running: Running,
    file: Option<File>,
}

impl Writer {
    pub(super) fn new(target: Arc<Target>, offset: u64, digesting: Digesting) -> Self {
        let (pending, running) = (Vec::new(), Running::new(digesting));
        Self { target, offset, pending, pending_bytes: 0, running, file: None }
    }

    pub(super) fn take(&mut self, piece: Bytes) -> Result<(), FailureReason> {
        if self.pending_bytes + piece.len() > BATCH_BYTES {
            self.write()?;
        }
        self.pending_bytes += piece.len();
        self.pending.push(piece);
        Ok(())
    }

    fn write(&mut self) -> Result<(), FailureReason> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(self.target.writer(self.offset)?),
        };
        self.pending.iter().for_each(|piece| self.running.update(piece));
        self.target.write_all(file, &self.pending)?;
        self.pending.clear();
        self.pending_bytes = 0;
        Ok(())
    }

    /// Everything came: what it digests to, once it is written.
    pub(super) async fn finish(mut self) -> Result<Digested, FailureReason> {
        if self.file.is_some() {
            self.write()?;
            return Ok(self.running.finish());
        }
        blocking(move || {
            self.write()?;
            Ok(self.running.finish())
        })
        .await
    }
}

impl Running {
    fn new(digesting: Digesting) -> Self {
        match digesting {
            Digesting::Nothing => Self::Nothing,
            Digesting::Crc(algorithm) => Self::Crc(Box::new(Checksum::new(algorithm))),
            Digesting::Md5 => Self::Md5(Md5::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Nothing => {}
            Self::Crc(checksum) => checksum.update(bytes),
            Self::Md5(digest) => digest.update(bytes),
        }
    }

    fn finish(self) -> Digested {
        match self {
            Self::Nothing => Digested::Nothing,
            Self::Crc(checksum) => Digested::Crc(checksum.value()),
            Self::Md5(digest) => Digested::Md5(hex(&digest.finalize())),
        }
    }
}
