//! Compiled, never run by us on a Windows machine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use interprocess::os::windows::named_pipe::tokio::PipeListener;
use interprocess::os::windows::named_pipe::{PipeListenerOptions, pipe_mode};
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use tokio::sync::Notify;
use widestring::{U16CStr, u16cstr};

use super::super::keeper::Keeper;
use super::super::protocol;

/// `ERROR_PIPE_BUSY`: every instance serves somebody else at this moment.
const BUSY: i32 = 231;

/// Who may open the pipe: its owner, and the system; what a pipe has by itself would let everybody read ("Security Descriptor
/// String Format" and "Named Pipe Security and Access Rights", Windows App Development).
const OWNER_ALONE: &U16CStr = u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)");

/// A named pipe with a random name, which stands in a file in the job's folder.
pub(in super::super) struct Listener {
    listener: PipeListener<pipe_mode::Bytes, pipe_mode::Bytes>,
    pipe: String,
    file: PathBuf,
}

impl Listener {
    /// Listens, and writes the pipe's name into the file `name` of `folder`.
    ///
    /// # Errors
    /// When pipe or file cannot be made.
    pub(in super::super) fn open(folder: &Path, name: String) -> Result<Self> {
        let pipe = format!(r"\\.\pipe\causeway-{}", uuid::Uuid::new_v4());
        let listener = listener(&pipe).context("named pipe")?;
        let (fresh, file) = (folder.join(format!("{name}.new")), folder.join(name));
        fs::write(&fresh, &pipe)
            .and_then(|()| fs::rename(&fresh, &file))
            .with_context(|| format!("{} could not be written", file.display()))?;
        Ok(Self { listener, pipe, file })
    }

    /// Whether the file still names this pipe.
    pub(in super::super) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|pipe| pipe == self.pipe)
    }

    /// Answers for ever.
    pub(in super::super) async fn serve(&self, keeper: &Arc<Keeper>, stop: &Arc<Notify>) {
        loop {
            let Ok(stream) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (keeper, stop) = (keeper.clone(), stop.clone());
            tokio::spawn(async move {
                let _ = protocol::answer(stream, &keeper, &stop).await;
            });
        }
    }

    /// Takes the file away, unless it names somebody else's pipe by now.
    pub(in super::super) fn remove(&self) {
        if self.is_current() {
            let _ = fs::remove_file(&self.file);
        }
    }
}

fn listener(pipe: &str) -> std::io::Result<PipeListener<pipe_mode::Bytes, pipe_mode::Bytes>> {
    PipeListenerOptions::new()
        .path(pipe)
        .security_descriptor(Some(SecurityDescriptor::deserialize(OWNER_ALONE)?))
        .create_tokio_duplex()
}

/// Connects to the pipe that the file `name` of `folder` names.
pub(super) fn connect(folder: &Path, name: &str, patience: Duration) -> std::io::Result<File> {
    let pipe = fs::read_to_string(folder.join(name))?;
    let begin = std::time::Instant::now();
    loop {
        match fs::OpenOptions::new().read(true).write(true).open(&pipe) {
            Err(error) if error.raw_os_error() == Some(BUSY) && begin.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(10));
            }
            // The file is there and the pipe is not: its process was ended.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(std::io::ErrorKind::ConnectionRefused.into());
            }
            opened => return opened,
        }
    }
}
