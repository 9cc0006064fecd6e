use std::sync::Arc;

use crc_fast::checksum_combine;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::job::{Job, Stop, joined};
use crate::content::{CHECKSUM, Content, Range};
use crate::parts::{Part, divide};
use crate::plan::PlannedObject;
use crate::reader::{SourceReader, blocking, on_own_thread};
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
    let stop = job.stop.child_token();
    loop {
        while tasks.len() < PARTS_AT_ONCE
            && let Some(part) = waiting.next()
        {
            let (job, upload, file) = (Arc::clone(job), Arc::clone(upload), file.clone());
            tasks.spawn(send_part(job, upload, file, part, stop.clone()));
        }
        match tasks.join_next().await.map(joined) {
            None => return Ok(sent),
            Some(Ok(part)) => sent.push(part),
            Some(Err(reason)) => {
                // Parts still under way must have ended before the upload is aborted, or S3 may keep them.
                stop.cancel();
                while tasks.join_next().await.is_some() {}
                return Err(reason);
            }
        }
    }
}

async fn send_part(
    job: Arc<Job>,
    upload: Arc<OpenUpload>,
    file: SourceReader,
    part: Part,
    stop: CancellationToken,
) -> Result<(Part, Receipt), Stop> {
    let memory = job.budget.reserve(job.store.wire().range_bytes());
    let _memory = stop.run_until_cancelled(memory).await.ok_or(Stop::Cancelled)?;
    let content = Content::Range(Range { file, offset: part.offset, bytes: part.bytes, is_whole: false });
    let sender = Arc::clone(&job);
    let put = async move { sender.store.put_part(&upload, part.number, &content).await };
    let receipt = on_own_thread(&stop, put).await.ok_or(Stop::Cancelled)??;
    job.sent(part.bytes);
    Ok((part, receipt))
}
