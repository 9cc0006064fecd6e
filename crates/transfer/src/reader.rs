use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};

use crate::failure::FailureReason;

/// How much is read at once where content is not kept.
pub(crate) const SCRATCH_BYTES: u64 = 256 << 10;

/// CRC-64/NVME, the checksum that S3 can verify over a whole object however many parts it came in.
pub(crate) const CHECKSUM: CrcAlgorithm = CrcAlgorithm::Crc64Nvme;

/// An open file that is read off the async threads, and that notices when somebody writes to it.
#[derive(Debug, Clone)]
pub(crate) struct SourceReader {
    file: Arc<File>,
    path: PathBuf,
    state: State,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl SourceReader {
    pub(crate) async fn open(path: &Path) -> Result<Self, FailureReason> {
        let path = path.to_owned();
        blocking(move || open(path)).await
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's size when it was opened.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.bytes
    }

    /// Reads a range and its checksum.
    pub(crate) async fn read(&self, offset: u64, bytes: u64) -> Result<(Bytes, u64), FailureReason> {
        let file = Arc::clone(&self.file);
        blocking(move || {
            let mut content = buffer(bytes)?;
            read_exact_at(&file, &mut content, offset)?;
            let checksum = crc_fast::checksum(CHECKSUM, &content);
            Ok((content.into(), checksum))
        })
        .await
    }

    /// Reads a range for its checksum alone.
    pub(crate) async fn checksum(&self, offset: u64, bytes: u64) -> Result<u64, FailureReason> {
        let file = Arc::clone(&self.file);
        blocking(move || {
            let mut digest = Digest::new(CHECKSUM);
            let mut scratch = buffer(SCRATCH_BYTES)?;
            let mut done = 0;
            while done < bytes {
                let wanted = usize::try_from(SCRATCH_BYTES.min(bytes - done)).map_err(io::Error::other)?;
                read_exact_at(&file, &mut scratch[..wanted], offset + done)?;
                digest.update(&scratch[..wanted]);
                done += wanted as u64;
            }
            Ok(digest.finalize())
        })
        .await
    }

    /// Fails if the file is not as it was when it was opened.
    pub(crate) async fn check_unchanged(&self) -> Result<(), FailureReason> {
        let (file, before) = (Arc::clone(&self.file), self.state);
        let now = blocking(move || State::of(&file)).await?;
        if now == before { Ok(()) } else { Err(FailureReason::Changed) }
    }
}

impl State {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

fn open(path: PathBuf) -> io::Result<SourceReader> {
    // Looked at first, because opening what has become a pipe would wait for its other end.
    if !std::fs::metadata(&path)?.is_file() {
        return Err(io::Error::other("it is no longer a regular file"));
    }
    let file = File::open(&path)?;
    let state = State::of(&file)?;
    Ok(SourceReader { file: Arc::new(file), path, state })
}

/// Runs what may wait for a disk on a thread of its own. A file that ends early has changed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, FailureReason> {
    let result = match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(io::Error::other(error)),
        },
    };
    result.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => FailureReason::Changed,
        _ => FailureReason::unreadable(&error),
    })
}

fn buffer(bytes: u64) -> io::Result<Vec<u8>> {
    Ok(vec![0; usize::try_from(bytes).map_err(io::Error::other)?])
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
