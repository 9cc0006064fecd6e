use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::failure::FailureReason;

/// An open file that notices when somebody writes to it. Its calls wait for a disk: they belong off the async
/// threads.
#[derive(Debug, Clone)]
pub(crate) struct SourceReader {
    file: Arc<File>,
    state: State,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl SourceReader {
    pub(crate) fn open(path: &Path) -> Result<Self, FailureReason> {
        open(path).map_err(|error| FailureReason::unreadable(&error))
    }

    /// The file's size when it was opened.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.bytes
    }

    /// Fills the buffer from this place of the file on. A file that ends early has changed.
    pub(crate) fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), FailureReason> {
        read_exact_at(&self.file, buffer, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => FailureReason::Changed,
            _ => FailureReason::unreadable(&error),
        })
    }

    /// Fails if the file is not as it was when it was opened.
    pub(crate) fn check_unchanged(&self) -> Result<(), FailureReason> {
        match self.file.metadata().map(|metadata| State::of(&metadata)) {
            Ok(now) if now == self.state => Ok(()),
            Ok(_) => Err(FailureReason::Changed),
            Err(error) => Err(FailureReason::unreadable(&error)),
        }
    }
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self { bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

fn open(path: &Path) -> io::Result<SourceReader> {
    let file = open_at_once(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no longer a regular file"));
    }
    Ok(SourceReader { file: Arc::new(file), state: State::of(&metadata) })
}

/// Opens it for reading. What has become a pipe meanwhile does not wait for its other end (open(2), `O_NONBLOCK`).
#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    use rustix::io::{Errno, retry_on_intr};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match retry_on_intr(|| open(path, flags, Mode::empty())) {
        // Somebody holds a lease on it, a file server for example, and gives it back to who waits (fcntl(2), "Leases").
        Err(Errno::WOULDBLOCK) if std::fs::metadata(path)?.is_file() => File::open(path),
        opened => Ok(opened?.into()),
    }
}

#[cfg(windows)]
fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Runs what may wait for a disk on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down: nobody waits for the answer.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Runs something on a thread where it may wait for a disk, until it is done or stopped.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    stop: &CancellationToken,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (handle, stop) = (Handle::current(), stop.child_token());
    // Who no longer waits for it wants no more of it.
    let _guard = stop.clone().drop_guard();
    let work = Box::pin(work);
    blocking(move || handle.block_on(stop.run_until_cancelled(work))).await
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !buffer.is_empty() {
        match file.seek_read(buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}
