//! Which multipart uploads are under way, noted in a file, so that what a killed process left is found.
//!
//! Each process holds a lock on its own file while it lives; the system takes the lock away when it dies,
//! however it dies. A file whose lock can be had therefore tells of uploads that nobody will end. Nothing in S3
//! tells that: uploads listed there may belong to anybody, and none is touched that is not in such a file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

const BEGINNING: &str = "s3-uploads-";
const ENDING: &str = ".jsonl";

/// A multipart upload that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Where S3 is: the same bucket name may exist elsewhere.
    pub(crate) place: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Begun(Entry),
    /// The upload with this id is completed or aborted.
    Ended(String),
}

/// This process's own file. It is there while something in it is open.
#[derive(Debug)]
pub(crate) struct Journal {
    folders: Vec<PathBuf>,
    state: Mutex<Option<State>>,
}

#[derive(Debug)]
struct State {
    path: PathBuf,
    file: File,
    open: Vec<String>,
}

/// A file that a process left, locked now by this one.
#[derive(Debug)]
pub(crate) struct LeftBehind {
    path: PathBuf,
    file: File,
    pub(crate) entries: Vec<Entry>,
}

impl Journal {
    /// The notes go to the first of these folders that can be written to, when there is something to note.
    pub(crate) fn new(folders: &[PathBuf]) -> Self {
        Self { folders: folders.to_owned(), state: Mutex::default() }
    }

    pub(crate) fn begun(&self, entry: &Entry) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = match &mut *state {
            Some(state) => state,
            none => none.insert(self.create()?),
        };
        write(&mut state.file, &Line::Begun(entry.clone()))?;
        state.open.push(entry.id.clone());
        Ok(())
    }

    pub(crate) fn ended(&self, id: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = &mut *state else { return };
        // If it cannot be noted, the next run finds an upload that is not there any more, which does no harm.
        let _ = write(&mut state.file, &Line::Ended(id.to_owned()));
        state.open.retain(|open| open != id);
    }

    fn create(&self) -> io::Result<State> {
        let mut last = io::ErrorKind::NotFound.into();
        for folder in &self.folders {
            match State::create(folder) {
                Ok(state) => return Ok(state),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl State {
    fn create(folder: &Path) -> io::Result<Self> {
        let name = format!("{BEGINNING}{}-{:016x}{ENDING}", std::process::id(), fastrand::u64(..));
        Self::create_as(folder, &format!("new-{name}"), &folder.join(&name))
    }

    fn create_as(folder: &Path, new: &str, path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let new = folder.join(new);
        let mut options = OpenOptions::new();
        // Windows locks no file that is open for nothing but appending.
        options.create_new(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&new)?;
        match settle(&file, &new, path) {
            Ok(()) => Ok(Self { path: path.to_owned(), file, open: Vec::new() }),
            Err(error) => {
                // Nobody would ever look at it. Windows removes no file that is open.
                drop(file);
                remove(&new);
                Err(error)
            }
        }
    }
}

/// Gives a file its name once it is locked: without its lock another process would take it for left behind.
fn settle(file: &File, new: &Path, path: &Path) -> io::Result<()> {
    file.lock()?;
    std::fs::rename(new, path)
}

impl Drop for Journal {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(State { path, file, open }) = state
            && open.is_empty()
        {
            // Windows removes no file that is open.
            drop(file);
            remove(&path);
        }
    }
}

/// Removes a file, and its folder if it was the last in it.
fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
    if let Some(folder) = path.parent() {
        let _ = std::fs::remove_dir(folder);
    }
}

/// Every file that a process left which is no more. One that cannot be read is not this one's to judge.
pub(crate) fn left_behind(folders: &[PathBuf]) -> Vec<LeftBehind> {
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    entries.filter_map(|entry| take_over(entry.ok()?.path())).collect()
}

fn take_over(path: PathBuf) -> Option<LeftBehind> {
    let name = path.file_name()?.to_str()?;
    if !(name.starts_with(BEGINNING) && name.ends_with(ENDING)) {
        return None;
    }
    let file = OpenOptions::new().read(true).append(true).open(&path).ok()?;
    file.try_lock().ok()?;
    let entries = read(&file);
    Some(LeftBehind { path, file, entries })
}

impl LeftBehind {
    pub(crate) fn ended(&mut self, id: &str) {
        self.entries.retain(|entry| entry.id != id);
        let _ = write(&mut self.file, &Line::Ended(id.to_owned()));
    }

    /// Removes the file if everything in it has ended.
    pub(crate) fn finish(self) {
        if self.entries.is_empty() {
            drop(self.file);
            remove(&self.path);
        }
    }
}

fn write(file: &mut File, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    file.write_all(text.as_bytes())
}

/// What was begun and not ended. A last line that is cut off was not yet acted upon.
fn read(file: &File) -> Vec<Entry> {
    let mut open: Vec<Entry> = Vec::new();
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(Line::Begun(entry)) => open.push(entry),
            Ok(Line::Ended(id)) => open.retain(|entry| entry.id != id),
            Err(_) => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str) -> Entry {
        Entry { place: "p".into(), bucket: "b".into(), key: "k\n\"x".into(), id: id.into() }
    }

    #[test]
    fn only_what_a_dead_process_left_open_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(&[folder.path().to_owned()]);
        for id in ["1", "2", "3"] {
            journal.begun(&entry(id)).unwrap();
        }
        journal.ended("2");
        assert!(left_behind(&[folder.path().to_owned()]).is_empty(), "its process lives");
        drop(journal);
        std::fs::write(folder.path().join("s3-uploads-other.txt"), "x").unwrap();
        let mut left = left_behind(&[folder.path().to_owned()]);
        assert_eq!(left[0].entries, [entry("1"), entry("3")]);
        assert!(left_behind(&[folder.path().to_owned()]).is_empty(), "somebody is at it");
        left[0].ended("1");
        left.remove(0).finish();
        let mut left = left_behind(&[folder.path().to_owned()]);
        assert_eq!(left[0].entries, [entry("3")]);
        left[0].ended("3");
        left.remove(0).finish();
        assert!(left_behind(&[folder.path().to_owned()]).is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_journal_without_open_uploads_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("blocked");
        std::fs::write(&blocked, "a file where a folder should be").unwrap();
        let second = folder.path().join("second");
        let journal = Journal::new(&[blocked, second.clone()]);
        assert!(!second.exists(), "nothing to note yet");
        journal.begun(&entry("1")).unwrap();
        assert_eq!(std::fs::read_dir(&second).unwrap().count(), 1);
        journal.ended("1");
        drop(journal);
        assert!(!second.exists());
    }

    #[test]
    fn its_own_file_is_open_for_reading_too_without_which_windows_locks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(&[folder.path().to_owned()]);
        journal.begun(&entry("1")).unwrap();
        let state = journal.state.lock().unwrap();
        let state = state.as_ref().unwrap();
        let text = std::io::read_to_string(&state.file);
        assert!(text.is_ok(), "{text:?}");
        assert_eq!(std::fs::read_to_string(&state.path).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_get_its_name_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        let gone = folder.path().join("gone").join("s3-uploads-1.jsonl");
        let created = State::create_as(&inner, "new-s3-uploads-1.jsonl", &gone);
        assert_eq!(created.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!inner.exists());
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s3-uploads-1.jsonl");
        let whole = serde_json::to_string(&Line::Begun(entry("1"))).unwrap();
        std::fs::write(&path, format!("{whole}\n{}", &whole[..20])).unwrap();
        assert_eq!(left_behind(&[folder.path().to_owned()])[0].entries, [entry("1")]);
    }
}
