//! Sending a blob: "Pushing blobs", OCI Distribution Specification.
//!
//! A large blob goes in one `PATCH` at first, as docker's own push sends it: that every registry understands. After a fault it
//! goes on in pieces, so that the next fault costs one piece: the registry is asked how much it has, and the rest is sent. ECR
//! has been seen to lose every piece after the first (aws/containers-roadmap#2831): where the registry's `Range` stays behind,
//! the blob goes in one again, from the beginning. The registry checks the digest at the end, so nothing wrong can stay.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_types::body::SdkBody;
use url::Url;

use super::answer::Answer;
use super::body::BlobBody;
use super::patience::{FINISHING, Patience, while_moving};
use super::{Registry, RegistryError, Request};
use crate::hasher::Hasher;
use crate::image::LocalBlob;
use crate::{Digest, RepositoryName};

/// Up to here a blob goes with the request that ends the upload.
const SMALL: u64 = 64 << 10;

/// The size of a piece. ECR's parts have at least 5 MiB ("Amazon ECR service quotas").
const PIECE: u64 = 16 << 20;

/// What is less than this is quicker sent again than asked for.
const WORTH_RESUMING: u64 = 1 << 20;

/// One blob on its way.
pub(super) struct Upload<'a> {
    registry: &'a Registry,
    repository: &'a RepositoryName,
    blob: &'a LocalBlob,
    /// Counts what of this blob is on its way or there.
    sent: &'a Arc<AtomicU64>,
    action: String,
    way: Way,
    /// Whether the session is still good for anything.
    may_resume: bool,
    /// Whether the login was renewed on the way.
    renewed: bool,
}

/// In how many requests the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In one, until a fault.
    Whole,
    /// In pieces.
    Pieces,
    /// In one, because the registry loses pieces.
    AlwaysWhole,
}

impl<'a> Upload<'a> {
    /// `sent` counts the blob's bytes on the way.
    pub(super) fn new(
        registry: &'a Registry,
        repository: &'a RepositoryName,
        blob: &'a LocalBlob,
        sent: &'a Arc<AtomicU64>,
    ) -> Self {
        let action = format!("sending {}", blob.digest);
        let (way, may_resume, renewed) = (Way::Whole, true, false);
        Self { registry, repository, blob, sent, action, way, may_resume, renewed }
    }

    /// Tries until it is there, cannot be, or the patience ends. `begun` is an upload that the registry has opened already.
    pub(super) async fn run(&mut self, begun: Option<Url>) -> Result<(), RegistryError> {
        let mut patience = Patience::new();
        let mut state = begun.map(|session| (session, 0));
        let mut furthest = 0;
        loop {
            let error = match self.attempt(&mut state).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let error = self.judge(error).await?;
            patience.wait(error).await?;
            if self.registry.has_blob(self.repository, &self.blob.digest).await? {
                return Ok(());
            }
            state = self.resume(state.take()).await;
            let kept = state.as_ref().map_or(0, |(_, received)| *received);
            self.sent.store(kept, Ordering::Relaxed);
            if kept > furthest {
                (furthest, patience) = (kept, Patience::new());
            }
        }
    }

    /// One way through: begin, send, finish. `state` is where it stands: the session and how much the registry has.
    async fn attempt(&mut self, state: &mut Option<(Url, u64)>) -> Result<(), RegistryError> {
        let (session, received) = match state.take() {
            Some(state) => state,
            None => (self.begin().await?, 0),
        };
        *state = Some((session.clone(), received));
        if self.blob.location.length <= SMALL {
            return self.finish(session, true).await;
        }
        let session = self.send_rest(session, received, state).await?;
        self.finish(session, false).await
    }

    /// Sends what the registry does not have yet; answers where the upload goes on.
    async fn send_rest(
        &mut self,
        mut session: Url,
        mut received: u64,
        state: &mut Option<(Url, u64)>,
    ) -> Result<Url, RegistryError> {
        let size = self.blob.location.length;
        while received < size {
            let end = if self.way == Way::Pieces { size.min(received + PIECE) } else { size };
            session = self.send_part(&session, received, end).await?;
            received = end;
            *state = Some((session.clone(), received));
        }
        Ok(session)
    }

    async fn begin(&self) -> Result<Url, RegistryError> {
        let request = Request::new("POST", self.registry.url(self.repository, "blobs/uploads/")?);
        let request = request.with("content-length", "0");
        let answer = self.registry.send(&request, &self.action).await?;
        if answer.status != 202 {
            return Err(answer.into_error(&self.action).await);
        }
        self.registry.location(&answer, &request.url, &self.action)
    }

    /// Sends the bytes from `start` to `end` in one request; answers where the upload goes on.
    async fn send_part(&mut self, session: &Url, start: u64, end: u64) -> Result<Url, RegistryError> {
        let mut request = Request::new("PATCH", session.clone())
            .with("content-type", "application/octet-stream")
            .with("content-length", (end - start).to_string());
        let is_whole = start == 0 && end == self.blob.location.length;
        if !is_whole {
            request = request.with("content-range", format!("{start}-{}", end - 1));
        }
        let answer = match self.stream(&request, start, end).await {
            Ok(answer) if matches!(answer.status, 201 | 202 | 204) => answer, // ECR answers 201.
            ending => {
                if self.way == Way::Whole {
                    self.way = Way::Pieces;
                }
                return Err(match ending {
                    Ok(answer) => answer.into_error(&self.action).await,
                    Err(error) => error,
                });
            }
        };
        let has = answer.header("range").and_then(received_of);
        if start > 0 && has.is_some_and(|has| has != end) {
            (self.way, self.may_resume) = (Way::AlwaysWhole, false);
            let digest = self.blob.digest.clone();
            return Err(RegistryError::Digest { action: self.action.clone(), digest });
        }
        self.registry.location(&answer, session, &self.action)
    }

