//! "OCI Image Layout Specification": `index.json` and `blobs/<algorithm>/<hex>`.

use std::collections::HashSet;

use super::document::{Contents, LARGEST_MANIFEST, LARGEST_TREE};
use super::files::Files;
use super::{Descriptor, Document, Image, ImageError, LocalBlob};
use crate::Digest;
use crate::hasher::has_digest;

const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// containerd's and docker's: the whole name, such as `docker.io/library/shop:1.0`.
const IMAGE_NAME: &str = "io.containerd.image.name";
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// Indexes within indexes: deeper is nobody's image.
const DEEPEST: usize = 4;

pub(super) fn read(files: &Files, wanted: Option<&str>) -> Result<Image, ImageError> {
    let json = files.read("index.json", LARGEST_MANIFEST)?.unwrap_or_default();
    let contents = Contents::parse(&json).map_err(|reason| files.malformed("index.json", reason))?;
    let chosen = choose(files, contents.manifests, wanted)?;
    let mut walk = Walk {
        files,
        manifests: Vec::new(),
        blobs: Vec::new(),
        bases: Vec::new(),
        seen: HashSet::new(),
        held: 0,
    };
    let root = walk.visit(&chosen, 0)?;
    let Walk { manifests, blobs, bases, .. } = walk;
    Ok(Image { root, manifests, blobs, bases })
}

/// The one image, or the one of that name.
fn choose(files: &Files, found: Vec<Descriptor>, wanted: Option<&str>) -> Result<Descriptor, ImageError> {
    let named = |descriptor: &Descriptor| {
        wanted.is_some_and(|wanted| {
            [IMAGE_NAME, REF_NAME].iter().any(|key| {
                descriptor.annotation(key).is_some_and(|name| super::docker_archive::is_name(name, wanted))
            })
        })
    };
    let digests: HashSet<&Digest> = found.iter().map(|descriptor| &descriptor.digest).collect();
    // The only one may have no name; one with another name is another image.
    let has_name = |descriptor: &Descriptor| {
        [IMAGE_NAME, REF_NAME].iter().any(|key| descriptor.annotation(key).is_some())
    };
    let is_free = wanted.is_none() || !found.iter().any(has_name);
    let position = if digests.len() == 1 && is_free { Some(0) } else { found.iter().position(named) };
    let names = || found.iter().map(name_of).collect();
    let Some(position) = position else {
        let wanted = super::docker_archive::asked_for(wanted);
        return Err(ImageError::Ambiguous { path: files.path().to_owned(), found: names(), wanted });
    };
    let mut found = found;
    Ok(found.swap_remove(position))
}

fn name_of(descriptor: &Descriptor) -> String {
    let name = descriptor.annotation(IMAGE_NAME).or_else(|| descriptor.annotation(REF_NAME));
    name.unwrap_or(descriptor.digest.as_str()).to_owned()
}

struct Walk<'a> {
    files: &'a Files,
    manifests: Vec<Document>,
    blobs: Vec<LocalBlob>,
    bases: Vec<String>,
    seen: HashSet<Digest>,
    /// Bytes of the manifests so far.
    held: u64,
}

impl Walk<'_> {
    /// Reads a manifest and all below it; answers the manifest itself.
    fn visit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Document, ImageError> {
        let digest = &descriptor.digest;
        if depth > DEEPEST {
            return Err(self.files.malformed(digest.as_str(), "indexes are nested too deep"));
        }
        let bytes = self.files.read(&blob_name(digest), LARGEST_MANIFEST)?;
        let bytes = bytes.ok_or_else(|| {
            let hint = if depth == 0 { "" } else { PLATFORM_HINT };
            self.missing("manifest", digest, hint)
        })?;
        self.held += bytes.len() as u64;
        if self.held > LARGEST_TREE {
            let reason = format!("the image's manifests are larger than {LARGEST_TREE} bytes together");
            return Err(self.files.malformed(digest.as_str(), reason));
        }
        if !has_digest(&bytes, digest) {
            return Err(self
                .files
                .malformed(digest.as_str(), "its content has another digest: it is damaged"));
        }
        let (document, contents) = Document::of(
            bytes,
            Some(&descriptor.media_type).filter(|kind| !kind.is_empty()).map(String::as_str),
        )
        .map_err(|reason| self.files.malformed(digest.as_str(), reason))?;
        let document = Document { digest: digest.clone(), ..document };
        self.note_base(&document);
        for child in &contents.manifests {
            if self.seen.insert(child.digest.clone()) {
                let below = self.visit(child, depth + 1)?;
                self.manifests.push(below);
            }
        }
        for blob in contents.blobs() {
            self.take(&blob, depth)?;
        }
        Ok(document)
    }

    fn take(&mut self, blob: &Descriptor, depth: usize) -> Result<(), ImageError> {
        if !self.seen.insert(blob.digest.clone()) {
            return Ok(());
        }
        match self.files.find(&blob_name(&blob.digest)) {
            Some(location) if location.length == blob.size => {
                self.blobs.push(LocalBlob { digest: blob.digest.clone(), location });
                Ok(())
            }
            Some(location) => {
                let reason = format!("it has {} bytes instead of {}", location.length, blob.size);
                Err(self.files.malformed(blob.digest.as_str(), reason))
            }
            // Layers that must not be distributed are fetched from their own addresses.
            None if !blob.urls.is_empty() => Ok(()),
            None => Err(self.missing("blob", &blob.digest, if depth == 0 { "" } else { PLATFORM_HINT })),
        }
    }

    fn note_base(&mut self, document: &Document) {
        let json: serde_json::Value = serde_json::from_slice(&document.bytes).unwrap_or_default();
        if let Some(base) = json["annotations"][BASE_NAME].as_str() {
            self.bases.push(base.to_owned());
        }
    }

    fn missing(&self, what: &'static str, digest: &Digest, hint: &'static str) -> ImageError {
        ImageError::Missing { path: self.files.path().to_owned(), what, digest: digest.to_string(), hint }
    }
}

/// `docker save` with the containerd image store writes the whole index, but only the platforms that it has.
const PLATFORM_HINT: &str =
    "; the index names platforms that were not saved: save one with `docker save --platform`, or all of them";

fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}
