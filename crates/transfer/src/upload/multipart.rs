use std::sync::Arc;

use crc_fast::checksum_combine;
use tokio::task::JoinSet;

use super::job::{Job, Stop, joined};
use crate::content::{CHECKSUM, Content, Range, STREAM_BYTES};
use crate::parts::{Part, divide};
use crate::plan::PlannedObject;
use crate::reader::{SourceReader, blocking};
use crate::report::LeftOpen;
use crate::store::{OpenUpload, Receipt};

/// Parts of one file that are prepared at the same time: more wait for memory or their turn anyway.
const PARTS_AT_ONCE: usize = 32;

/// Sends a file in parts, several at a time. What does not come to its end is aborted.
pub(super) async fn upload_in_parts(
    job: &Arc<Job>,
    object: &PlannedObject,
    file: &SourceReader,
    left_open: &mut Option<LeftOpen>,
) -> Result<(), Stop> {
    if job.stop.is_cancelled() {
        return Err(Stop::Cancelled);
    }
    // From here on a cancellation must not be able to lose the upload's id.
    let upload = Arc::new(job.store.begin(object).await?);
    job.note_begun(&upload);
    let result = send_and_complete(job, &upload, file).await;
    if result.is_err()
        && let Err(reason) = job.store.abort(&upload.key, &upload.id).await
    {
        let OpenUpload { key, id } = upload.as_ref().clone();
        *left_open = Some(LeftOpen { key, upload_id: id, reason });
        return result;
    }
    job.note_ended(&upload);
    result
}

async fn send_and_complete(
    job: &Arc<Job>,
    upload: &Arc<OpenUpload>,
    file: &SourceReader,
) -> Result<(), Stop> {
    let mut sent = send_parts(job, upload, file).await?;
    let unchanged = file.clone();
    blocking(move || unchanged.check_unchanged()).await?;
    sent.sort_by_key(|(part, _)| part.number);
    let checksum = sent
        .iter()
        .fold(0, |whole, (part, receipt)| checksum_combine(CHECKSUM, whole, receipt.checksum, part.bytes));
    let receipts = sent.into_iter().map(|(_, receipt)| receipt).collect();
    // Not dropped half-way: whether the object exists would then be unknown.
    Ok(job.store.complete(upload, receipts, file.bytes(), checksum).await?)
}

async fn send_parts(
    job: &Arc<Job>,
    upload: &Arc<OpenUpload>,
    file: &SourceReader,
) -> Result<Vec<(Part, Receipt)>, Stop> {
    let mut waiting = divide(file.bytes(), &job.plan.options.limits);
    let mut tasks = JoinSet::new();
    let mut sent = Vec::new();
    loop {
        while tasks.len() < PARTS_AT_ONCE
            && let Some(part) = waiting.next()
        {
            tasks.spawn(send_part(Arc::clone(job), Arc::clone(upload), file.clone(), part));
        }
        match tasks.join_next().await.map(joined) {
            None => return Ok(sent),
            Some(Ok(part)) => sent.push(part),
            Some(Err(stop)) => {
                // Parts still under way must have ended before the upload is aborted, or S3 may keep them.
                tasks.shutdown().await;
                return Err(stop);
            }
        }
    }
}

async fn send_part(
    job: Arc<Job>,
    upload: Arc<OpenUpload>,
    file: SourceReader,
    part: Part,
) -> Result<(Part, Receipt), Stop> {
    let _memory = job.unless_stopped(job.budget.reserve(STREAM_BYTES)).await?;
    let content = Content::Range(Range { file, offset: part.offset, bytes: part.bytes, is_whole: false });
    let receipt = job.unless_stopped(job.store.put_part(&upload, part.number, &content)).await??;
    job.sent(part.bytes);
    Ok((part, receipt))
}
