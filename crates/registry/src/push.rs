use futures_util::{StreamExt, TryStreamExt};

use crate::distribution::Arrival;
use crate::image::LocalBlob;
use crate::{Digest, Image, Progress, Reference, Registry, RegistryError, RepositoryName, Tag};

/// Blobs under way at once; docker has five.
const PARALLEL: usize = 5;

/// What to push to where.
#[derive(Debug)]
pub struct Push<'a> {
    /// Where to.
    pub repository: &'a RepositoryName,
    /// What the image is to be called there; at least one.
    pub tags: &'a [Tag],
    /// Repositories of the same registry to take layers from.
    pub mount_from: &'a [RepositoryName],
}

/// How a push went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The digest that all tags point to now.
    pub digest: Digest,
    /// Blobs that were there.
    pub present: usize,
    /// Blobs that the registry took from another repository.
    pub mounted: usize,
    /// Blobs that were sent.
    pub sent: usize,
    /// Their bytes.
    pub sent_bytes: u64,
}

impl Push<'_> {
    /// Brings the image and its tags into the repository: blobs, then manifests, then tags, so that no tag ever points to
    /// something that is not whole. What is there is not sent.
    ///
    /// # Errors
    /// [`RegistryError`]. What was sent stays, and a second push goes on from there.
    pub async fn run(
        &self,
        registry: &Registry,
        image: &Image,
        progress: &Progress,
    ) -> Result<Pushed, RegistryError> {
        let digest = image.root.digest.clone();
        let mut pushed = Pushed { digest: digest.clone(), present: 0, mounted: 0, sent: 0, sent_bytes: 0 };
        progress.expect(image.size());
        let reference = Reference::from(digest);
        // A registry takes a manifest only when all that it refers to is there.
        if known(registry, self.repository, &reference).await?.is_some() {
            pushed.present = image.blobs.len();
            progress.settle(&progress.begin(), image.size());
        } else {
            self.push_blobs(registry, image, progress, &mut pushed).await?;
            for manifest in &image.manifests {
                let reference = Reference::from(manifest.digest.clone());
                registry.put_manifest(self.repository, &reference, manifest).await?;
            }
        }
        for tag in self.tags {
            set_tag(registry, self.repository, tag, &image.root).await?;
        }
        Ok(pushed)
    }

    async fn push_blobs(
        &self,
        registry: &Registry,
        image: &Image,
        progress: &Progress,
        pushed: &mut Pushed,
    ) -> Result<(), RegistryError> {
        // The largest first, so that none of them is left alone at the end.
        let mut blobs: Vec<&LocalBlob> = image.blobs.iter().collect();
        blobs.sort_by_key(|blob| std::cmp::Reverse(blob.location.length));
        let mut sendings = Vec::with_capacity(blobs.len());
        for blob in blobs {
            sendings.push(self.push_blob(registry, blob, progress));
        }
        let mut arrivals = futures_util::stream::iter(sendings).buffer_unordered(PARALLEL);
        while let Some((arrival, size)) = arrivals.try_next().await? {
            match arrival {
                Arrival::Present => pushed.present += 1,
                Arrival::Mounted => pushed.mounted += 1,
                Arrival::Sent => {
                    pushed.sent += 1;
                    pushed.sent_bytes += size;
                }
            }
        }
        Ok(())
    }

    async fn push_blob(
        &self,
        registry: &Registry,
        blob: &LocalBlob,
        progress: &Progress,
    ) -> Result<(Arrival, u64), RegistryError> {
        let (count, size) = (progress.begin(), blob.location.length);
        let arrival = registry.push_blob(self.repository, blob, self.mount_from, &count).await?;
        progress.settle(&count, size);
        Ok((arrival, size))
    }
}

/// The digest behind a reference. Who may push and not read (`ecr:BatchGetImage`) does not learn it, and can do without.
async fn known(
    registry: &Registry,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<Option<Digest>, RegistryError> {
    match registry.resolve(repository, reference).await {
        Err(error) if error.status() == Some(403) => Ok(None),
        ending => ending,
    }
}

/// Points a tag to a manifest, unless it does already: a repository with immutable tags refuses even that. So it does when
/// the answer to a first try was lost; the tag is looked at once more then.
async fn set_tag(
    registry: &Registry,
    repository: &RepositoryName,
    tag: &Tag,
    root: &crate::Document,
) -> Result<(), RegistryError> {
    let reference = Reference::from(tag.clone());
    if known(registry, repository, &reference).await?.as_ref() == Some(&root.digest) {
        return Ok(());
    }
    match registry.put_manifest(repository, &reference, root).await {
        Err(error) if error.is_immutable_tag() => match known(registry, repository, &reference).await {
            Ok(Some(digest)) if digest == root.digest => Ok(()),
            _ => Err(error),
        },
        ending => ending,
    }
}

/// Gives an image of a repository further tags. No layer moves; several platforms stay together.
///
/// # Errors
/// When there is no such image, or a tag cannot be set.
pub async fn retag(
    registry: &Registry,
    repository: &RepositoryName,
    source: &Reference,
    tags: &[Tag],
) -> Result<Digest, RegistryError> {
    let document = registry.manifest(repository, source).await?;
    for tag in tags {
        set_tag(registry, repository, tag, &document).await?;
    }
    Ok(document.digest)
}

/// The first of the tags that points to another image than `digest`.
///
/// # Errors
/// When the registry does not say.
pub async fn tag_in_use(
    registry: &Registry,
    repository: &RepositoryName,
    tags: &[Tag],
    digest: &Digest,
) -> Result<Option<(Tag, Digest)>, RegistryError> {
    for tag in tags {
        match known(registry, repository, &Reference::from(tag.clone())).await? {
            Some(other) if other != *digest => return Ok(Some((tag.clone(), other))),
            _ => {}
        }
    }
    Ok(None)
}
