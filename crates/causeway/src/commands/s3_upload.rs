use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use causeway_agent::{Console, Inputs};
use causeway_transfer::{
    BucketState, CacheControl, Encryption, Metadata, ObjectSettings, ObjectTags, PlanError, UploadError,
    UploadOptions, UploadPlan, UploadReport, upload,
};
use causeway_types::ServiceErrorKind;
use tokio_util::sync::CancellationToken;

use super::{Command, s3};
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "s3Upload";

/// Uploads the files of a folder.
struct S3Upload {
    plan: UploadPlan,
    options: UploadOptions,
}

#[derive(Clone, Copy)]
enum KeyManagement {
    None,
    AwsManaged,
    CustomerManaged,
}

#[derive(Clone, Copy)]
enum Algorithm {
    Kms,
    Aes256,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let options = options(step)?;
    let plan = UploadPlan::build(options.clone()).map_err(explained_plan)?;
    Ok(Box::new(S3Upload { plan, options }))
}

fn options(step: &Step) -> Result<UploadOptions> {
    let inputs = step.inputs();
    inputs.required("bucketName")?;
    let bucket = inputs.parsed("bucketName")?.context("input bucketName is required")?;
    let mut options = UploadOptions::new(bucket, s3::local_folder(step, "sourceFolder")?)?;
    if let Some(patterns) = s3::patterns(&inputs)? {
        options.patterns = patterns;
    }
    options.target_folder = inputs.parsed("targetFolder")?.unwrap_or_default();
    options.flatten_folders = inputs.flag("flattenFolders", false)?;
    options.create_bucket = inputs.flag("createBucket", false)?;
    options.path_style = inputs.flag("forcePathStyleAddressing", false)?;
    options.follow_symlinks = inputs.flag("followSymlinks", true)?;
    options.only_changed = inputs.flag("onlyChanged", false)?;
    options.delete_removed = s3::delete_removed(&inputs)?;
    options.shard = s3::shard(step)?;
    options.settings = settings(step)?;
    options.journal_folders = s3::journal_folders(step);
    if let Some(parallelism) = s3::parallelism(&inputs)? {
        options.limits.parallelism = parallelism;
    }
    Ok(options)
}

fn settings(step: &Step) -> Result<ObjectSettings> {
    let inputs = step.inputs();
    let mut settings = ObjectSettings::default();
    settings.acl = inputs.parsed("filesAcl")?.unwrap_or_default();
    settings.storage_class = inputs.parsed("storageClass")?.unwrap_or_default();
    settings.encryption = encryption(step, &inputs)?;
    settings.content_type = inputs.parsed("contentType")?;
    settings.content_encoding = inputs.parsed("contentEncoding")?;
    settings.cache_control =
        CacheControl::parse(inputs.lines("cacheControl")).context("input cacheControl")?;
    settings.metadata = Metadata::parse(inputs.lines("metadata")).context("input metadata")?;
    settings.tags = ObjectTags::parse(inputs.lines("objectTags")).context("input objectTags")?;
    Ok(settings)
}

fn encryption(step: &Step, inputs: &Inputs<'_>) -> Result<Encryption> {
    let managements = [
        ("none", KeyManagement::None),
        ("awsManaged", KeyManagement::AwsManaged),
        ("customerManaged", KeyManagement::CustomerManaged),
    ];
    let algorithms = [("KMS", Algorithm::Kms), ("AES256", Algorithm::Aes256)];
    Ok(match inputs.choice("keyManagement", &managements)?.unwrap_or(KeyManagement::None) {
        KeyManagement::None => Encryption::BucketDefault,
        KeyManagement::AwsManaged => {
            match inputs.choice("encryptionAlgorithm", &algorithms)?.unwrap_or(Algorithm::Kms) {
                Algorithm::Kms => Encryption::Kms { key: inputs.parsed("kmsMasterKeyId")? },
                Algorithm::Aes256 => Encryption::S3Managed,
            }
        }
        KeyManagement::CustomerManaged => Encryption::CustomerKey(s3::customer_key(step)?),
    })
}

#[async_trait]
impl Command for S3Upload {
    fn name(&self) -> &'static str {
        NAME
    }

    fn threads(&self) -> usize {
        2
    }

    fn winds_down(&self) -> bool {
        true
    }

    fn outlives_sessions(&self) -> bool {
        true
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, cancel: &CancellationToken) -> Result<()> {
        let (console, plan) = (step.console(), &self.plan);
        if plan.is_empty() {
            console.warning("No file matches globExpressions; nothing was uploaded.");
        }
        s3::tell_shard(console, self.options.shard, plan.count(), plan.matched(), plan.fingerprint());
        let progress = s3::Progress::new(console);
        let note = |now| progress.note(now);
        let work = upload(&signed_in.config, &signed_in.objects, plan, &note, cancel);
        let report = progress.beside(work).await.map_err(explained)?;
        self.tell(console, &report);
        let place = format!("s3://{}", self.options.bucket);
        step.summary().objects("Uploaded", &place, report.uploaded.len(), report.uploaded_bytes());
        console.set_output("uploadedCount", &report.uploaded.len().to_string());
        console.set_output("uploadedBytes", &report.uploaded_bytes().to_string());
        if self.options.delete_removed.is_some() {
            console.set_output("deletedCount", &report.deleted.len().to_string());
            step.summary().deleted(report.deleted.len());
        }
        if report.is_complete() { Ok(()) } else { Err(failure(plan, &report)) }
    }
}

