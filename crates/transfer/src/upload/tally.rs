use std::sync::Arc;
use std::time::Duration;

use super::file::{Done, FileOutcome};
use super::job::{Job, Stop};
use crate::failure::Failure;
use crate::plan::UploadPlan;
use crate::prepare::BucketState;
use crate::progress::TransferProgress;
use crate::report::{LeftOpen, Slow, Slowest, UploadReport, UploadedObject};

/// What has happened so far.
pub(super) struct Tally {
    pub(super) done: TransferProgress,
    pub(super) cleaned_up: usize,
    uploaded: Vec<UploadedObject>,
    unchanged: usize,
    failures: Vec<Failure>,
    left_open: Vec<LeftOpen>,
    slowest: Slowest,
}

impl Tally {
    pub(super) fn of(plan: &UploadPlan) -> Self {
        let files_total = plan.count();
        let done = TransferProgress { files_total, bytes_total: plan.bytes(), ..TransferProgress::default() };
        Self {
            done,
            cleaned_up: 0,
            uploaded: Vec::with_capacity(files_total),
            unchanged: 0,
            failures: Vec::new(),
            left_open: Vec::new(),
            slowest: Slowest::default(),
        }
    }

    /// Notes what became of a file; whether it is something that would become of all others too.
    pub(super) fn add(&mut self, plan: &UploadPlan, outcome: FileOutcome) -> bool {
        let file = &plan.files[outcome.index];
        self.left_open.extend(outcome.left_open);
        match outcome.result {
            Ok(done @ (Done::Uploaded(bytes) | Done::UploadedInParts(bytes))) => {
                if matches!(done, Done::Uploaded(_)) {
                    self.done.bytes_done += bytes;
                }
                let relative = Arc::clone(&file.relative);
                let took = outcome.took;
                self.slowest.add(took, || Slow { path: relative.to_string(), bytes, took });
                self.uploaded.push(UploadedObject::new(relative, bytes, Arc::clone(&plan.keys)));
            }
            Ok(Done::Unchanged) => {
                self.unchanged += 1;
                self.done.bytes_done += file.bytes;
            }
            Err(Stop::Failed(reason)) => {
                let is_fatal = reason.concerns_all();
                self.failures.push(Failure { path: file.relative.to_string(), reason });
                self.done.files_done += 1;
                return is_fatal;
            }
            Err(Stop::Cancelled) => return false,
        }
        self.done.files_done += 1;
        false
    }

    pub(super) fn cancelled_before(self, plan: &UploadPlan) -> UploadReport {
        self.finished(plan, BucketState::NotLookedAt, true)
    }

    pub(super) fn report(self, job: &Job, bucket: BucketState, cancelled: bool) -> UploadReport {
        let mut report = self.finished(&job.plan, bucket, cancelled);
        report.peak_buffered_bytes = job.budget.peak();
        report
    }

    fn finished(mut self, plan: &UploadPlan, bucket: BucketState, cancelled: bool) -> UploadReport {
        let unfinished = plan.count() - self.uploaded.len() - self.unchanged - self.failures.len();
        self.failures.sort_by(|one, other| one.path.cmp(&other.path));
        self.uploaded.sort_by(|one, other| one.relative.cmp(&other.relative));
        UploadReport {
            bucket,
            uploaded: self.uploaded,
            unchanged: self.unchanged,
            failures: plan.failures().iter().cloned().chain(self.failures).collect(),
            unfinished,
            cancelled,
            left_open: self.left_open,
            cleaned_up: self.cleaned_up,
            deleted: Vec::new(),
            not_deleted: Vec::new(),
            kept_though_removed: 0,
            missing_of_others: Vec::new(),
            slowest: self.slowest.into_vec(),
            took: Duration::ZERO,
            peak_buffered_bytes: 0,
        }
    }
}
