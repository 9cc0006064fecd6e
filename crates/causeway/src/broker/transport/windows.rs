//! Compiled, never run by us on a Windows machine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};
use tokio::sync::{Mutex, Notify};

use super::super::keeper::Keeper;
use super::super::protocol;

/// `ERROR_PIPE_BUSY`: every instance serves somebody else at this moment.
const BUSY: i32 = 231;

/// A named pipe with a random name, which stands in a file in the job's folder. Windows lets others read from such a pipe but
/// not write to it, and a client that does not ask gets nothing.
pub(in super::super) struct Listener {
    next: Mutex<NamedPipeServer>,
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
        let next = ServerOptions::new().first_pipe_instance(true).create(&pipe).context("named pipe")?;
        let (fresh, file) = (folder.join(format!("{name}.new")), folder.join(name));
        fs::write(&fresh, &pipe)
            .and_then(|()| fs::rename(&fresh, &file))
            .with_context(|| format!("{} could not be written", file.display()))?;
        Ok(Self { next: Mutex::new(next), pipe, file })
    }

    /// Whether the file still names this pipe.
    pub(in super::super) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|pipe| pipe == self.pipe)
    }

    /// Answers for ever.
    pub(in super::super) async fn serve(&self, keeper: &Arc<Keeper>, stop: &Arc<Notify>) {
        let mut next = self.next.lock().await;
        loop {
            let connected = next.connect().await;
            let Ok(fresh) = ServerOptions::new().create(&self.pipe) else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let stream = std::mem::replace(&mut *next, fresh);
            if connected.is_ok() {
                let (keeper, stop) = (keeper.clone(), stop.clone());
                tokio::spawn(async move {
                    let _ = protocol::answer(stream, &keeper, &stop).await;
                });
            }
        }
    }

    /// Takes the file away, unless it names somebody else's pipe by now.
    pub(in super::super) fn remove(&self) {
        if self.is_current() {
            let _ = fs::remove_file(&self.file);
        }
    }
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
