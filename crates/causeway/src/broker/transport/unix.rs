use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::UnixListener;
use tokio::sync::Notify;

use super::super::keeper::Keeper;
use super::super::protocol;

/// A socket in the job's folder, mode 0600 in a folder of mode 0700.
pub(in super::super) struct Listener {
    listener: UnixListener,
    name: String,
    inode: u64,
}

impl Listener {
    /// Listens under `name` in `folder`, in place of who did so before. That one notices, and ends.
    ///
    /// The process changes into the folder: a socket's address has 107 characters at most (unix(7)), an agent's path may be
    /// longer.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub(in super::super) fn open(folder: &Path, name: String) -> Result<Self> {
        let made = || -> std::io::Result<Self> {
            std::env::set_current_dir(folder)?;
            let fresh = format!("{}.new", uuid::Uuid::new_v4());
            let listener = UnixListener::bind(&fresh)?;
            fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
            let inode = fs::symlink_metadata(&fresh)?.ino();
            fs::rename(&fresh, &name)?;
            Ok(Self { listener, name: name.clone(), inode })
        };
        made().with_context(|| format!("{} could not be made", folder.join(&name).display()))
    }

    /// Whether the socket is still the one that is found under its name.
    pub(in super::super) fn is_current(&self) -> bool {
        fs::symlink_metadata(&self.name).is_ok_and(|found| found.ino() == self.inode)
    }

    /// Answers this user, and root, for ever.
    pub(in super::super) async fn serve(&self, keeper: &Arc<Keeper>, stop: &Arc<Notify>) {
        let user = rustix::process::geteuid().as_raw();
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Too many open files, for example: others end first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            if !stream.peer_cred().is_ok_and(|peer| peer.uid() == user || peer.uid() == 0) {
                continue;
            }
            let (keeper, stop) = (keeper.clone(), stop.clone());
            tokio::spawn(async move {
                // A client that hangs up is no concern of ours.
                let _ = protocol::answer(stream, &keeper, &stop).await;
            });
        }
    }

    /// Takes the socket away, unless it is somebody else's by now.
    pub(in super::super) fn remove(&self) {
        if self.is_current() {
            let _ = fs::remove_file(&self.name);
        }
    }
}

/// Connects to the socket of that name; the process changes into the folder, as the listener does.
pub(super) fn connect(folder: &Path, name: &str, patience: Duration) -> std::io::Result<UnixStream> {
    std::env::set_current_dir(folder)?;
    let stream = UnixStream::connect(name)?;
    stream.set_read_timeout(Some(patience))?;
    Ok(stream)
}
