use std::path::PathBuf;

use crate::bucket::BucketName;
use crate::glob::{InvalidPattern, PatternList};
use crate::key::TargetFolder;
use crate::limits::TransferLimits;
use crate::plan::DeleteRemoved;
use crate::settings::SseCustomerKey;
use crate::shard::Shard;

/// What to download, whereto and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DownloadOptions {
    /// The bucket.
    pub bucket: BucketName,
    /// The folder in the bucket; its top by default.
    pub source_folder: TargetFolder,
    /// Which objects below that folder; all by default.
    pub patterns: PatternList,
    /// The folder that files are written to, under their whole key.
    pub target_folder: PathBuf,
    /// Whether files are written under their name alone, without the folders of their key.
    pub flatten_folders: bool,
    /// Whether files that are there may be replaced.
    pub overwrite: bool,
    /// Whether the bucket's name stands in the path of a URL and not in its host.
    pub path_style: bool,
    /// The key of objects that S3 encrypts with a key of the caller.
    pub customer_key: Option<SseCustomerKey>,
    /// Whether files that are there already, of the same size and checksum, are left alone.
    pub only_changed: bool,
    /// Whether files without an object are deleted.
    pub delete_removed: Option<DeleteRemoved>,
    /// The slice of the work that this is.
    pub shard: Option<Shard>,
    /// How much happens at the same time, and how much memory it may take.
    pub limits: TransferLimits,
}

impl DownloadOptions {
    /// Every object of a bucket into a folder, all else at its default.
    pub fn new(bucket: BucketName, target_folder: impl Into<PathBuf>) -> Result<Self, InvalidPattern> {
        Ok(Self {
            bucket,
            source_folder: TargetFolder::default(),
            patterns: PatternList::parse(["**"])?,
            target_folder: target_folder.into(),
            flatten_folders: false,
            overwrite: true,
            path_style: false,
            customer_key: None,
            only_changed: false,
            delete_removed: None,
            shard: None,
            limits: TransferLimits::default(),
        })
    }
}
