use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::plan::DownloadPlan;
use crate::failure::{Failure, FailureReason};

/// Deletes the files that have no object any more: those that the patterns mean, in the folder that the
/// objects' keys lead to. Links are not followed, folders stay.
pub(super) fn delete_removed(plan: &DownloadPlan) -> (Vec<String>, Vec<Failure>) {
    let options = &plan.options;
    let flat = options.flatten_folders;
    let folder = if flat {
        options.target_folder.clone()
    } else {
        options.target_folder.join(options.source_folder.to_string())
    };
    let all = plan.objects.iter().chain(&plan.others);
    let wanted: HashSet<PathBuf> = all.map(|object| plan.path_of(&object.key)).collect();
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    let depth = if flat { 1 } else { usize::MAX };
    let entries = WalkDir::new(&folder).min_depth(1).max_depth(depth).into_iter().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_type().is_file()) {
        let Some(relative) = relative(&folder, entry.path()) else { continue };
        if wanted.contains(entry.path()) || !options.patterns.matches(&relative) {
            continue;
        }
        match std::fs::remove_file(entry.path()) {
            Ok(()) => deleted.push(relative),
            Err(error) => {
                failures.push(Failure { path: relative, reason: FailureReason::unwritable(&error) });
            }
        }
    }
    (deleted, failures)
}

fn relative(folder: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(folder).ok()?;
    let names: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    names.map(|names| names.join("/"))
}
