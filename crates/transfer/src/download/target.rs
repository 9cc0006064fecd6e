use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::failure::FailureReason;

/// How the name of a file begins that is being written, and how it ends; between them stand 16 hexadecimal digits.
const HALF: &str = ".causeway-";
const PART: &str = ".part";

const LEADS_OUT: FailureReason = FailureReason::UnsafeKey("a symbolic link leads out of the target folder");

/// The folder that files are written to. No file is written outside it, through links neither.
pub(super) struct TargetRoot {
    real: PathBuf,
    /// Folders that are known to be there, and inside.
    known: Mutex<HashSet<PathBuf>>,
}

/// A file being written beside its place; it disappears unless it is [kept](Self::keep).
pub(super) struct Target {
    path: PathBuf,
    beside: PathBuf,
    /// Says that somebody writes it, as long as this process lives.
    held: Option<File>,
    kept: bool,
    /// Held while something is written: the system has one lock a file, and waits for it by spinning.
    writing: Mutex<()>,
}

impl TargetRoot {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { real: folder.canonicalize()?, known: Mutex::default() })
    }

    /// Makes the folders of a file and a new, empty file beside it.
    pub(super) fn begin(&self, path: PathBuf) -> Result<Target, FailureReason> {
        let unwritable = |error: io::Error| FailureReason::unwritable(&error);
        let folder = path.parent().unwrap_or(Path::new("/"));
        self.make(folder)?;
        loop {
            let beside = folder.join(format!("{HALF}{:016x}{PART}", fastrand::u64(..)));
            let held = held_open(OpenOptions::new().write(true).create_new(true), &beside);
            let held = held.map_err(unwritable)?;
            // Another download that began just now may have taken it for left behind before it was locked.
            if beside.exists() {
                return Ok(Target { path, beside, held: Some(held), kept: false, writing: Mutex::default() });
            }
        }
    }

    /// Whether a folder is there.
    ///
    /// # Errors
    /// It lies outside, through a link.
    pub(super) fn holds(&self, folder: &Path) -> Result<bool, FailureReason> {
        match folder.canonicalize() {
            Ok(real) if real.starts_with(&self.real) => Ok(true),
            Ok(_) => Err(LEADS_OUT),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(FailureReason::unwritable(&error)),
        }
    }

    fn make(&self, folder: &Path) -> Result<(), FailureReason> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(folder) {
            return Ok(());
        }
        let unwritable = |error: io::Error| FailureReason::unwritable(&error);
        // What is there is looked at before anything is made: a link in it may lead out.
        let existing = folder.ancestors().find(|folder| folder.symlink_metadata().is_ok());
        let real = existing.unwrap_or(folder).canonicalize().map_err(unwritable)?;
        if !real.starts_with(&self.real) {
            return Err(LEADS_OUT);
        }
        if existing == Some(folder) {
            remove_halves(folder);
        }
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        known().insert(folder.to_owned());
        Ok(())
    }
}

impl Target {
    /// Where it is until it is kept.
    pub(super) fn beside(&self) -> &Path {
        &self.beside
    }

    /// Another handle, that writes from this place on.
    pub(super) fn writer(&self, offset: u64) -> Result<File, FailureReason> {
        let open = || {
            let mut file = OpenOptions::new().write(true).open(&self.beside)?;
            if offset > 0 {
                file.seek(SeekFrom::Start(offset))?;
            }
            Ok(file)
        };
        open().map_err(|error: io::Error| FailureReason::unwritable(&error))
    }

    /// Makes it so large before its pieces come, in whatever order.
    pub(super) fn set_bytes(&self, bytes: u64) -> Result<(), FailureReason> {
        self.writer(0)?.set_len(bytes).map_err(|error| FailureReason::unwritable(&error))
    }

    /// Writes pieces where this handle stands.
    pub(super) fn write_all(&self, file: &mut File, pieces: &[Bytes]) -> Result<(), FailureReason> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        write_all(file, pieces)
    }

    /// It is whole: moves it to its place.
    pub(super) fn keep(mut self) -> Result<(), FailureReason> {
        if cfg!(windows) {
            // What is held open there can be neither renamed nor removed.
            self.held = None;
        }
        std::fs::rename(&self.beside, &self.path).map_err(|error| FailureReason::unwritable(&error))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.held = None;
        if !self.kept {
            let _ = std::fs::remove_file(&self.beside);
        }
    }
}

