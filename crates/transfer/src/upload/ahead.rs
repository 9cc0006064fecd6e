use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::job::{Job, Stop};
use crate::budget::Reservation;
use crate::content::Loaded;
use crate::reader::SourceReader;

/// Threads that read small files: one keeps a fast disk busy, the second hides the waits of a slow one.
const READERS: usize = 2;
/// Files that are read and wait to be sent.
const WAITING: usize = 64;
/// Files that are handed over together, at most.
const BATCH: usize = 16;
/// The longest that a file waits for others to be handed over with.
const BATCH_TIME: Duration = Duration::from_millis(2);

/// A small file that has been read, with its share of the memory.
pub(super) struct Ahead {
    pub(super) index: usize,
    pub(super) content: Result<Read, Stop>,
}

pub(super) enum Read {
    Whole {
        loaded: Loaded,
        memory: Reservation,
    },
    /// It has grown too large since the plan was made.
    Grown,
}

/// Files that have been read, for whoever sends the next one.
pub(super) struct Waiting {
    batches: mpsc::Receiver<Vec<Ahead>>,
    batch: std::vec::IntoIter<Ahead>,
}

impl Waiting {
    pub(super) async fn next(&mut self) -> Option<Ahead> {
        loop {
            if let Some(ahead) = self.batch.next() {
                return Some(ahead);
            }
            self.batch = self.batches.recv().await?.into_iter();
        }
    }
}

/// Begins to read these files, in their order.
pub(super) fn read_ahead(job: &Arc<Job>, indices: Vec<usize>) -> Waiting {
    let (sender, receiver) = mpsc::channel(WAITING / BATCH);
    let (indices, next) = (Arc::new(indices), Arc::new(AtomicUsize::new(0)));
    for _ in 0..READERS.min(indices.len()) {
        let (job, handle) = (Arc::clone(job), Handle::current());
        let (indices, next) = (Arc::clone(&indices), Arc::clone(&next));
        let mut reader = Reader { sender: sender.clone(), batch: Vec::new(), began: Instant::now() };
        tokio::task::spawn_blocking(move || {
            while let Some(index) = indices.get(next.fetch_add(1, Ordering::Relaxed)) {
                let content = read(&job, *index, &handle, &mut reader);
                if !reader.add(Ahead { index: *index, content }) {
                    return;
                }
            }
            reader.hand_over();
        });
    }
    Waiting { batches: receiver, batch: Vec::new().into_iter() }
}

/// One thread's way to those who send. Every file on its own would wake one of them, and the thread itself.
struct Reader {
    sender: mpsc::Sender<Vec<Ahead>>,
    batch: Vec<Ahead>,
    began: Instant,
}

impl Reader {
    /// Whether somebody still wants more.
    fn add(&mut self, ahead: Ahead) -> bool {
        if self.batch.is_empty() {
            self.began = Instant::now();
        }
        self.batch.push(ahead);
        (self.batch.len() < BATCH && self.began.elapsed() < BATCH_TIME) || self.hand_over()
    }

    fn hand_over(&mut self) -> bool {
        let batch = std::mem::take(&mut self.batch);
        batch.is_empty() || self.sender.blocking_send(batch).is_ok()
    }
}

fn read(job: &Job, index: usize, handle: &Handle, reader: &mut Reader) -> Result<Read, Stop> {
    if job.stop.is_cancelled() {
        return Err(Stop::Cancelled);
    }
    let file = SourceReader::open(&job.plan.path(&job.plan.files[index]))?;
    if file.bytes() > job.plan.options.limits.largest_buffer {
        return Ok(Read::Grown);
    }
    let memory = match job.budget.try_reserve(file.bytes()) {
        Some(memory) => memory,
        None => {
            // What it holds itself has to be sent, or it would wait for ever.
            reader.hand_over();
            handle.block_on(job.unless_stopped(job.budget.reserve(file.bytes())))?
        }
    };
    let loaded = Loaded::read(&file, &job.store.wire().buffers)?;
    Ok(Read::Whole { loaded, memory })
}
