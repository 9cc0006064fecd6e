//! Carries out a plan.

mod ahead;
mod file;
mod job;
mod leftovers;
mod multipart;
mod others;
mod tally;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_types::SdkConfig;
use causeway_types::ServiceError;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::budget::BufferBudget;
use crate::failure::Failure;
use crate::journal::Journal;
use crate::listing::{Listed, list};
use crate::plan::UploadPlan;
use crate::prepare::{BucketState, UploadError, prepare_bucket};
use crate::progress::Progress;
use crate::removed::{Existing, delete_keys, sort_out};
use crate::report::UploadReport;
use crate::store::{Store, client};
use crate::wire::{Flow, Route};
use ahead::{Waiting, read_ahead};
use file::{FileOutcome, upload_large, upload_read};
use job::{Job, Task};
pub(crate) use job::{Stop, joined};
use leftovers::abort_leftovers;
use others::missing_of_others;
use tally::Tally;

/// Large files under way at the same time. Their parts are sent side by side anyway.
const LARGE_AT_ONCE: usize = 16;
/// Files that go in one request but are not held in memory under way at the same time: each takes a thread.
const MIDDLE_AT_ONCE: usize = 64;

/// What became of small files is noted in this rhythm.
const NOTING: Duration = Duration::from_millis(4);

/// Uploads what was planned.
///
/// A file that fails stops no other; the report names it. Only what would fail every file alike, such as
/// expired credentials, ends the transfer early: the report counts what was not tried. Objects without a file
/// are deleted last, and only if everything has arrived: with slices what the others have planned too.
///
/// After `cancel` no further file or part is begun, requests under way are dropped, open multipart uploads
/// are aborted, and the report tells how far it came. Cancel that way: dropping the future instead leaves
/// open multipart uploads in the bucket.
///
/// # Errors
/// The bucket is missing, elsewhere, or could not be looked at, listed or made; then nothing was uploaded.
pub async fn upload(
    config: &SdkConfig,
    route: &Route,
    plan: &UploadPlan,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<UploadReport, UploadError> {
    let began = Instant::now();
    let client = client(config, plan.options.path_style, &plan.options.limits);
    let prepared = async {
        // First, because it says what must not be sent, and sends nothing itself.
        let store = open(&client, config, route, plan).await?;
        let (bucket, existing) = prepare(&client, plan).await?;
        Ok((store, bucket, existing))
    };
    let (store, bucket, existing) = tokio::select! {
        biased;
        () = cancel.cancelled() => return Ok(Tally::of(plan).cancelled_before(plan)),
        prepared = prepared => prepared?,
    };
    let (sender, sent) = mpsc::unbounded_channel();
    let mut tally = Tally::of(plan);
    let place = store.wire().place(plan.bucket().as_str());
    tally.cleaned_up = abort_leftovers(&store, plan, &place, cancel).await;
    let job = Arc::new(Job {
        plan: plan.clone(),
        store,
        budget: BufferBudget::new(plan.options.limits.buffered_bytes),
        stop: cancel.child_token(),
        existing: existing.same_size,
        journal: Journal::new(&plan.options.journal_folders),
        place,
        sent: sender,
    });
    job.store.wire().pace.expect(plan.bytes() / plan.count().max(1) as u64);
    let mut transfer = Transfer { progress, tally, job };
    transfer.run(sent).await;
    let Transfer { tally, job, .. } = transfer;
    let mut report = tally.report(&job, bucket, cancel.is_cancelled());
    delete(&client, plan, existing.removed, &mut report, cancel).await;
    report.took = began.elapsed();
    Ok(report)
}

/// Deletes what has no file any more, if all is in the bucket that this slice and the others have planned.
async fn delete(
    client: &Client,
    plan: &UploadPlan,
    removed: Vec<String>,
    report: &mut UploadReport,
    cancel: &CancellationToken,
) {
    report.kept_though_removed = removed.len();
    if !report.is_complete() || removed.is_empty() {
        return;
    }
    if !plan.others.is_empty() {
        match missing_of_others(client, plan, cancel).await {
            Ok(missing) => report.missing_of_others = missing,
            Err(error) => report.not_deleted = vec![unlisted(plan, error)],
        }
        report.cancelled = cancel.is_cancelled();
        if !report.is_complete() {
            return;
        }
    }
    let all = removed.len();
    (report.deleted, report.not_deleted) = delete_keys(client, plan.bucket().as_str(), removed, cancel).await;
    report.kept_though_removed = all - report.deleted.len() - report.not_deleted.len();
    report.cancelled = report.kept_though_removed > 0;
}

fn unlisted(plan: &UploadPlan, error: ServiceError) -> Failure {
    Failure { path: plan.options.target_folder.to_string(), reason: error.into() }
}

async fn prepare(client: &Client, plan: &UploadPlan) -> Result<(BucketState, Existing), UploadError> {
    let options = &plan.options;
    let state = prepare_bucket(client, plan.bucket(), options.create_bucket).await?;
    let deletes = options.delete_removed.is_some() && options.shard.is_none_or(|shard| shard.is_last());
    if !(options.only_changed || deletes) || state == BucketState::Created {
        return Ok((state, Existing::none(plan)));
    }
    let mut existing = Existing::none(plan);
    let prefix = options.target_folder.prefix();
    let listed = list(client, plan.bucket().as_str(), &prefix, |object: Listed| {
        sort_out(plan, object, deletes, &mut existing);
    });
    listed.await.map_err(|source| UploadError::List { bucket: plan.bucket().clone(), source })?;
    Ok((state, existing))
}

async fn open(
    client: &Client,
    config: &SdkConfig,
    route: &Route,
    plan: &UploadPlan,
) -> Result<Store, UploadError> {
    let options = &plan.options;
    let bucket = plan.bucket();
    Store::open(client.clone(), config, route, bucket.as_str(), &options.settings, &options.limits, Flow::Up)
        .await
        .map_err(|source| UploadError::Endpoint { bucket: bucket.clone(), source })
}

struct Transfer<'a> {
    progress: &'a dyn Progress,
    tally: Tally,
    job: Arc<Job>,
}

