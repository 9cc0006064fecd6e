//! Downloads objects into a folder: list, decide, fetch, verify, put in place.

mod error;
mod job;
mod object;
mod options;
mod place;
mod plan;
mod removed;
mod report;
mod target;
mod writer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_types::SdkConfig;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::budget::BufferBudget;
use crate::failure::Failure;
use crate::progress::{Progress, TransferProgress};
use crate::reader::blocking;
use crate::report::{Slow, Slowest};
use crate::settings::{Encryption, ObjectSettings};
use crate::store::{Store, client};
use crate::wire::{Flow, Route};
pub use error::DownloadError;
use job::{Job, Stop, joined};
use object::{Done, ObjectOutcome, download_object};
pub use options::DownloadOptions;
use plan::DownloadPlan;
pub use report::{DownloadReport, DownloadedObject};
use target::TargetRoot;
pub(crate) use target::is_half;

/// Downloads what a listing of the bucket shows.
///
/// An object that fails stops no other; the report names it. A file appears when all of it has arrived and its
/// checksum is right, never before. After `cancel` nothing more is begun, and what is half there is removed.
///
/// # Errors
/// The bucket is missing, elsewhere or cannot be listed, or files are in the way that must stay; then nothing
/// was written.
pub async fn download(
    config: &SdkConfig,
    route: &Route,
    options: &DownloadOptions,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<DownloadReport, DownloadError> {
    let began = Instant::now();
    let client = client(config, options.path_style, &options.limits);
    let plan = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        plan = DownloadPlan::build(&client, options) => Some(plan?),
    };
    let Some(plan) = plan else { return Ok(nothing_done(true)) };
    let folder = plan.options.target_folder.clone();
    let root = blocking({
        let folder = folder.clone();
        move || TargetRoot::open(&folder)
    })
    .await
    .map_err(|error| DownloadError::TargetFolder { path: folder, reason: (&error).into() })?;
    let encryption = options.customer_key.clone().map_or(Encryption::BucketDefault, Encryption::CustomerKey);
    let settings = ObjectSettings { encryption, ..ObjectSettings::default() };
    let bucket = options.bucket.as_str();
    let store = Store::open(client, config, route, bucket, &settings, &options.limits, Flow::Down)
        .await
        .map_err(|source| DownloadError::Endpoint { bucket: options.bucket.clone(), source })?;
    let (received, pieces) = mpsc::unbounded_channel();
    let job = Arc::new(Job {
        budget: BufferBudget::new(options.limits.buffered_bytes),
        stop: cancel.child_token(),
        root: Arc::new(root),
        plan,
        store,
        received,
    });
    let (count, range) = (job.plan.objects.len().max(1) as u64, options.limits.part_bytes);
    job.store.wire().pace.expect((job.plan.bytes() / count).min(range));
    let mut transfer = Transfer::new(progress, job);
    transfer.run(pieces).await;
    let mut report = transfer.report(cancel.is_cancelled()).await;
    report.took = began.elapsed();
    Ok(report)
}

fn nothing_done(cancelled: bool) -> DownloadReport {
    DownloadReport {
        downloaded: Vec::new(),
        matched: 0,
        unchanged: 0,
        unverified: 0,
        failures: Vec::new(),
        unfinished: 0,
        cancelled,
        deleted: Vec::new(),
        not_deleted: Vec::new(),
        fingerprint: crate::shard::Fingerprint::default(),
        slowest: Vec::new(),
        took: Duration::ZERO,
    }
}

struct Transfer<'a> {
    progress: &'a dyn Progress,
    job: Arc<Job>,
    done: TransferProgress,
    report: DownloadReport,
    failures: Vec<Failure>,
    slowest: Slowest,
}

impl<'a> Transfer<'a> {
    fn new(progress: &'a dyn Progress, job: Arc<Job>) -> Self {
        let mut report = nothing_done(false);
        report.matched = job.plan.in_all;
        report.fingerprint = job.plan.fingerprint;
        let done = TransferProgress {
            files_total: job.plan.objects.len(),
            bytes_total: job.plan.bytes(),
            ..TransferProgress::default()
        };
        Self { progress, job, done, report, failures: Vec::new(), slowest: Slowest::default() }
    }

    async fn run(&mut self, mut received: mpsc::UnboundedReceiver<u64>) {
        // The largest first: what is left at the end is then short.
        let mut order: Vec<usize> = (0..self.job.plan.objects.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(self.job.plan.objects[*index].bytes));
        let (mut waiting, mut tasks) = (order.into_iter(), JoinSet::new());
        let at_once = self.job.plan.options.limits.parallelism.get();
        loop {
            while tasks.len() < at_once && !self.job.stop.is_cancelled() {
                let Some(index) = waiting.next() else { break };
                tasks.spawn(download_object(Arc::clone(&self.job), index));
            }
            tokio::select! {
                Some(bytes) = received.recv() => self.done.bytes_done += bytes,
                finished = tasks.join_next() => match finished {
                    Some(outcome) => self.finish(joined(outcome)),
                    None => break,
                },
            }
            self.progress.advanced(self.done);
        }
        while let Ok(bytes) = received.try_recv() {
            self.done.bytes_done += bytes;
        }
        self.progress.advanced(self.done);
    }

    fn finish(&mut self, outcome: ObjectOutcome) {
        let object = &self.job.plan.objects[outcome.index];
        match outcome.result {
            Err(Stop::Cancelled) => return,
            Err(Stop::Failed(reason)) => {
                if reason.concerns_all() {
                    self.job.stop.cancel();
                }
                self.failures.push(Failure { path: object.key.to_string(), reason });
            }
            Ok(Done::Unchanged) => {
                self.report.unchanged += 1;
                self.done.bytes_done += object.bytes;
            }
            Ok(Done::Downloaded { verified }) => {
                self.report.unverified += usize::from(!verified);
                let (path, bytes, took) = (&object.key, object.bytes, outcome.took);
                self.slowest.add(took, || Slow { path: path.to_string(), bytes, took });
                self.report.downloaded.push(DownloadedObject { key: Arc::clone(path), bytes });
            }
        }
        self.done.files_done += 1;
    }

    async fn report(mut self, cancelled: bool) -> DownloadReport {
        let planned = self.job.plan.objects.len();
        let ended = self.report.downloaded.len() + self.report.unchanged + self.failures.len();
        self.report.unfinished = planned - ended;
        self.report.cancelled = cancelled;
        self.failures.sort_by(|one, other| one.path.cmp(&other.path));
        self.report.failures = self.job.plan.failures.iter().cloned().chain(self.failures).collect();
        self.report.downloaded.sort_by(|one, other| one.key.cmp(&other.key));
        self.report.slowest = self.slowest.into_vec();
        let options = &self.job.plan.options;
        let deletes = options.delete_removed.is_some() && options.shard.is_none_or(|shard| shard.is_last());
        if deletes && self.report.is_complete() {
            let job = Arc::clone(&self.job);
            (self.report.deleted, self.report.not_deleted) =
                blocking(move || removed::delete_removed(&job.plan, &job.root)).await;
        }
        self.report
    }
}
