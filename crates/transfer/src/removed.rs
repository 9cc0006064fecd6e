//! What is in the bucket already: what may be unchanged, and what has no file any more.

use std::collections::{HashMap, HashSet};

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use causeway_types::ServiceError;
use tokio_util::sync::CancellationToken;

use crate::failure::{Failure, FailureReason};
use crate::key::base_name;
use crate::listing::Listed;
use crate::plan::UploadPlan;
use crate::source::SourceFile;

/// How many keys one request may delete (API `DeleteObjects`).
const KEYS_A_REQUEST: usize = 1000;
/// Keys that are no files, but show folders in consoles and old tools.
const FOLDER_MARKER: &str = "_$folder$";

/// What a listing of the target folder says about a plan.
pub(crate) struct Existing {
    /// For each file of the plan its object, if it has the same size; nothing where that does not matter.
    pub(crate) same_size: Vec<Option<Listed>>,
    /// The keys without a file.
    pub(crate) removed: Vec<String>,
    names: Names,
    /// What the others' keys end with, and those of files that failed.
    kept: HashSet<String>,
}

/// From the end of a key to the file of the plan.
enum Names {
    /// The plan's own order by path serves.
    Sorted,
    /// Keys are made of names alone.
    Flat(HashMap<String, usize>),
}

impl Existing {
    pub(crate) fn none(plan: &UploadPlan) -> Self {
        let names = if plan.keys.flatten {
            let name = |(index, file): (usize, &SourceFile)| (base_name(&file.relative).to_owned(), index);
            Names::Flat(plan.files.iter().enumerate().map(name).collect())
        } else {
            Names::Sorted
        };
        let files = if plan.options.only_changed { plan.count() } else { 0 };
        let tail = |path: &str| if plan.keys.flatten { base_name(path) } else { path }.to_owned();
        let others = plan.others.iter().map(|file| tail(&file.relative));
        let kept = others.chain(plan.failures().iter().map(|failure| tail(&failure.path))).collect();
        Self { same_size: vec![None; files], removed: Vec::new(), names, kept }
    }

    fn index(&self, plan: &UploadPlan, tail: &str) -> Option<usize> {
        match &self.names {
            Names::Sorted => plan.files.binary_search_by(|file| file.relative.as_ref().cmp(tail)).ok(),
            Names::Flat(names) => names.get(tail).copied(),
        }
    }
}

/// Notes what an object of the target folder means for the plan.
pub(crate) fn sort_out(plan: &UploadPlan, object: Listed, deletes: bool, existing: &mut Existing) {
    let Some(tail) = object.key.strip_prefix(&plan.options.target_folder.prefix()) else { return };
    match existing.index(plan, tail) {
        Some(index) if plan.options.only_changed && plan.files[index].bytes == object.bytes => {
            existing.same_size[index] = Some(object);
        }
        None if deletes && is_removed(plan, existing, tail) => existing.removed.push(object.key),
        _ => {}
    }
}

/// Whether an object without a file of this slice is one that a file once made: one that the patterns mean, not
/// a folder marker, not of another slice, and with flat keys directly in the folder.
fn is_removed(plan: &UploadPlan, existing: &Existing, tail: &str) -> bool {
    let is_marker = tail.is_empty() || tail.ends_with('/') || tail.ends_with(FOLDER_MARKER);
    if is_marker || (plan.keys.flatten && tail.contains('/')) {
        return false;
    }
    !existing.kept.contains(tail) && plan.options.patterns.matches(tail)
}

/// Deletes objects; those that are gone, and those that could not be deleted.
pub(crate) async fn delete_keys(
    client: &Client,
    bucket: &str,
    keys: Vec<String>,
    cancel: &CancellationToken,
) -> (Vec<String>, Vec<Failure>) {
    let (mut deleted, mut failures) = (Vec::with_capacity(keys.len()), Vec::new());
    for batch in keys.chunks(KEYS_A_REQUEST) {
        if cancel.is_cancelled() {
            break;
        }
        match delete_batch(client, bucket, batch).await {
            Ok(refused) => {
                let is_refused = |key: &String| refused.iter().any(|failure| failure.path == *key);
                deleted.extend(batch.iter().filter(|key| !is_refused(key)).cloned());
                failures.extend(refused);
            }
            Err(error) => failures
                .extend(batch.iter().map(|key| Failure { path: key.clone(), reason: error.clone().into() })),
        }
    }
    (deleted, failures)
}

async fn delete_batch(client: &Client, bucket: &str, keys: &[String]) -> Result<Vec<Failure>, ServiceError> {
    let identifiers = keys.iter().filter_map(|key| ObjectIdentifier::builder().key(key).build().ok());
    let delete = Delete::builder().set_objects(Some(identifiers.collect())).quiet(true).build();
    let failed = |error| ServiceError::new("DeleteObjects", &error);
    let Ok(delete) = delete else { return Ok(Vec::new()) };
    let answer = client.delete_objects().bucket(bucket).delete(delete).send().await.map_err(failed)?;
    let refusals = answer.errors.unwrap_or_default().into_iter();
    Ok(refusals
        .map(|refusal| Failure {
            path: refusal.key().unwrap_or_default().to_owned(),
            reason: FailureReason::NotDeleted {
                code: refusal.code().unwrap_or_default().to_owned(),
                message: refusal.message().unwrap_or_default().to_owned(),
            },
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::plan::UploadOptions;

    #[test]
    fn many_flat_keys_of_other_slices_take_no_longer_than_others() {
        const FILES: usize = 30_000;
        let folder = tempfile::tempdir().unwrap();
        let mut options = UploadOptions::new("bucket".parse().unwrap(), folder.path()).unwrap();
        options.flatten_folders = true;
        let mut plan = UploadPlan::build(options).unwrap();
        let file = |index| SourceFile { relative: format!("dir/f{index}").into(), bytes: 1 };
        plan.others = Arc::new((0..FILES).map(file).collect());
        let mut existing = Existing::none(&plan);
        let began = std::time::Instant::now();
        for index in 0..=FILES {
            let object = Listed { key: format!("f{index}"), bytes: 1, e_tag: String::new() };
            sort_out(&plan, object, true, &mut existing);
        }
        assert_eq!(existing.removed, [format!("f{FILES}")]);
        assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    }
}
