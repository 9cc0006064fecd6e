use std::sync::Arc;

use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::target::{Target, write_all};
use crate::changed::hex;
use crate::checksum::Checksum;
use crate::failure::FailureReason;
use crate::reader::blocking;

/// So many bytes are handed to the disk at a time.
const BATCH_BYTES: usize = 256 << 10;
/// Batches that wait to be written while more arrive.
const BATCHES_WAITING: usize = 2;

/// The memory that one stream of content takes.
pub(super) const STREAM_BYTES: u64 = ((BATCHES_WAITING + 2) * BATCH_BYTES) as u64;

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

/// The way to the thread that writes, and its end.
type WritingThread = (mpsc::Sender<Vec<Bytes>>, JoinHandle<Result<Digested, FailureReason>>);

/// Takes content as it comes and writes it off the async threads, a little at once, much by a thread of its own.
pub(super) struct Writer {
    target: Arc<Target>,
    offset: u64,
    digesting: Digesting,
    pending: Vec<Bytes>,
    pending_bytes: usize,
    thread: Option<WritingThread>,
}

impl Writer {
    pub(super) fn new(target: Arc<Target>, offset: u64, digesting: Digesting) -> Self {
        Self { target, offset, digesting, pending: Vec::new(), pending_bytes: 0, thread: None }
    }

    pub(super) async fn take(&mut self, piece: Bytes) -> Result<(), FailureReason> {
        self.pending_bytes += piece.len();
        self.pending.push(piece);
        if self.pending_bytes < BATCH_BYTES {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let (sender, _) = self.thread.get_or_insert_with(|| begin(&self.target, self.offset, self.digesting));
        if sender.send(batch).await.is_err() {
            return Err(self.failure().await);
        }
        Ok(())
    }

    /// Everything came: what it digests to, once it is written.
    pub(super) async fn finish(mut self) -> Result<Digested, FailureReason> {
        let rest = std::mem::take(&mut self.pending);
        match self.thread.take() {
            Some((sender, thread)) => {
                if !rest.is_empty() {
                    // A thread that has ended says itself why.
                    let _ = sender.send(rest).await;
                }
                drop(sender);
                join(thread).await
            }
            None => {
                let (target, offset, digesting) = (Arc::clone(&self.target), self.offset, self.digesting);
                blocking(move || write(&target, offset, digesting, std::iter::once(rest))).await
            }
        }
    }

    async fn failure(&mut self) -> FailureReason {
        match self.thread.take() {
            Some((_, thread)) => join(thread).await.err().unwrap_or(FailureReason::Unconfirmed),
            None => FailureReason::Unconfirmed,
        }
    }
}

async fn join(thread: JoinHandle<Result<Digested, FailureReason>>) -> Result<Digested, FailureReason> {
    match thread.await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

fn begin(
    target: &Arc<Target>,
    offset: u64,
    digesting: Digesting,
) -> (mpsc::Sender<Vec<Bytes>>, JoinHandle<Result<Digested, FailureReason>>) {
    let (sender, mut batches) = mpsc::channel(BATCHES_WAITING);
    let target = Arc::clone(target);
    let batches = std::iter::from_fn(move || batches.blocking_recv());
    (sender, tokio::task::spawn_blocking(move || write(&target, offset, digesting, batches)))
}

fn write(
    target: &Target,
    offset: u64,
    digesting: Digesting,
    batches: impl Iterator<Item = Vec<Bytes>>,
) -> Result<Digested, FailureReason> {
    let mut file = target.writer(offset)?;
    let mut running = Running::new(digesting);
    for batch in batches {
        batch.iter().for_each(|piece| running.update(piece));
        write_all(&mut file, &batch)?;
    }
    Ok(running.finish())
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
