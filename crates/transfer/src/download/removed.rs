use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::plan::{DownloadPlan, IGNORES_CASE};
use super::target::{TargetRoot, is_half};
use crate::failure::{Failure, FailureReason};

/// Deletes the files that have no object any more: those that the patterns mean, in the folder that the
/// objects' keys lead to. Links are not followed, folders stay. A folder that lies outside the target folder by a
/// link is refused.
pub(super) fn delete_removed(plan: &DownloadPlan, root: &TargetRoot) -> (Vec<String>, Vec<Failure>) {
    let options = &plan.options;
    let flat = options.flatten_folders;
    let folder = if flat {
        options.target_folder.clone()
    } else {
        options.target_folder.join(options.source_folder.to_string())
    };
    match root.holds(&folder) {
        Ok(true) => {}
        // Nothing was ever downloaded to it.
        Ok(false) => return (Vec::new(), Vec::new()),
        Err(reason) => return (Vec::new(), vec![Failure { path: folder.display().to_string(), reason }]),
    }
    let all = plan.objects.iter().chain(&plan.others);
    let wanted: HashSet<PathBuf> = all.map(|object| same_name(&plan.path_of(&object.key))).collect();
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    let depth = if flat { 1 } else { usize::MAX };
    let entries = WalkDir::new(&folder).min_depth(1).max_depth(depth).into_iter().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_type().is_file()) {
        let Some(relative) = relative(&folder, entry.path()) else { continue };
        // Another download may be writing it.
        if is_half(entry.file_name()) {
            continue;
        }
        if wanted.contains(&same_name(entry.path())) || !options.patterns.matches(&relative) {
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

/// Names that the system takes for the same are the same here: a file keeps the case that it first had.
fn same_name(path: &Path) -> PathBuf {
    if IGNORES_CASE { path.to_string_lossy().to_lowercase().into() } else { path.to_owned() }
}

fn relative(folder: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(folder).ok()?;
    let names: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    names.map(|names| names.join("/"))
}