/// Whether it is the name of a file that a download is writing, or was when it was killed.
pub(crate) fn is_half(name: &OsStr) -> bool {
    let digits = name.to_str().and_then(|name| name.strip_prefix(HALF)?.strip_suffix(PART));
    digits.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Removes what downloads that were killed left in a folder. That it cannot be removed stops nothing.
fn remove_halves(folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| is_half(&entry.file_name())) {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && is_left(&entry.path()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Opens a file so that others see that somebody writes it: by a lock, which the system takes away when the
/// process dies. Locks on Windows would keep our own other handles from writing; a handle that does not share the
/// right to delete does as well there.
#[cfg(not(windows))]
fn held_open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.open(path)?;
    // Some file systems have no locks; what is left on them stays.
    let _ = file.lock();
    Ok(file)
}

#[cfg(windows)]
fn held_open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt as _;
    const READ_AND_WRITE: u32 = 1 | 2;
    options.share_mode(READ_AND_WRITE).open(path)
}

#[cfg(not(windows))]
fn is_left(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(windows)]
fn is_left(_: &Path) -> bool {
    // Removing what is held fails by itself.
    true
}

/// Writes pieces with as few calls as possible.
fn write_all(file: &mut File, pieces: &[Bytes]) -> Result<(), FailureReason> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut rest = slices.as_mut_slice();
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(FailureReason::unwritable(&io::ErrorKind::WriteZero.into())),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FailureReason::unwritable(&error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let root = TargetRoot::open(&folder.path().join("new")).unwrap();
        let path = folder.path().join("new/a/b");
        let target = root.begin(path.clone()).unwrap();
        write_all(&mut target.writer(0).unwrap(), &["x".into(), "".into(), "yz".into()]).unwrap();
        assert!(!path.exists());
        drop(target);
        assert_eq!(std::fs::read_dir(folder.path().join("new/a")).unwrap().count(), 0);
        let target = root.begin(path.clone()).unwrap();
        write_all(&mut target.writer(2).unwrap(), &["!".into()]).unwrap();
        target.keep().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"\0\0!");
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_not_followed() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
        std::fs::create_dir(folder.path().join("real")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("real"), folder.path().join("in")).unwrap();
        let root = TargetRoot::open(folder.path()).unwrap();
        for path in ["out/x", "out/deep/er/x"] {
            let refused = root.begin(folder.path().join(path)).err();
            assert!(matches!(refused, Some(FailureReason::UnsafeKey(_))), "{path}: {refused:?}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
        root.begin(folder.path().join("in/x")).unwrap().keep().unwrap();
        assert!(folder.path().join("real/x").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_around_the_target_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let target = outside.path().join("tgt");
        std::fs::create_dir_all(target.join("p")).unwrap();
        std::os::unix::fs::symlink("../..", target.join("p/up")).unwrap();
        let root = TargetRoot::open(&target).unwrap();
        for path in ["p/up/evil.txt", "p/up/deep/evil.txt", "p/up/other/tgt/evil.txt"] {
            let refused = root.begin(target.join(path)).err();
            assert!(matches!(refused, Some(FailureReason::UnsafeKey(_))), "{path}: {refused:?}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
        root.begin(target.join("new/x")).unwrap().keep().unwrap();
        assert!(target.join("new/x").exists());
    }

    #[test]
    fn what_a_killed_download_left_is_removed_and_what_runs_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let in_deep = |name: &str| folder.path().join("deep").join(name);
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        let left = in_deep(".causeway-0123456789abcdef.part");
        std::fs::write(&left, "half").unwrap();
        std::fs::write(in_deep("a.part"), "mine").unwrap();
        let running = TargetRoot::open(folder.path()).unwrap().begin(in_deep("b")).unwrap();
        let beside = running.beside.clone();
        assert!(!left.exists() && in_deep("a.part").exists());
        let root = TargetRoot::open(folder.path()).unwrap();
        root.begin(in_deep("c")).unwrap().keep().unwrap();
        assert!(beside.exists(), "somebody still writes it");
        running.keep().unwrap();
        assert!(in_deep("b").exists() && in_deep("c").exists());
    }
}
