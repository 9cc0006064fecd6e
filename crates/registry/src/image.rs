//! Images on the disk: OCI layouts, OCI archives, archives of `docker save`.

mod docker_archive;
mod document;
mod error;
mod files;
mod layout;

use std::path::Path;

pub(crate) use document::{Contents, LARGEST_MANIFEST, LARGEST_TREE, media_type};
pub use document::{Descriptor, Document};
pub use error::ImageError;
pub use files::Location;
pub(crate) use files::OpenLocation;

use crate::Digest;
use files::Files;

/// An image as it lies on the disk: what has to be pushed, in the order in which it must be.
#[derive(Debug, Clone)]
pub struct Image {
    /// What the tags will point to: a manifest, or the index of several.
    pub root: Document,
    /// The manifests (and indexes) below the root, each after those it refers to.
    pub manifests: Vec<Document>,
    /// Configurations and layers, each once.
    pub blobs: Vec<LocalBlob>,
    /// Repositories that the image says it was built from (`org.opencontainers.image.base.name`).
    pub bases: Vec<String>,
}

/// A blob on the disk.
#[derive(Debug, Clone)]
pub struct LocalBlob {
    /// Its digest.
    pub digest: Digest,
    /// Where it lies, and its size.
    pub location: Location,
}

impl Image {
    /// Reads an OCI layout (a folder), an OCI archive or an archive of `docker save` (both tar, or gzip-compressed tar).
    ///
    /// Where it holds several images, `wanted` names one: `name:tag`, or the tag alone. Layers are taken as they are,
    /// whatever their compression, so that digests stay. An archive of `docker save` in the old form has no manifest: one
    /// is written, the same for the same archive.
    ///
    /// A gzip-compressed archive is unpacked into `scratch`, without a name there.
    ///
    /// # Errors
    /// [`ImageError`], naming the file and the part of it.
    pub fn open(path: &Path, wanted: Option<&str>, scratch: &Path) -> Result<Self, ImageError> {
        let files = Files::open(path, scratch)?;
        if files.find("index.json").is_some() {
            layout::read(&files, wanted)
        } else if files.find("manifest.json").is_some() {
            docker_archive::read(&files, wanted)
        } else {
            Err(ImageError::UnknownForm(path.to_owned()))
        }
    }

    /// The bytes of all blobs.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.location.length).sum()
    }
}
