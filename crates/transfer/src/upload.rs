//! Carries out a plan.

mod file;
mod job;
mod multipart;

use std::sync::Arc;

use aws_types::SdkConfig;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::{Failure, FailureReason};
use crate::plan::UploadPlan;
use crate::prepare::{BucketState, UploadError, prepare_bucket};
use crate::progress::{Progress, TransferProgress};
use crate::report::UploadReport;
use crate::store::Store;
use file::{FileOutcome, upload_file};
use job::{Job, Stop};

/// Uploads what was planned.
///
/// A file that fails stops no other; the report names it. Only what would fail every file alike, such as
/// expired credentials, ends the transfer early: the report counts what was not tried.
///
/// After `cancel` no further file or part is begun, requests under way are dropped, open multipart uploads
/// are aborted, and the report tells how far it came. Cancel that way: dropping the future instead leaves
/// open multipart uploads in the bucket.
///
/// # Errors
/// The bucket is missing, elsewhere, or could not be looked at or made; then nothing was uploaded.
pub async fn upload(
    config: &SdkConfig,
    plan: &UploadPlan,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<UploadReport, UploadError> {
    let store = Store::new(config, &plan.options);
    let prepared = prepare_bucket(store.client(), plan.bucket(), plan.options.create_bucket);
    let bucket = tokio::select! {
        biased;
        () = cancel.cancelled() => BucketState::NotLookedAt,
        bucket = prepared => bucket?,
    };
    let (sender, sent) = mpsc::unbounded_channel();
    let job = Arc::new(Job::new(store, &plan.options.limits, cancel.child_token(), sender));
    let mut transfer = Transfer { plan, progress, tally: Tally::of(plan), job };
    transfer.run(sent).await;
    Ok(transfer.report(bucket, cancel.is_cancelled()))
}

struct Transfer<'a> {
    plan: &'a UploadPlan,
    progress: &'a dyn Progress,
    tally: Tally,
    job: Arc<Job>,
}

/// What has happened so far.
struct Tally {
    done: TransferProgress,
    outcomes: Vec<FileOutcome>,
}

impl Tally {
    fn of(plan: &UploadPlan) -> Self {
        let files_total = plan.objects().len();
        let done = TransferProgress { files_total, bytes_total: plan.bytes(), ..TransferProgress::default() };
        Self { done, outcomes: Vec::with_capacity(files_total) }
    }
}

impl Transfer<'_> {
    async fn run(&mut self, mut sent: mpsc::UnboundedReceiver<u64>) {
        let mut waiting = self.plan.objects().iter();
        let mut tasks = JoinSet::new();
        loop {
            while tasks.len() < self.job.parallelism && !self.job.stop.is_cancelled() {
                let Some(object) = waiting.next() else { break };
                tasks.spawn(upload_file(Arc::clone(&self.job), object.clone()));
            }
            tokio::select! {
                Some(bytes) = sent.recv() => self.tally.done.bytes_done += bytes,
                finished = tasks.join_next() => match finished {
                    Some(outcome) => self.finish(job::joined(outcome)),
                    None => break,
                },
            }
            self.progress.advanced(self.tally.done);
        }
        while let Ok(bytes) = sent.try_recv() {
            self.tally.done.bytes_done += bytes;
        }
        self.progress.advanced(self.tally.done);
    }

    fn finish(&mut self, outcome: FileOutcome) {
        self.tally.done.files_done += 1;
        if let Err(Stop::Failed(reason)) = &outcome.result
            && is_fatal(reason)
        {
            self.job.stop.cancel();
        }
        self.tally.outcomes.push(outcome);
    }

    fn report(self, bucket: BucketState, cancelled: bool) -> UploadReport {
        let planned = self.plan.objects().len();
        let mut report = UploadReport {
            bucket,
            uploaded: Vec::with_capacity(planned),
            failures: self.plan.failures().to_vec(),
            unfinished: 0,
            cancelled,
            left_open: Vec::new(),
            peak_buffered_bytes: self.job.budget.peak(),
        };
        let mut failed = Vec::new();
        for outcome in self.tally.outcomes {
            report.left_open.extend(outcome.left_open);
            match outcome.result {
                Ok(object) => report.uploaded.push(object),
                Err(Stop::Failed(reason)) => failed.push(Failure { path: outcome.relative, reason }),
                Err(Stop::Cancelled) => {}
            }
        }
        report.unfinished = planned - report.uploaded.len() - failed.len();
        failed.sort_by(|one, other| one.path.cmp(&other.path));
        report.failures.extend(failed);
        report.uploaded.sort_by(|one, other| one.key.cmp(&other.key));
        report
    }
}

/// The codes that say nothing about one object (S3 API Reference, "List of error codes").
fn is_fatal(reason: &FailureReason) -> bool {
    let FailureReason::Service(error) = reason else { return false };
    matches!(
        error.code(),
        Some(
            "NoSuchBucket"
                | "PermanentRedirect"
                | "AuthorizationHeaderMalformed"
                | "ExpiredToken"
                | "InvalidAccessKeyId"
                | "InvalidToken"
                | "RequestTimeTooSkewed"
                | "SignatureDoesNotMatch"
                | "AllAccessDisabled"
                | "AccountProblem"
                | "NotSignedUp"
        )
    )
}
