use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bucket::BucketName;
use crate::failure::{Failure, FailureReason, ReadError};
use crate::glob::{InvalidPattern, PatternList};
use crate::key::{KeyRule, MAX_KEY_BYTES, TargetFolder, base_name};
use crate::limits::TransferLimits;
use crate::parts::MAX_OBJECT_BYTES;
use crate::settings::ObjectSettings;
use crate::shard::{Fingerprint, Shard};
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
    /// Whether symbolic links are followed, or skipped.
    pub follow_symlinks: bool,
    /// Whether files whose object is there already, of the same size and checksum, are left alone.
    pub only_changed: bool,
    /// Whether objects of the target folder that have no file any more are deleted.
    pub delete_removed: Option<DeleteRemoved>,
    /// The slice of the work that this is.
    pub shard: Option<Shard>,
    /// What S3 is told about the objects.
    pub settings: ObjectSettings,
    /// Folders where multipart uploads under way are noted, so that those of a process that was killed are found
    /// and removed by the next one: the first that can be written to is. Without one nothing is noted.
    pub journal_folders: Vec<PathBuf>,
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
            follow_symlinks: true,
            only_changed: false,
            delete_removed: None,
            shard: None,
            journal_folders: Vec::new(),
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
    pub(crate) keys: Arc<KeyRule>,
    /// The files to be uploaded; all else about their objects follows from the options.
    pub(crate) files: Arc<Vec<SourceFile>>,
    /// Files of other slices, where this one needs to know them.
    pub(crate) others: Arc<Vec<SourceFile>>,
    fingerprint: Fingerprint,
    in_all: usize,
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
    /// Links lead to the same folders over and over.
    #[error("more than {count} files and folders are reached through symbolic links, the last at {path}")]
    TooManyThroughLinks {
        /// How many were looked at.
        count: usize,
        /// Where it was given up, below the source folder.
        path: String,
    },
    /// Patterns that name folders do not say which keys without folders are meant to be deleted.
    #[error("with keys that hold no folders, a pattern that names one does not say which objects to delete")]
    FlatPatterns,
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
    /// What has no file any more is to be deleted, and there is no file at all: more likely a mistake.
    #[error("no file below {} matches, so everything in the target folder would be deleted", .0.display())]
    EmptySource(PathBuf),
    /// What has no file any more is to be deleted in the whole bucket: more likely a mistake.
    #[error("without a target folder every other object of the bucket {0} would be deleted")]
    WholeBucket(BucketName),
}

/// What deleting objects without a file may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeleteRemoved {
    /// Whether it is meant when there is no file at all.
    pub even_if_empty: bool,
    /// Whether it is meant for the whole bucket, when there is no target folder.
    pub even_in_whole_bucket: bool,
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
        let Found { mut files, mut failures, .. } =
            walk(&options.source_folder, options.follow_symlinks, &options.patterns)?;
        let keys = KeyRule { target: options.target_folder.clone(), flatten: options.flatten_folders };
        let in_all = files.len() + failures.len();
        files.retain(|file| match obstacle(&keys.key_of(&file.relative), file.bytes) {
            Some(reason) => {
                failures.push(Failure { path: file.relative.to_string(), reason });
                false
            }
            None => true,
        });
        files.shrink_to_fit();
        let mut fingerprint = Fingerprint::default();
        files.iter().for_each(|file| fingerprint.add(&file.relative, file.bytes));
        let mut plan = Self {
            keys: Arc::new(keys),
            files: Arc::new(files),
            others: Arc::default(),
            fingerprint,
            in_all,
            failures,
            options,
        };
        plan.refuse_same_keys()?;
        plan.refuse_deletion()?;
        plan.take_slice();
        Ok(plan)
    }

    fn refuse_same_keys(&self) -> Result<(), PlanError> {
        // Otherwise different paths make different keys.
        if !self.keys.flatten {
            return Ok(());
        }
        let mut seen: HashMap<&str, &str> = HashMap::with_capacity(self.files.len());
        for file in self.files.iter() {
            if let Some(first) = seen.insert(base_name(&file.relative), &file.relative) {
                return Err(PlanError::SameKey {
                    key: self.keys.key_of(&file.relative),
                    first: first.to_owned(),
                    second: file.relative.to_string(),
                });
            }
        }
        Ok(())
    }

    fn refuse_deletion(&self) -> Result<(), PlanError> {
        let Some(delete) = &self.options.delete_removed else { return Ok(()) };
        if self.in_all == 0 && !delete.even_if_empty {
            return Err(PlanError::EmptySource(self.options.source_folder.clone()));
        }
        if self.options.target_folder.is_top() && !delete.even_in_whole_bucket {
            return Err(PlanError::WholeBucket(self.options.bucket.clone()));
        }
        if self.keys.flatten && self.options.patterns.names_folders() {
            return Err(PlanError::FlatPatterns);
        }
        Ok(())
    }

    fn take_slice(&mut self) {
        let Some(shard) = self.options.shard else { return };
        let files = std::mem::take(&mut self.files);
        let (files, others) = files.iter().cloned().partition(|file| shard.owns(&file.relative));
        self.files = Arc::new(files);
        if self.options.delete_removed.is_some() && shard.is_last() {
            self.others = Arc::new(others);
        }
    }

    /// How many objects are to be made.
    #[must_use]
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// The objects to be made, in the order of their paths.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = PlannedObject> {
        self.files.iter().map(|file| self.object(file))
    }

    pub(crate) fn object(&self, file: &SourceFile) -> PlannedObject {
        let (options, relative) = (&self.options, file.relative.as_ref());
        let cache_control = options.settings.cache_control.value_for(relative);
        PlannedObject {
            key: self.keys.key_of(relative),
            content_type: options.settings.content_type_of(Path::new(relative)),
            cache_control: cache_control.map(|value| value.as_str().to_owned()),
            bytes: file.bytes,
            path: self.path(file),
            relative: relative.to_owned(),
        }
    }

    pub(crate) fn path(&self, file: &SourceFile) -> PathBuf {
        self.options.source_folder.join(file.relative.as_ref())
    }

    /// What matched and cannot be uploaded.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// How many files matched, those of all slices and those that cannot be uploaded.
    #[must_use]
    pub fn matched(&self) -> usize {
        self.in_all
    }

    /// Whether nothing matched at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.in_all == 0
    }

    /// The size of all files together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Identifies the set of all slices' files.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
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

fn obstacle(key: &str, bytes: u64) -> Option<FailureReason> {
    if key.len() > MAX_KEY_BYTES {
        return Some(FailureReason::KeyTooLong(key.len()));
    }
    (bytes > MAX_OBJECT_BYTES).then_some(FailureReason::TooLarge(bytes))
}
