use std::sync::Arc;

use aws_sdk_s3::types::CompletedPart;
use crc_fast::checksum_combine;
use tokio::task::JoinSet;

use super::job::{Job, Stop, joined};
use crate::parts::{Part, divide};
use crate::plan::PlannedObject;
use crate::reader::{CHECKSUM, SourceReader};
use crate::report::LeftOpen;
use crate::store::OpenUpload;

/// A part that S3 has.
struct SentPart {
    part: Part,
    checksum: u64,
    receipt: CompletedPart,
}

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
    let result = send_and_complete(job, &upload, file).await;
    if result.is_err()
        && let Err(reason) = job.store.abort(&upload).await
    {
        let OpenUpload { key, id } = upload.as_ref().clone();
        *left_open = Some(LeftOpen { key, upload_id: id, reason });
    }
    result
}

async fn send_and_complete(
    job: &Arc<Job>,
    upload: &Arc<OpenUpload>,
    file: &SourceReader,
) -> Result<(), Stop> {
    let mut sent = send_parts(job, upload, file).await?;
    file.check_unchanged().await?;
    sent.sort_by_key(|sent| sent.part.number);
    let checksum =
        sent.iter().fold(0, |whole, sent| checksum_combine(CHECKSUM, whole, sent.checksum, sent.part.bytes));
    let receipts = sent.into_iter().map(|sent| sent.receipt).collect();
    // Not dropped half-way: whether the object exists would then be unknown.
    Ok(job.store.complete(upload, receipts, file.bytes(), checksum).await?)
}

async fn send_parts(
    job: &Arc<Job>,
    upload: &Arc<OpenUpload>,
    file: &SourceReader,
) -> Result<Vec<SentPart>, Stop> {
    let mut waiting = divide(file.bytes(), &job.limits);
    let mut tasks = JoinSet::new();
    let mut sent = Vec::new();
    loop {
        while tasks.len() < job.parallelism
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
) -> Result<SentPart, Stop> {
    let turn = job.turn(part.bytes).await?;
    let content = turn.read(&file, part.offset, part.bytes).await?;
    let checksum = content.checksum;
    let receipt = job.unless_stopped(job.store.put_part(&upload, part.number, content)).await??;
    job.sent(part.bytes);
    Ok(SentPart { part, checksum, receipt })
}
