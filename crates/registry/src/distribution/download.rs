//! Fetching a blob into a file: "Pulling blobs", OCI Distribution Specification.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_types::body::SdkBody;
use url::Url;

use super::answer::{Answer, next_part};
use super::patience::{Patience, answered};
use super::{Registry, RegistryError, Request};
use crate::hasher::Hasher;
use crate::{Digest, RepositoryName};

/// Redirects that are followed: ECR sends blobs from S3.
const REDIRECTS: usize = 4;

impl Registry {
    /// Writes a blob to `path`, whole and with the right digest, or not at all. `received` counts its bytes.
    pub(crate) async fn fetch_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        size: u64,
        path: &Path,
        received: &AtomicU64,
    ) -> Result<(), RegistryError> {
        let mut partial = Partial::create(path, digest).map_err(|error| unwritten(path, error))?;
        let url = self.url(repository, &format!("blobs/{digest}"))?;
        let action = format!("fetching {digest}");
        let mut patience = Patience::new();
        loop {
            let error = match self.fetch_rest(&url, &mut partial, (path, size), received, &action).await {
                Ok(()) => match partial.check(size, &action) {
                    Ok(()) => return partial.keep(path).map_err(|error| unwritten(path, error)),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if !error.is_transient() {
                return Err(error);
            }
            if matches!(error, RegistryError::Digest { .. }) {
                partial.restart().map_err(|error| unwritten(path, error))?;
                received.store(0, Ordering::Relaxed);
            }
            patience.wait(error).await?;
        }
    }

    async fn fetch_rest(
        &self,
        url: &Url,
        partial: &mut Partial,
        (path, size): (&Path, u64),
        received: &AtomicU64,
        action: &str,
    ) -> Result<(), RegistryError> {
        let mut request = Request::new("GET", url.clone());
        if partial.length > 0 {
            request = request.with("range", format!("bytes={}-", partial.length));
        }
        let answer = self.follow(request, action).await?;
        match answer.status {
            206 => {}
            // The whole again.
            200 => {
                partial.restart().map_err(|error| unwritten(path, error))?;
                received.store(0, Ordering::Relaxed);
            }
            // There is nothing beyond what is here already.
            416 if partial.length > 0 => return Ok(()),
            _ => return Err(answer.into_error(action).await),
        }
        let mut body = answer.into_body();
        while let Some(part) = next_part(&mut body, action).await? {
            partial.write(&part).map_err(|error| unwritten(path, error))?;
            // It is wrong already, and must not fill the disk.
            if partial.length > size {
                break;
            }
            received.fetch_add(part.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Follows redirects; another host sees no login.
    async fn follow(&self, mut request: Request, action: &str) -> Result<Answer, RegistryError> {
        for _ in 0..REDIRECTS {
            let answer = answered(self.send_once(&request, SdkBody::empty(), action), action).await?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let target = answer.header("location").and_then(|target| request.url.join(target).ok());
            let target = target.filter(|target| target.scheme() == "https");
            request.url = target.ok_or_else(|| RegistryError::Protocol {
                action: action.to_owned(),
                reason: "the registry redirects to what is no https address".to_owned(),
            })?;
        }
        Err(RegistryError::Protocol { action: action.to_owned(), reason: "too many redirects".to_owned() })
    }
}

fn unwritten(path: &Path, error: io::Error) -> RegistryError {
    RegistryError::Io { action: "written", path: path.to_owned(), error }
}

/// What has come so far, beside the place where it belongs.
struct Partial {
    file: tempfile::NamedTempFile,
    hasher: Hasher,
    length: u64,
    digest: Digest,
}

impl Partial {
    fn create(path: &Path, digest: &Digest) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(".blob-").tempfile_in(folder)?;
        Ok(Self { file, hasher: Hasher::like(digest), length: 0, digest: digest.clone() })
    }

    fn write(&mut self, part: &[u8]) -> io::Result<()> {
        self.hasher.update(part);
        self.length += part.len() as u64;
        self.file.write_all(part)
    }

    fn restart(&mut self) -> io::Result<()> {
        let file = self.file.as_file_mut();
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        (self.hasher, self.length) = (Hasher::like(&self.digest), 0);
        Ok(())
    }

    fn check(&self, size: u64, action: &str) -> Result<(), RegistryError> {
        let is_right = self.length == size && self.hasher.clone().digest() == self.digest;
        if is_right {
            Ok(())
        } else if self.length < size {
            Err(RegistryError::cut(action, "the connection ended too early".into()))
        } else {
            Err(RegistryError::Digest { action: action.to_owned(), digest: self.digest.clone() })
        }
    }

    fn keep(self, path: &Path) -> io::Result<()> {
        share(self.file.as_file())?;
        self.file.persist(path).map(drop).map_err(|error| error.error)
    }
}

/// A temporary file is its owner's alone; an image is what others read too.
#[cfg(unix)]
fn share(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
}

#[cfg(not(unix))]
fn share(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Whether a file has just this content already.
pub(crate) fn is_complete(path: &Path, digest: &Digest, size: u64) -> bool {
    let matches = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        if file.metadata()?.len() != size {
            return Ok(false);
        }
        let (mut hasher, mut buffer) = (Hasher::like(digest), vec![0; 1 << 18]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.digest() == *digest),
                count => hasher.update(&buffer[..count]),
            }
        }
    };
    matches().unwrap_or(false)
}