/// Sends one small file after the other.
async fn lane(job: Arc<Job>, ahead: Arc<Mutex<Waiting>>, done: mpsc::UnboundedSender<FileOutcome>) {
    loop {
        let next = ahead.lock().await.next().await;
        let Some(ahead) = next else { return };
        let task = Task { job: Arc::clone(&job), index: ahead.index };
        // Nobody listens any more only when the transfer was dropped.
        if done.send(upload_read(task, ahead).await).is_err() {
            return;
        }
    }
}

/// What waits for its turn.
struct Queue {
    large: VecDeque<usize>,
    large_under_way: usize,
    /// What sends small files, and what became of them.
    lanes: JoinSet<()>,
    small_done: mpsc::UnboundedReceiver<FileOutcome>,
}

impl Transfer<'_> {
    async fn run(&mut self, mut sent: mpsc::UnboundedReceiver<u64>) {
        let mut queue = self.queue();
        let mut tasks = JoinSet::new();
        let mut has_lanes = true;
        loop {
            self.start_large(&mut queue, &mut tasks);
            tokio::select! {
                Some(bytes) = sent.recv() => self.tally.done.bytes_done += bytes,
                Some(outcome) = tasks.join_next() => {
                    queue.large_under_way -= 1;
                    self.finish(joined(outcome));
                }
                outcome = queue.small_done.recv(), if has_lanes => match outcome {
                    Some(outcome) => {
                        self.finish(outcome);
                        while let Ok(outcome) = queue.small_done.try_recv() {
                            self.finish(outcome);
                        }
                        if tasks.is_empty() && queue.large.is_empty() {
                            // Being woken for every single file costs more than noting it.
                            tokio::time::sleep(NOTING).await;
                        }
                    }
                    None => has_lanes = false,
                },
                else => break,
            }
            if tasks.is_empty() && !has_lanes && (queue.large.is_empty() || self.job.stop.is_cancelled()) {
                break;
            }
            self.progress.advanced(self.tally.done);
        }
        while let Some(lane) = queue.lanes.join_next().await {
            joined(lane);
        }
        while let Ok(bytes) = sent.try_recv() {
            self.tally.done.bytes_done += bytes;
        }
        self.progress.advanced(self.tally.done);
    }

    /// Large files go first, the largest at the head: what is left at the end is then short.
    fn queue(&self) -> Queue {
        let files = &self.job.plan.files;
        let in_memory = self.job.plan.options.limits.largest_buffer;
        let (mut large, small): (Vec<_>, Vec<_>) =
            (0..files.len()).partition(|index| files[*index].bytes > in_memory);
        large.sort_by_key(|index| std::cmp::Reverse(files[*index].bytes));
        let at_once = self.job.plan.options.limits.parallelism.get().min(small.len());
        let ahead = Arc::new(Mutex::new(read_ahead(&self.job, small)));
        let (sender, small_done) = mpsc::unbounded_channel();
        let mut lanes = JoinSet::new();
        for _ in 0..at_once {
            lanes.spawn(lane(Arc::clone(&self.job), Arc::clone(&ahead), sender.clone()));
        }
        Queue { large: large.into(), large_under_way: 0, lanes, small_done }
    }

    fn start_large(&self, queue: &mut Queue, tasks: &mut JoinSet<FileOutcome>) {
        let limits = &self.job.plan.options.limits;
        while let Some(index) = queue.large.front().copied() {
            let in_parts = self.job.plan.files[index].bytes > limits.multipart_threshold;
            let at_once = if in_parts { LARGE_AT_ONCE } else { MIDDLE_AT_ONCE };
            if queue.large_under_way >= at_once.min(limits.parallelism.get()) || self.job.stop.is_cancelled()
            {
                return;
            }
            queue.large.pop_front();
            queue.large_under_way += 1;
            let task = Task { job: Arc::clone(&self.job), index };
            tasks.spawn(upload_large(task));
        }
    }

    fn finish(&mut self, outcome: FileOutcome) {
        if self.tally.add(&self.job.plan, outcome) {
            self.job.stop.cancel();
        }
    }
}