impl S3Upload {
    fn tell(&self, console: &Console, report: &UploadReport) {
        let bucket = &self.options.bucket;
        tell_beginning(console, bucket.as_str(), report);
        s3::tell_list(
            console,
            report.uploaded.iter().map(|object| {
                format!("{} -> s3://{bucket}/{} ({})", object.relative, object.key(), s3::size(object.bytes))
            }),
        );
        s3::tell_failures(console, &report.failures);
        for open in &report.left_open {
            let (key, id) = (&open.key, &open.upload_id);
            console.warning(&format!(
                "The parts of {key} (upload {id}) could not be removed: {}. Abort that multipart upload, or give the bucket a lifecycle rule that does.",
                open.reason
            ));
        }
        s3::tell_list(console, report.deleted.iter().map(|key| format!("deleted s3://{bucket}/{key}")));
        s3::tell_failures(console, &report.not_deleted);
        if report.kept_though_removed > 0 {
            let count = report.kept_though_removed;
            console.warning(&format!(
                "Not everything arrived, or the step was cancelled: {count} objects without a file were kept."
            ));
        }
        s3::tell_slowest(console, &report.slowest);
        let (count, bytes) = (report.uploaded.len(), report.uploaded_bytes());
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
            "Uploaded {count} files, {bytes} bytes{unchanged}{deleted} in {}",
            s3::speed(bytes, report.took)
        ));
    }
}

fn tell_beginning(console: &Console, bucket: &str, report: &UploadReport) {
    match report.bucket {
        BucketState::Created => console.info(&format!("Created bucket {bucket}")),
        BucketState::NotAllowedToLook => {
            console.info("These credentials may not look at the bucket; the objects were sent all the same");
        }
        _ => {}
    }
    if report.cleaned_up > 0 {
        let count = report.cleaned_up;
        console.info(&format!(
            "Removed {count} multipart uploads that an earlier run of this job had left when it was killed"
        ));
    }
}

fn explained_plan(error: PlanError) -> anyhow::Error {
    let advice = match &error {
        PlanError::EmptySource(_) => "; if that is meant, set deleteWhenEmpty",
        PlanError::WholeBucket(_) => "; give a targetFolder, or if that is meant, set deleteInBucketRoot",
        PlanError::SameKey { .. } => "; rename one of them, or do not set flattenFolders",
        PlanError::TooManyThroughLinks { .. } => {
            "; exclude those folders in globExpressions, or set followSymlinks to false"
        }
        PlanError::FlatPatterns => s3::FLAT_PATTERNS,
        PlanError::SourceFolder { .. } => "; check input sourceFolder",
    };
    anyhow!("{error}{advice}")
}

fn explained(error: UploadError) -> anyhow::Error {
    let advice = match &error {
        UploadError::NoBucket(_) => "; set createBucket to have it made, or check bucketName",
        UploadError::OtherRegion { .. } => "; give that region in input regionName",
        UploadError::List { source, .. } if source.kind() == ServiceErrorKind::Refused => {
            "; onlyChanged and deleteRemoved need the right s3:ListBucket"
        }
        _ => "",
    };
    anyhow!("{error}{advice}")
}

/// What the step fails with: how many, which, and why.
fn failure(plan: &UploadPlan, report: &UploadReport) -> anyhow::Error {
    if report.cancelled {
        return anyhow!("the upload was cancelled after {} files", report.uploaded.len());
    }
    let all = plan.count() + plan.failures().len();
    let missing = report.failures.len() + report.unfinished;
    if missing == 0 && !report.missing_of_others.is_empty() {
        let count = report.missing_of_others.len();
        return anyhow!(
            "nothing was deleted, because {count} files of other slices are not in the bucket: {}; when the other jobs are done, run this one again",
            s3::first_of(&report.missing_of_others)
        );
    }
    if missing == 0 && !report.not_deleted.is_empty() {
        let count = report.not_deleted.len();
        return anyhow!("{count} objects could not be deleted: {}", s3::named(&report.not_deleted, count));
    }
    if missing == 0 {
        return anyhow!("everything arrived, but parts of earlier attempts were left in the bucket");
    }
    anyhow!("{missing} of {all} files did not arrive: {}", s3::named(&report.failures, missing))
}
