use std::path::{Component, Path};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use crate::download::is_half;
use crate::failure::{Failure, FailureReason, ReadError};
use crate::glob::PatternList;
use crate::plan::PlanError;

/// Folders that link to each other have as many paths as there are orders of them: beyond so many files and
/// folders behind links it is taken for that.
const MOST_THROUGH_LINKS: usize = 500_000;

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

/// Lists the files below a folder that the patterns mean.
///
/// Links to files and folders are followed, or where that is not wanted skipped; a folder that is inside itself
/// by a link is entered once, and one where nothing can be meant not at all.
/// Folders, pipes, sockets and devices are no files, and halves that a download left are none either. What cannot
/// be read is a failure and stops nothing; a folder that cannot be listed always is one, since nobody knows what
/// it holds.
pub(crate) fn walk(folder: &Path, follow_symlinks: bool, patterns: &PatternList) -> Result<Found, PlanError> {
    walk_bounded(folder, follow_symlinks, patterns, MOST_THROUGH_LINKS)
}

fn walk_bounded(
    folder: &Path,
    follow_symlinks: bool,
    patterns: &PatternList,
    most: usize,
) -> Result<Found, PlanError> {
    let meant = |relative: &str| patterns.matches(relative);
    let (mut found, mut links) = (Found::default(), Links::default());
    let entries = WalkDir::new(folder).follow_links(follow_symlinks).follow_root_links(true).min_depth(1);
    let enter = |entry: &DirEntry| {
        !entry.file_type().is_dir() || patterns.may_mean_below(&relative_lossy(folder, entry.path()))
    };
    // The folder itself is entered in any case: it has no path below itself.
    for entry in entries.into_iter().filter_entry(enter) {
        match entry {
            Ok(entry) => {
                if links.count(&entry) > most {
                    let path = relative_lossy(folder, entry.path());
                    return Err(PlanError::TooManyThroughLinks { count: most, path });
                }
                found.add(folder, &entry, &meant);
            }
            Err(error) => found.add_error(folder, &error, &meant),
        }
    }
    found.files.sort_by(|one, other| one.relative.cmp(&other.relative));
    found.failures.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// Counts what is reached through links to folders.
#[derive(Default)]
struct Links {
    /// How deep the outermost link to a folder lies that the walk is behind.
    behind: Option<usize>,
    seen: usize,
}

impl Links {
    fn count(&mut self, entry: &DirEntry) -> usize {
        self.behind = self.behind.filter(|depth| entry.depth() > *depth);
        self.seen += usize::from(self.behind.is_some());
        if entry.path_is_symlink() && entry.file_type().is_dir() {
            self.behind.get_or_insert(entry.depth());
        }
        self.seen
    }
}

impl Found {
    fn add(&mut self, folder: &Path, entry: &DirEntry, meant: &impl Fn(&str) -> bool) {
        if !entry.file_type().is_file() || is_half(entry.file_name()) {
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_that_link_to_each_other_are_given_up_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: String| folder.path().join(name);
        for one in 0..5 {
            std::fs::create_dir(at(format!("p{one}"))).unwrap();
            for other in (0..5).filter(|other| *other != one) {
                symlink(at(format!("p{other}")), at(format!("p{one}/p{other}"))).unwrap();
            }
        }
        let all = PatternList::parse(["**"]).unwrap();
        let error = walk_bounded(folder.path(), true, &all, 100).unwrap_err();
        assert!(
            matches!(&error, PlanError::TooManyThroughLinks { count: 100, path } if path.starts_with('p'))
        );
        assert!(
            walk_bounded(folder.path(), false, &all, 0).is_ok(),
            "links that are not followed do not count"
        );
        assert!(walk(folder.path(), true, &all).is_ok());
    }
}
