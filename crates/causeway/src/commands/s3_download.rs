use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use causeway_agent::Console;
use causeway_transfer::{DownloadError, DownloadOptions, DownloadReport, UploadError, download};
use causeway_types::ServiceErrorKind;
use tokio_util::sync::CancellationToken;

use super::{Command, s3};
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "s3Download";

/// Downloads the objects of a bucket into a folder.
struct S3Download {
    options: DownloadOptions,
}

#[derive(Clone, Copy)]
enum KeyManagement {
    /// S3 needs to be told nothing.
    NoneOrAwsManaged,
    CustomerManaged,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    inputs.required("bucketName")?;
    let bucket = inputs.parsed("bucketName")?.context("input bucketName is required")?;
    let mut options = DownloadOptions::new(bucket, s3::local_folder(step, "targetFolder")?)?;
    if let Some(patterns) = s3::patterns(&inputs)? {
        options.patterns = patterns;
    }
    options.source_folder = inputs.parsed("sourceFolder")?.unwrap_or_default();
    options.flatten_folders = inputs.flag("flattenFolders", false)?;
    options.overwrite = inputs.flag("overwrite", true)?;
    options.path_style = inputs.flag("forcePathStyleAddressing", false)?;
    options.only_changed = inputs.flag("onlyChanged", false)?;
    options.delete_removed = s3::delete_removed(&inputs)?;
    options.shard = s3::shard(step)?;
    // The names of uploads are understood too: one input serves both commands.
    let managements = [
        ("noneOrAWSManaged", KeyManagement::NoneOrAwsManaged),
        ("none", KeyManagement::NoneOrAwsManaged),
        ("awsManaged", KeyManagement::NoneOrAwsManaged),
        ("customerManaged", KeyManagement::CustomerManaged),
    ];
    if let Some(KeyManagement::CustomerManaged) = inputs.choice("keyManagement", &managements)? {
        options.customer_key = Some(s3::customer_key(step)?);
    }
    if let Some(parallelism) = s3::parallelism(&inputs)? {
        options.limits.parallelism = parallelism;
    }
    Ok(Box::new(S3Download { options }))
}

#[async_trait]
impl Command for S3Download {
    fn name(&self) -> &'static str {
        NAME
    }

    fn winds_down(&self) -> bool {
        true
    }

    fn outlives_sessions(&self) -> bool {
        true
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        let progress = s3::Progress::new(console);
        let (config, route) = (&signed_in.config, &signed_in.objects);
        let note = |now| progress.note(now);
        let work = download(config, route, &self.options, &note, cancel);
        let report = progress.beside(work).await.map_err(explained)?;
        self.tell(console, &report);
        let place = format!("s3://{}/{}", self.options.bucket, self.options.source_folder);
        step.summary().objects("Downloaded", &place, report.downloaded.len(), report.downloaded_bytes());
        console.set_output("downloadedCount", &report.downloaded.len().to_string());
        console.set_output("downloadedBytes", &report.downloaded_bytes().to_string());
        if self.options.delete_removed.is_some() {
            console.set_output("deletedCount", &report.deleted.len().to_string());
            step.summary().deleted(report.deleted.len());
        }
        if report.is_complete() { Ok(()) } else { Err(failure(&report)) }
    }
}

impl S3Download {
    fn tell(&self, console: &Console, report: &DownloadReport) {
        let bucket = &self.options.bucket;
        if report.matched == 0 && !report.cancelled {
            console.warning("No object matches globExpressions; nothing was downloaded.");
        }
        let mine = report.downloaded.len() + report.unchanged + report.failures.len() + report.unfinished;
        s3::tell_shard(console, self.options.shard, mine, report.matched, report.fingerprint);
        s3::tell_list(
            console,
            report
                .downloaded
                .iter()
                .map(|object| format!("s3://{bucket}/{} ({})", object.key, s3::size(object.bytes))),
        );
        s3::tell_failures(console, &report.failures);
        s3::tell_list(console, report.deleted.iter().map(|path| format!("deleted {path}")));
        s3::tell_failures(console, &report.not_deleted);
        s3::tell_slowest(console, &report.slowest);
        if report.unverified > 0 {
            let count = report.unverified;
            console.info(&format!(
                "S3 keeps no checksum of the whole content of {count} objects; their length was checked"
            ));
        }
        let (count, bytes) = (report.downloaded.len(), report.downloaded_bytes());
        let unchanged = if self.options.only_changed {
            format!(", {} unchanged", report.unchanged)
        } else {
            String::new()
        };
        let deleted = if self.options.delete_removed.is_some() {
            format!(", {} deleted", report.deleted.len())
        } else {
            String::new()
        };
        console.info(&format!(
            "Downloaded {count} files, {bytes} bytes{unchanged}{deleted} in {}",
            s3::speed(bytes, report.took)
        ));
    }
}

fn explained(error: DownloadError) -> anyhow::Error {
    let advice = match &error {
        DownloadError::Bucket(UploadError::NoBucket(_)) => "; check bucketName",
        DownloadError::Bucket(UploadError::OtherRegion { .. }) => "; give that region in input regionName",
        DownloadError::List { source, .. } if source.kind() == ServiceErrorKind::Refused => {
            "; a download needs the right s3:ListBucket"
        }
        DownloadError::Exists { .. } => "; set overwrite to have them replaced",
        DownloadError::EmptySource(_) => "; if that is meant, set deleteWhenEmpty",
        DownloadError::WholeFolder(_) => "; give a sourceFolder, or if that is meant, set deleteInBucketRoot",
        DownloadError::FlatPatterns => s3::FLAT_PATTERNS,
        _ => "",
    };
    anyhow!("{error}{advice}")
}

/// What the step fails with: how many, which, and why.
fn failure(report: &DownloadReport) -> anyhow::Error {
    if report.cancelled {
        return anyhow!("the download was cancelled after {} files", report.downloaded.len());
    }
    let missing = report.failures.len() + report.unfinished;
    if missing == 0 {
        let count = report.not_deleted.len();
        return anyhow!("{count} files could not be deleted: {}", s3::named(&report.not_deleted, count));
    }
    let all = report.downloaded.len() + report.unchanged + missing;
    anyhow!("{missing} of {all} objects were not downloaded: {}", s3::named(&report.failures, missing))
}
