//! Whether a blob is in a repository, and the ways in which it gets there.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use url::Url;

use super::answer::Answer;
use super::upload::Upload;
use super::{Registry, RegistryError, Request};
use crate::image::LocalBlob;
use crate::{Digest, RepositoryName};

/// How a blob came to be in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It was there.
    Present,
    /// The registry took it from another repository.
    Mounted,
    /// It was sent.
    Sent,
}

impl Registry {
    /// Brings a blob into the repository, unless it is there. `sent` counts its bytes on the way.
    pub(crate) async fn push_blob(
        &self,
        repository: &RepositoryName,
        blob: &LocalBlob,
        mount_from: &[RepositoryName],
        sent: &Arc<AtomicU64>,
    ) -> Result<Arrival, RegistryError> {
        if self.has_blob(repository, &blob.digest).await? {
            return Ok(Arrival::Present);
        }
        let mut begun = None;
        for source in mount_from.iter().filter(|source| *source != repository) {
            match self.mount(repository, &blob.digest, source).await? {
                Mount::Done => return Ok(Arrival::Mounted),
                Mount::Begun(session) => begun = Some(session),
                Mount::Refused => {}
            }
        }
        Upload::new(self, repository, blob, sent).run(begun).await?;
        Ok(Arrival::Sent)
    }

    /// Whether the repository has a blob.
    pub(crate) async fn has_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let action = format!("looking for {digest}");
        let request = Request::new("HEAD", self.url(repository, &format!("blobs/{digest}"))?);
        let answer = self.send(&request, &action).await?;
        match answer.status {
            200..=299 | 307 => Ok(true),
            404 => Ok(false),
            _ => Err(answer.into_error(&action).await),
        }
    }

    async fn mount(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        source: &RepositoryName,
    ) -> Result<Mount, RegistryError> {
        let action = format!("mounting {digest} from {source}");
        let mut url = self.url(repository, "blobs/uploads/")?;
        url.query_pairs_mut().append_pair("mount", digest.as_str()).append_pair("from", source.as_str());
        let request = Request::new("POST", url).with("content-length", "0");
        let answer = self.send(&request, &action).await?;
        match answer.status {
            201 => Ok(Mount::Done),
            202 => Ok(Mount::Begun(self.location(&answer, &request.url, &action)?)),
            // Not allowed to read there, or no such repository: then it is sent.
            400..=499 => Ok(Mount::Refused),
            _ => Err(answer.into_error(&action).await),
        }
    }

    /// Where the upload goes on. It must be this registry's, or the login and the blob would go elsewhere.
    pub(super) fn location(&self, answer: &Answer, asked: &Url, action: &str) -> Result<Url, RegistryError> {
        let wrong =
            |reason: &str| RegistryError::Protocol { action: action.to_owned(), reason: reason.into() };
        let text = answer.header("location").ok_or_else(|| wrong("the registry names no place for it"))?;
        let url = asked.join(text).map_err(|_| wrong("the registry names a place that is no address"))?;
        if self.is_own(&url) { Ok(url) } else { Err(wrong("the registry names a place on another host")) }
    }
}

enum Mount {
    Done,
    Begun(Url),
    Refused,
}
