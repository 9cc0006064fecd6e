use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::bucket::BucketName;
use crate::failure::{Failure, FailureReason, ReadError};
use crate::glob::{InvalidPattern, PatternList};
use crate::key::{MAX_KEY_BYTES, TargetFolder};
use crate::limits::TransferLimits;
use crate::parts::MAX_OBJECT_BYTES;
use crate::settings::ObjectSettings;
use crate::source::{Found, SourceFile, walk};

/// What to upload, whereto and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UploadOptions {
    /// The bucket.
    pub bucket: BucketName,
    /// The folder whose files are uploaded.
    pub source_folder: PathBuf,
    /// Which of them; all by default.
    pub patterns: PatternList,
    /// The folder in the bucket; its top by default.
    pub target_folder: TargetFolder,
    /// Whether keys are made of the file's name alone, without the folders it lies in.
    pub flatten_folders: bool,
    /// Whether a bucket that does not exist is made, in the region of the configuration.
    pub create_bucket: bool,
    /// Whether the bucket's name stands in the path of a URL and not in its host.
    pub path_style: bool,
    /// What S3 is told about the objects.
    pub settings: ObjectSettings,
    /// How much happens at the same time, and how much memory it may take.
    pub limits: TransferLimits,
}

impl UploadOptions {
    /// Every file of a folder into the top of a bucket, all else at its default.
    pub fn new(bucket: BucketName, source_folder: impl Into<PathBuf>) -> Result<Self, InvalidPattern> {
        Ok(Self {
            bucket,
            source_folder: source_folder.into(),
            patterns: PatternList::parse(["**"])?,
            target_folder: TargetFolder::default(),
            flatten_folders: false,
            create_bucket: false,
            path_style: false,
            settings: ObjectSettings::default(),
            limits: TransferLimits::default(),
        })
    }
}

/// An object that is to be made from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedObject {
    /// The object's key.
    pub key: String,
    /// The file.
    pub path: PathBuf,
    /// The file's path below the source folder, with `/` between the parts.
    pub relative: String,
    /// The file's size when the plan was made.
    pub bytes: u64,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
}

/// Which files become which objects. Made without a network.
#[derive(Debug, Clone)]
pub struct UploadPlan {
    pub(crate) options: UploadOptions,
    objects: Vec<PlannedObject>,
    failures: Vec<Failure>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The source folder is not there, or is no folder.
    #[error("the source folder {} cannot be read: {reason}", path.display())]
    SourceFolder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        reason: ReadError,
    },
    /// Two files would become the same object, of which one would be lost.
    #[error("{first} and {second} would both be uploaded as {key}")]
    SameKey {
        /// The object's key.
        key: String,
        /// One file, below the source folder.
        first: String,
        /// The other one.
        second: String,
    },
}

impl UploadPlan {
    /// Looks at the source folder and decides what to upload.
    ///
    /// Files that match and cannot be uploaded are [`failures`](Self::failures) of the plan, not errors.
    pub fn build(mut options: UploadOptions) -> Result<Self, PlanError> {
        let folder = std::path::absolute(&options.source_folder).unwrap_or(options.source_folder);
        options.source_folder = check_folder(folder)?;
        options.patterns = options.patterns.rooted_at(&options.source_folder);
        options.settings.cache_control = options.settings.cache_control.rooted_at(&options.source_folder);
        let Found { files, mut failures } =
            walk(&options.source_folder, |relative| options.patterns.matches(relative));
        let mut objects = Vec::with_capacity(files.len());
        for file in files {
            match plan_object(&options, file) {
                Ok(object) => objects.push(object),
                Err(failure) => failures.push(failure),
            }
        }
        refuse_same_keys(&objects)?;
        Ok(Self { options, objects, failures })
    }

    /// The objects to be made, in the order of their paths.
    #[must_use]
    pub fn objects(&self) -> &[PlannedObject] {
        &self.objects
    }

    /// What matched and cannot be uploaded.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Whether nothing matched at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.failures.is_empty()
    }

    /// The size of all files together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.bytes).sum()
    }

    /// The bucket that it is for.
    #[must_use]
    pub fn bucket(&self) -> &BucketName {
        &self.options.bucket
    }
}

fn check_folder(path: PathBuf) -> Result<PathBuf, PlanError> {
    match std::fs::read_dir(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(PlanError::SourceFolder { path, reason: (&error).into() }),
    }
}

fn plan_object(options: &UploadOptions, file: SourceFile) -> Result<PlannedObject, Failure> {
    let name = if options.flatten_folders { base_name(&file.relative) } else { &file.relative };
    let key = options.target_folder.key_of(name);
    if let Some(reason) = obstacle(&key, file.bytes) {
        return Err(Failure { path: file.relative, reason });
    }
    let cache_control = options.settings.cache_control.value_for(&file.relative);
    Ok(PlannedObject {
        key,
        content_type: options.settings.content_type_of(Path::new(&file.relative)),
        cache_control: cache_control.map(|value| value.as_str().to_owned()),
        bytes: file.bytes,
        path: file.path,
        relative: file.relative,
    })
}

fn obstacle(key: &str, bytes: u64) -> Option<FailureReason> {
    if key.len() > MAX_KEY_BYTES {
        return Some(FailureReason::KeyTooLong(key.len()));
    }
    (bytes > MAX_OBJECT_BYTES).then_some(FailureReason::TooLarge(bytes))
}

fn base_name(relative: &str) -> &str {
    relative.rsplit('/').next().unwrap_or(relative)
}

fn refuse_same_keys(objects: &[PlannedObject]) -> Result<(), PlanError> {
    let mut seen: HashMap<&str, &str> = HashMap::with_capacity(objects.len());
    for object in objects {
        if let Some(first) = seen.insert(&object.key, &object.relative) {
            return Err(PlanError::SameKey {
                key: object.key.clone(),
                first: first.to_owned(),
                second: object.relative.clone(),
            });
        }
    }
    Ok(())
}
