use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ahead::{Ahead, Read};
use super::job::{Stop, Task};
use super::multipart::upload_in_parts;
use crate::changed::{is_same, is_same_file};
use crate::content::{Content, Loaded, Range};
use crate::failure::FailureReason;
use crate::plan::PlannedObject;
use crate::reader::{SourceReader, blocking, on_own_thread};
use crate::report::LeftOpen;

/// What became of one file.
pub(super) struct FileOutcome {
    pub(super) index: usize,
    pub(super) result: Result<Done, Stop>,
    pub(super) left_open: Option<LeftOpen>,
    pub(super) took: Duration,
}

pub(super) enum Done {
    /// It is in the bucket, with so many bytes.
    Uploaded(u64),
    /// The same, and the progress knows of its parts already.
    UploadedInParts(u64),
    /// It was there already.
    Unchanged,
}

/// Sends a small file that has been read.
pub(super) async fn upload_read(task: Task, ahead: Ahead) -> FileOutcome {
    let began = Instant::now();
    let mut left_open = None;
    let result = match ahead.content {
        Err(stop) => Err(stop),
        Ok(Read::Grown) => Box::pin(send(&task, &mut left_open)).await,
        Ok(Read::Whole { loaded, memory }) => {
            let result = send_whole(&task, &object(&task), Content::Memory(loaded)).await;
            drop(memory);
            result
        }
    };
    FileOutcome { index: task.index, result, left_open, took: began.elapsed() }
}

/// Reads and sends a large file.
pub(super) async fn upload_large(task: Task) -> FileOutcome {
    let began = Instant::now();
    let mut left_open = None;
    let result = Box::pin(send(&task, &mut left_open)).await;
    FileOutcome { index: task.index, result, left_open, took: began.elapsed() }
}

fn object(task: &Task) -> PlannedObject {
    task.job.plan.object(&task.job.plan.files[task.index])
}

async fn send(task: &Task, left_open: &mut Option<LeftOpen>) -> Result<Done, Stop> {
    let (job, object) = (&task.job, object(task));
    if object.bytes <= job.plan.options.limits.multipart_threshold {
        let memory = job.unless_stopped(job.budget.reserve(job.store.wire().range_bytes())).await?;
        let done = on_own_thread(&job.stop, send_middle(task.clone(), object.clone())).await;
        drop(memory);
        if let Some(done) = done.unwrap_or(Err(Stop::Cancelled))? {
            return Ok(done);
        }
    }
    let path = object.path.clone();
    let file = job.unless_stopped(blocking(move || SourceReader::open(&path))).await??;
    if let Some(existing) = job.existing(task.index)
        && job.unless_stopped(is_same_file(&job.store, &object.key, &file, existing)).await??
    {
        return Ok(Done::Unchanged);
    }
    if file.bytes() == 0 {
        // Emptied since the plan was made: there is nothing to make parts of.
        return Box::pin(send_whole(task, &object, empty(&file)?)).await;
    }
    upload_in_parts(job, &object, &file, left_open).await?;
    Ok(Done::UploadedInParts(file.bytes()))
}

/// Reads and sends a file in one request. `None` if it has grown too large for that since the plan was made.
async fn send_middle(task: Task, object: PlannedObject) -> Result<Option<Done>, Stop> {
    let file = SourceReader::open(&object.path)?;
    if file.bytes() > task.job.plan.options.limits.multipart_threshold {
        return Ok(None);
    }
    let content = match file.bytes() {
        // Emptied since the plan was made, and a chunk of nothing is the end of all chunks.
        0 => empty(&file)?,
        bytes => Content::Range(Range { bytes, file, offset: 0, is_whole: true }),
    };
    send_whole(&task, &object, content).await.map(Some)
}

fn empty(file: &SourceReader) -> Result<Content, FailureReason> {
    Loaded::read(file, &Arc::default()).map(Content::Memory)
}

async fn send_whole(task: &Task, object: &PlannedObject, content: Content) -> Result<Done, Stop> {
    let job = Arc::clone(&task.job);
    let bytes = content.bytes();
    if let Some(existing) = job.existing(task.index) {
        let same = match &content {
            Content::Memory(loaded) => {
                job.unless_stopped(Box::pin(is_same(&job.store, &object.key, loaded, existing))).await??
            }
            Content::Range(range) => {
                job.unless_stopped(is_same_file(&job.store, &object.key, &range.file, existing)).await??
            }
        };
        if same {
            return Ok(Done::Unchanged);
        }
    }
    job.unless_stopped(job.store.put_object(object, &content)).await??;
    Ok(Done::Uploaded(bytes))
}
