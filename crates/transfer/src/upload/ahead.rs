use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Begins to read these files, in their order.
pub(super) fn read_ahead(job: &Arc<Job>, indices: Vec<usize>) -> mpsc::Receiver<Ahead> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (indices, next) = (Arc::new(indices), Arc::new(AtomicUsize::new(0)));
    for _ in 0..READERS.min(indices.len()) {
        let (job, sender, handle) = (Arc::clone(job), sender.clone(), Handle::current());
        let (indices, next) = (Arc::clone(&indices), Arc::clone(&next));
        tokio::task::spawn_blocking(move || {
            while let Some(index) = indices.get(next.fetch_add(1, Ordering::Relaxed)) {
                let content = read(&job, *index, &handle);
                if sender.blocking_send(Ahead { index: *index, content }).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn read(job: &Job, index: usize, handle: &Handle) -> Result<Read, Stop> {
    if job.stop.is_cancelled() {
        return Err(Stop::Cancelled);
    }
    let file = SourceReader::open(&job.plan.path(&job.plan.files[index]))?;
    if file.bytes() > job.plan.options.limits.largest_buffer {
        return Ok(Read::Grown);
    }
    let memory = match job.budget.try_reserve(file.bytes()) {
        Some(memory) => memory,
        None => handle.block_on(job.unless_stopped(job.budget.reserve(file.bytes())))?,
    };
    let loaded = Loaded::read(&file, &job.store.wire().buffers)?;
    Ok(Read::Whole { loaded, memory })
}
