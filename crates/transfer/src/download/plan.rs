use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_s3::Client;

use super::error::DownloadError;
use super::options::DownloadOptions;
use super::place::{Names, place};
use crate::failure::{Failure, FailureReason};
use crate::key::base_name;
use crate::listing::{Listed, list};
use crate::prepare::prepare_bucket;
use crate::shard::Fingerprint;

/// Keys that are no files, but show folders in consoles and old tools.
const FOLDER_MARKER: &str = "_$folder$";
/// Whether `a` and `A` are the same file.
pub(super) const IGNORES_CASE: bool = cfg!(any(windows, target_os = "macos"));
/// So many files that are there already are named.
const NAMED: usize = 10;

/// Which objects become which files.
#[derive(Debug)]
pub(crate) struct DownloadPlan {
    pub(super) options: DownloadOptions,
    pub(super) objects: Vec<PlannedDownload>,
    /// Objects of other slices, where this one needs to know them.
    pub(super) others: Vec<PlannedDownload>,
    pub(super) failures: Vec<Failure>,
    pub(super) fingerprint: Fingerprint,
    pub(super) in_all: usize,
}

/// An object to be downloaded.
#[derive(Debug, Clone)]
pub(super) struct PlannedDownload {
    pub(super) key: Arc<str>,
    pub(super) bytes: u64,
    pub(super) e_tag: Box<str>,
}

impl DownloadPlan {
    /// Lists the objects and decides what to download.
    pub(super) async fn build(client: &Client, options: &DownloadOptions) -> Result<Self, DownloadError> {
        prepare_bucket(client, &options.bucket, false).await?;
        let mut options = options.clone();
        let folder = std::path::absolute(&options.target_folder).unwrap_or(options.target_folder);
        options.target_folder = folder;
        let mut plan = Self {
            options,
            objects: Vec::new(),
            others: Vec::new(),
            failures: Vec::new(),
            fingerprint: Fingerprint::default(),
            in_all: 0,
        };
        let (bucket, prefix) = (plan.options.bucket.clone(), plan.options.source_folder.prefix());
        list(client, bucket.as_str(), &prefix, |object| plan.add(&prefix, object))
            .await
            .map_err(|source| DownloadError::List { bucket: bucket.clone(), source })?;
        plan.refuse_deletion()?;
        plan.refuse_same_files();
        plan.take_slice();
        plan.refuse_existing()?;
        Ok(plan)
    }

    fn add(&mut self, prefix: &str, object: Listed) {
        let Some(tail) = object.key.strip_prefix(prefix) else { return };
        let is_marker = tail.is_empty() || tail.ends_with('/') || tail.ends_with(FOLDER_MARKER);
        if is_marker || !self.options.patterns.matches(&as_name(tail)) {
            return;
        }
        self.in_all += 1;
        match place(self.name_of(&object.key), Names::here()) {
            Err(why) => {
                self.failures.push(Failure { path: object.key, reason: FailureReason::UnsafeKey(why) });
            }
            Ok(_) => {
                self.fingerprint.add(&object.key, object.bytes);
                let (key, e_tag) = (object.key.into(), object.e_tag.into());
                self.objects.push(PlannedDownload { key, bytes: object.bytes, e_tag });
            }
        }
    }

    fn name_of<'a>(&self, key: &'a str) -> &'a str {
        if self.options.flatten_folders { base_name(key) } else { key }
    }

    /// Where the file of a key lies. Keys without such a place are not in the plan.
    pub(super) fn path_of(&self, key: &str) -> PathBuf {
        let below = place(self.name_of(key), Names::here()).unwrap_or_default();
        self.options.target_folder.join(below)
    }

    /// Two objects for one file: nobody could say which one it should be, so neither is written.
    fn refuse_same_files(&mut self) {
        let is_one_to_one = |key: &str| !key.contains("//");
        if !self.options.flatten_folders
            && !IGNORES_CASE
            && self.objects.iter().all(|object| is_one_to_one(&object.key))
        {
            return;
        }
        let name = |object: &PlannedDownload| {
            let path = self.path_of(&object.key).to_string_lossy().into_owned();
            if IGNORES_CASE { path.to_lowercase() } else { path }
        };
        let mut count: HashMap<String, usize> = HashMap::new();
        for object in &self.objects {
            *count.entry(name(object)).or_default() += 1;
        }
        let (clear, doubled): (Vec<_>, Vec<_>) =
            self.objects.iter().cloned().partition(|object| count.get(&name(object)) == Some(&1));
        for object in doubled {
            let file = self.path_of(&object.key).display().to_string();
            self.failures
                .push(Failure { path: object.key.to_string(), reason: FailureReason::SameFile(file) });
        }
        self.objects = clear;
    }

    fn refuse_deletion(&self) -> Result<(), DownloadError> {
        let Some(delete) = &self.options.delete_removed else { return Ok(()) };
        if self.in_all == 0 && !delete.even_if_empty {
            return Err(DownloadError::EmptySource(self.options.bucket.clone()));
        }
        if self.options.source_folder.is_top() && !delete.even_in_whole_bucket {
            return Err(DownloadError::WholeFolder(self.options.target_folder.clone()));
        }
        if self.options.flatten_folders && self.options.patterns.names_folders() {
            return Err(DownloadError::FlatPatterns);
        }
        Ok(())
    }

    fn take_slice(&mut self) {
        let Some(shard) = self.options.shard else { return };
        let objects = std::mem::take(&mut self.objects);
        (self.objects, self.others) = objects.into_iter().partition(|object| shard.owns(&object.key));
    }

    fn refuse_existing(&self) -> Result<(), DownloadError> {
        // With `only_changed` that is decided when the content has been compared.
        if self.options.overwrite || self.options.only_changed {
            return Ok(());
        }
        let paths = self.objects.iter().map(|object| self.path_of(&object.key));
        let mut there = paths.filter(|path| path.symlink_metadata().is_ok());
        let named: Vec<String> = there.by_ref().take(NAMED).map(|path| path.display().to_string()).collect();
        if named.is_empty() { Ok(()) } else { Err(DownloadError::Exists { named, more: there.count() }) }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.bytes).sum()
    }
}

/// No pattern matches `..`, and so a key with it would be passed over in silence. It is to be refused aloud.
fn as_name(tail: &str) -> std::borrow::Cow<'_, str> {
    if !tail.split('/').any(|part| part == ".." || part == ".") {
        return tail.into();
    }
    let parts = tail.split('/').map(|part| if part == ".." || part == "." { "_" } else { part });
    parts.collect::<Vec<_>>().join("/").into()
}