    async fn stream(&self, request: &Request, start: u64, end: u64) -> Result<Answer, RegistryError> {
        let (body, problem) = BlobBody::open(&self.blob.location, start..end, self.sent.clone())
            .map_err(|error| self.unreadable(error))?;
        let sending = self.registry.send_once(request, SdkBody::from_body_1_x(body), &self.action);
        let ending = while_moving(sending, self.sent, &self.action).await;
        match problem.take() {
            Some(error) => Err(self.unreadable(error)),
            None => ending,
        }
    }

    /// Says what it should be; the registry checks it.
    async fn finish(&self, mut session: Url, with_content: bool) -> Result<(), RegistryError> {
        session.query_pairs_mut().append_pair("digest", self.blob.digest.as_str());
        let length = if with_content { self.blob.location.length } else { 0 };
        let request = Request::new("PUT", session)
            .with("content-type", "application/octet-stream")
            .with("content-length", length.to_string());
        let answer = if with_content {
            self.stream(&request, 0, length).await?
        } else {
            let sending = self.registry.send_once(&request, SdkBody::empty(), &self.action);
            let stalled = |_| RegistryError::Stalled { action: self.action.clone() };
            tokio::time::timeout(FINISHING, sending).await.map_err(stalled)??
        };
        match answer.status {
            201 | 202 | 204 => Ok(()),
            _ => Err(answer.into_error(&self.action).await),
        }
    }

    /// Whether to go on after this error; what is final comes back as an error.
    async fn judge(&mut self, error: RegistryError) -> Result<RegistryError, RegistryError> {
        let code = error.code().unwrap_or_default();
        // The session is lost, or what arrived twice or not at all spoils it.
        if matches!(error.status(), Some(404 | 416)) && code != "NAME_UNKNOWN" {
            self.may_resume = false;
            return Ok(error);
        }
        if code == "DIGEST_INVALID" || code == "SIZE_INVALID" {
            self.check_disk().await?;
            self.may_resume = false;
            return Ok(error);
        }
        // A token has run out; it was renewed, but the bytes were gone.
        if error.status() == Some(401) && !std::mem::replace(&mut self.renewed, true) {
            return Ok(error);
        }
        if error.is_transient() { Ok(error) } else { Err(error) }
    }

    /// Asks how much arrived. `None` means from the beginning.
    async fn resume(&mut self, state: Option<(Url, u64)>) -> Option<(Url, u64)> {
        let is_good = std::mem::replace(&mut self.may_resume, true);
        let (session, _) = state.filter(|_| is_good && self.way != Way::AlwaysWhole)?;
        if self.blob.location.length <= SMALL {
            return None;
        }
        let request = Request::new("GET", session.clone());
        let answer = self.registry.send(&request, &self.action).await.ok()?;
        if !matches!(answer.status, 200..=204) {
            return None;
        }
        let received = answer.header("range").and_then(received_of)?;
        let next = self.registry.location(&answer, &session, &self.action).unwrap_or(session);
        (WORTH_RESUMING..=self.blob.location.length).contains(&received).then_some((next, received))
    }

    /// The registry says that the digest is another: is it the disk's fault?
    async fn check_disk(&self) -> Result<(), RegistryError> {
        let (location, mut hasher) = (self.blob.location.clone(), Hasher::like(&self.blob.digest));
        let hashed = tokio::task::spawn_blocking(move || -> io::Result<Digest> {
            let open = location.open()?;
            let (mut buffer, mut position) = (vec![0; 1 << 18], 0);
            loop {
                match open.read_at(position, &mut buffer)? {
                    0 => return Ok(hasher.digest()),
                    count => hasher.update(&buffer[..count]),
                }
                position += buffer.len() as u64;
            }
        });
        let hashed = hashed.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        if hashed.map_err(|error| self.unreadable(error))? == self.blob.digest {
            Ok(())
        } else {
            Err(RegistryError::Damaged { digest: self.blob.digest.clone() })
        }
    }

    fn unreadable(&self, error: io::Error) -> RegistryError {
        RegistryError::Io { action: "read", path: self.blob.digest.as_str().into(), error }
    }
}

/// The bytes that a registry has: `Range: 0-<last>`, where `0-0` stands for none.
fn received_of(range: &str) -> Option<u64> {
    let (_, last) = range.trim().trim_start_matches("bytes=").split_once('-')?;
    match last.trim().parse().ok()? {
        0 => Some(0),
        last => Some(last + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::received_of;

    #[test]
    fn the_registrys_range_is_inclusive() {
        for (range, received) in [
            ("0-99", Some(100)),
            ("bytes=0-1048575", Some(1 << 20)),
            ("0-0", Some(0)),
            ("x", None),
            ("0-", None),
        ] {
            assert_eq!(received_of(range), received, "{range}");
        }
    }
}
