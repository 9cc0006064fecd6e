use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};

/// A new path in `folder` that nobody uses, `causeway-<guid>` with `suffix`.
pub(crate) fn fresh_path(folder: &Path, suffix: &str) -> PathBuf {
    folder.join(format!("causeway-{}{suffix}", uuid::Uuid::new_v4()))
}

/// Writes a secret to a new file that only this user can read. An existing file or link is never written to.
pub(crate) fn write_secret(path: &Path, secret: &SecretString) -> Result<()> {
    write_private(path, secret.expose_secret().as_bytes())
}

/// The same with bytes.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(content))
        .with_context(|| format!("{} could not be written", path.display()))
}
