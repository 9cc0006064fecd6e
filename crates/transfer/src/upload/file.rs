use std::sync::Arc;

use super::job::{Job, Stop};
use super::multipart::upload_in_parts;
use crate::plan::PlannedObject;
use crate::reader::SourceReader;
use crate::report::{LeftOpen, UploadedObject};

/// What became of one file.
pub(super) struct FileOutcome {
    pub(super) relative: String,
    pub(super) result: Result<UploadedObject, Stop>,
    pub(super) left_open: Option<LeftOpen>,
}

pub(super) async fn upload_file(job: Arc<Job>, object: PlannedObject) -> FileOutcome {
    let mut left_open = None;
    let bytes = send(&job, &object, &mut left_open).await;
    let relative = object.relative;
    let uploaded = |bytes| UploadedObject { key: object.key, relative: relative.clone(), bytes };
    FileOutcome { result: bytes.map(uploaded), left_open, relative }
}

/// Sends a file whole or in parts and tells how many bytes it had.
async fn send(job: &Arc<Job>, object: &PlannedObject, left_open: &mut Option<LeftOpen>) -> Result<u64, Stop> {
    let file = job.unless_stopped(SourceReader::open(&object.path)).await??;
    if file.bytes() > job.limits.multipart_threshold {
        upload_in_parts(job, object, &file, left_open).await?;
    } else {
        upload_whole(job, object, &file).await?;
    }
    Ok(file.bytes())
}

async fn upload_whole(job: &Job, object: &PlannedObject, file: &SourceReader) -> Result<(), Stop> {
    let turn = job.turn(file.bytes()).await?;
    let content = turn.read(file, 0, file.bytes()).await?;
    file.check_unchanged().await?;
    job.unless_stopped(job.store.put_object(object, content)).await??;
    job.sent(file.bytes());
    Ok(())
}
