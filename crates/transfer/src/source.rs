use std::path::{Component, Path};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use crate::failure::{Failure, FailureReason, ReadError};

/// A file of the source folder. A hundred thousand of them are usual, so it is kept small.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Its path below the source folder, with `/` between the parts.
    pub(crate) relative: Arc<str>,
    pub(crate) bytes: u64,
}

/// What a walk over the source folder found, each list in the order of its paths.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<SourceFile>,
    /// Things that would be files if they could be read.
    pub(crate) failures: Vec<Failure>,
}

/// Lists the files below a folder whose path is `meant`.
///
/// Links to files and folders are followed, or where that is not wanted skipped; a folder that is inside itself
/// by a link is entered once.
/// Folders, pipes, sockets and devices are no files. What cannot be read is a failure and stops nothing; a
/// folder that cannot be listed always is one, since nobody knows what it holds.
pub(crate) fn walk(folder: &Path, follow_symlinks: bool, meant: impl Fn(&str) -> bool) -> Found {
    let mut found = Found::default();
    for entry in WalkDir::new(folder).follow_links(follow_symlinks).follow_root_links(true).min_depth(1) {
        match entry {
            Ok(entry) => found.add(folder, &entry, &meant),
            Err(error) => found.add_error(folder, &error, &meant),
        }
    }
    found.files.sort_by(|one, other| one.relative.cmp(&other.relative));
    found.failures.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

impl Found {
    fn add(&mut self, folder: &Path, entry: &DirEntry, meant: &impl Fn(&str) -> bool) {
        if !entry.file_type().is_file() {
            return;
        }
        let shown = relative_lossy(folder, entry.path());
        if !meant(&shown) {
            return;
        }
        let fail = |reason| Failure { path: shown.clone(), reason };
        match (relative(folder, entry.path()), entry.metadata()) {
            (None, _) => self.failures.push(fail(FailureReason::NameNotUtf8)),
            (_, Err(error)) => self.failures.push(fail(FailureReason::Unreadable(read_error(&error)))),
            (Some(relative), Ok(metadata)) => {
                self.files.push(SourceFile { relative: relative.into(), bytes: metadata.len() });
            }
        }
    }

    fn add_error(&mut self, folder: &Path, error: &walkdir::Error, meant: &impl Fn(&str) -> bool) {
        let is_loop = error.loop_ancestor().is_some();
        let Some(path) = error.path().filter(|_| !is_loop) else { return };
        let shown = relative_lossy(folder, path);
        let reason = reason_of(path, error);
        if matches!(reason, FailureReason::UnreadableFolder(_)) || meant(&shown) {
            self.failures.push(Failure { path: shown, reason });
        }
    }
}

fn reason_of(path: &Path, error: &walkdir::Error) -> FailureReason {
    let is_missing = error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => FailureReason::UnreadableFolder(read_error(error)),
        Err(_) if is_missing && path.is_symlink() => FailureReason::DanglingLink,
        _ => FailureReason::Unreadable(read_error(error)),
    }
}

fn read_error(error: &walkdir::Error) -> ReadError {
    match error.io_error() {
        Some(error) => error.into(),
        None => (&std::io::Error::other(error.to_string())).into(),
    }
}

/// The path below the folder with `/` between its parts; `None` if it is not UTF-8.
fn relative(folder: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(folder).ok()?;
    let names: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    names.map(|names| names.join("/"))
}

fn relative_lossy(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let name = |part: Component<'_>| part.as_os_str().to_string_lossy().into_owned();
    below.components().map(name).collect::<Vec<_>>().join("/")
}
