use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use causeway_agent::{Console, InputError, Inputs};
use causeway_transfer::{
    BucketState, CacheControl, Encryption, ObjectSettings, PatternList, SseCustomerKey, TransferProgress,
    UploadError, UploadOptions, UploadPlan, UploadReport, upload,
};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "s3Upload";

/// So many objects or failures are listed by name; beyond that the log would be a flood.
const LISTED: usize = 200;

/// So many failures stand in the error itself.
const NAMED: usize = 10;

/// Uploads the files of a folder.
struct S3Upload {
    plan: UploadPlan,
    bucket: String,
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
    let inputs = step.inputs();
    inputs.required("bucketName")?;
    let bucket = inputs.parsed("bucketName")?.context("input bucketName is required")?;
    let mut options = UploadOptions::new(bucket, source_folder(step)?)?;
    let patterns = inputs.lines("globExpressions");
    if !patterns.is_empty() {
        options.patterns = PatternList::parse(patterns).context("input globExpressions")?;
    }
    options.target_folder = inputs.parsed("targetFolder")?.unwrap_or_default();
    options.flatten_folders = inputs.flag("flattenFolders", false)?;
    options.create_bucket = inputs.flag("createBucket", false)?;
    options.path_style = inputs.flag("forcePathStyleAddressing", false)?;
    options.settings = settings(step)?;
    if let Some(parallelism) = inputs.parsed("parallelism")? {
        options.limits.parallelism = parallelism;
    }
    let bucket = options.bucket.as_str().to_owned();
    Ok(Box::new(S3Upload { plan: UploadPlan::build(options)?, bucket }))
}

/// Input `sourceFolder`, or the folder that the agent starts scripts in.
fn source_folder(step: &Step) -> Result<PathBuf> {
    let given = step.inputs().text("sourceFolder");
    let folder = given.or_else(|| step.variables().public("System.DefaultWorkingDirectory"));
    Ok(PathBuf::from(folder.ok_or(InputError::Missing { name: "sourceFolder", context: "" })?))
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
        KeyManagement::CustomerManaged => {
            let key = inputs.required_with("customerKey", " with keyManagement customerManaged")?;
            let key = SecretString::from(key);
            step.console().mask(&key);
            Encryption::CustomerKey(SseCustomerKey::from_hex(&key).context("input customerKey")?)
        }
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

    async fn execute(&self, step: &Step, signed_in: &SignedIn, cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        if self.plan.is_empty() {
            console.warning("No file matches globExpressions; nothing was uploaded.");
        }
        let progress = Progress::new(console);
        let report = upload(&signed_in.config, &self.plan, &|now| progress.tell(now), cancel)
            .await
            .map_err(explained)?;
        tell(console, &self.bucket, &report);
        let place = format!("s3://{}", self.bucket);
        step.summary().objects("Uploaded", &place, report.uploaded.len(), report.uploaded_bytes());
        console.set_output("uploadedCount", &report.uploaded.len().to_string());
        console.set_output("uploadedBytes", &report.uploaded_bytes().to_string());
        if report.is_complete() { Ok(()) } else { Err(failure(&self.plan, &report)) }
    }
}

fn explained(error: UploadError) -> anyhow::Error {
    let advice = match &error {
        UploadError::NoBucket(_) => "; set createBucket to have it made, or check bucketName",
        UploadError::OtherRegion { .. } => "; give that region in input regionName",
        _ => "",
    };
    anyhow!("{error}{advice}")
}

fn tell(console: &Console, bucket: &str, report: &UploadReport) {
    match report.bucket {
        BucketState::Created => console.info(&format!("Created bucket {bucket}")),
        BucketState::NotAllowedToLook => {
            console.info("These credentials may not look at the bucket; the objects were sent all the same");
        }
        _ => {}
    }
    for object in report.uploaded.iter().take(LISTED) {
        console
            .info(&format!("{} -> s3://{bucket}/{} ({} bytes)", object.relative, object.key, object.bytes));
    }
    if let Some(more) = report.uploaded.len().checked_sub(LISTED).filter(|more| *more > 0) {
        console.info(&format!("and {more} more"));
    }
    for failed in report.failures.iter().take(LISTED) {
        console.info(&format!("FAILED {failed}"));
    }
    for open in &report.left_open {
        let (key, id) = (&open.key, &open.upload_id);
        console.warning(&format!(
            "The parts of {key} (upload {id}) could not be removed: {}. Abort that multipart upload, or give the bucket a lifecycle rule that does.",
            open.reason
        ));
    }
    console.info(&format!("Uploaded {} files, {} bytes", report.uploaded.len(), report.uploaded_bytes()));
}

/// What the step fails with: how many, which, and why.
fn failure(plan: &UploadPlan, report: &UploadReport) -> anyhow::Error {
    if report.cancelled {
        return anyhow!("the upload was cancelled after {} files", report.uploaded.len());
    }
    let all = plan.objects().len() + plan.failures().len();
    let missing = report.failures.len() + report.unfinished;
    let named: Vec<String> = report.failures.iter().take(NAMED).map(ToString::to_string).collect();
    let more = missing.saturating_sub(named.len());
    let more =
        if more > 0 { format!("; and {more} more, listed in the log or not tried") } else { String::new() };
    anyhow!("{missing} of {all} files did not arrive: {}{more}", named.join("; "))
}

/// One line and one percentage every few seconds.
struct Progress<'a> {
    console: &'a Console,
    last: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    const PAUSE: Duration = Duration::from_secs(5);

    fn new(console: &'a Console) -> Self {
        Self { console, last: Mutex::new(Instant::now()) }
    }

    fn tell(&self, now: TransferProgress) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < Self::PAUSE {
            return;
        }
        *last = Instant::now();
        let percent = (now.bytes_done * 100).checked_div(now.bytes_total).unwrap_or(100).min(100);
        self.console.progress(u8::try_from(percent).unwrap_or(100));
        self.console.info(&format!(
            "{} of {} files, {} of {} bytes",
            now.files_done, now.files_total, now.bytes_done, now.bytes_total
        ));
    }
}
