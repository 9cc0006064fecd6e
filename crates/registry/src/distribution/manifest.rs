use super::{Registry, RegistryError, Request};
use crate::hasher::has_digest;
use crate::image::{Document, LARGEST_MANIFEST, media_type};
use crate::{Digest, Reference, RepositoryName};

impl Registry {
    /// Reads a manifest or index, byte for byte.
    ///
    /// # Errors
    /// When there is none ([`RegistryError::status`] is 404), or what came is not what its digest says.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<Document, RegistryError> {
        let action = format!("reading {repository}{}{reference}", reference.joint());
        let url = self.url(repository, &format!("manifests/{reference}"))?;
        let request = Request::new("GET", url).with("accept", media_type::MANIFESTS.join(", "));
        let answer = self.send(&request, &action).await?;
        if answer.status != 200 {
            return Err(answer.into_error(&action).await);
        }
        let declared = answer.header("content-type").map(str::to_owned);
        let claimed = answer.header("docker-content-digest").and_then(|digest| digest.parse().ok());
        let bytes = answer.bytes(usize::try_from(LARGEST_MANIFEST).unwrap_or(usize::MAX), &action).await?;
        let expected: Option<Digest> = match reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(_) => claimed,
        };
        if let Some(expected) = expected.as_ref().filter(|expected| !has_digest(&bytes, expected)) {
            return Err(RegistryError::Digest { action, digest: expected.clone() });
        }
        let unreadable = |reason| RegistryError::Protocol { action: action.clone(), reason };
        let (document, _) = Document::of(bytes, declared.as_deref()).map_err(unreadable)?;
        // The registry knows it by this digest, of whatever algorithm.
        Ok(Document { digest: expected.unwrap_or_else(|| document.digest.clone()), ..document })
    }

    /// The digest that a tag points to, or whether a manifest is there; `None` when it is not.
    ///
    /// # Errors
    /// When the registry does not say.
    pub async fn resolve(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Digest>, RegistryError> {
        let action = format!("looking for {repository}{}{reference}", reference.joint());
        let url = self.url(repository, &format!("manifests/{reference}"))?;
        let request = Request::new("HEAD", url).with("accept", media_type::MANIFESTS.join(", "));
        let answer = self.send(&request, &action).await?;
        match answer.status {
            200 => {
                let digest = answer.header("docker-content-digest").and_then(|digest| digest.parse().ok());
                match (digest, reference) {
                    (Some(digest), _) => Ok(Some(digest)),
                    (None, Reference::Digest(digest)) => Ok(Some(digest.clone())),
                    (None, Reference::Tag(_)) => {
                        self.manifest(repository, reference).await.map(|document| Some(document.digest))
                    }
                }
            }
            404 => Ok(None),
            _ => Err(answer.into_error(&action).await),
        }
    }

    /// Stores a manifest under a tag or its own digest. Everything that it refers to must be there.
    ///
    /// # Errors
    /// When the registry refuses; [`RegistryError::is_immutable_tag`] tells the most common reason apart.
    pub async fn put_manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
        document: &Document,
    ) -> Result<(), RegistryError> {
        let action = format!("writing {repository}{}{reference}", reference.joint());
        let url = self.url(repository, &format!("manifests/{reference}"))?;
        let mut request = Request::new("PUT", url)
            .with("content-type", &document.media_type)
            .with("content-length", document.bytes.len().to_string());
        request.body = document.bytes.clone();
        let answer = self.send(&request, &action).await?;
        if !matches!(answer.status, 200..=202) {
            return Err(answer.into_error(&action).await);
        }
        let stored: Option<Digest> =
            answer.header("docker-content-digest").and_then(|text| text.parse().ok());
        match stored {
            Some(stored) if stored != document.digest => Err(RegistryError::Protocol {
                action,
                reason: format!("the registry stored {stored} instead of {}", document.digest),
            }),
            _ => Ok(()),
        }
    }
}
