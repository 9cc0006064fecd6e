//! What S3 is told about the objects besides their content.

mod acl;
mod cache_control;
mod content_type;
mod encryption;
mod header_text;
mod metadata;
mod storage_class;

use std::path::Path;

pub use acl::{CannedAcl, UnknownAcl};
pub use cache_control::{CacheControl, InvalidCacheControl};
pub use content_type::content_type;
pub use encryption::{Encryption, InvalidCustomerKey, SseCustomerKey};
pub use header_text::{HeaderText, InvalidHeaderText};
pub use metadata::{InvalidMetadata, InvalidTags, Metadata, ObjectTags};
pub use storage_class::{StorageClass, UnknownStorageClass};

/// The settings that all objects of one upload share.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ObjectSettings {
    /// Who may read the objects.
    pub acl: CannedAcl,
    /// What S3 stores them on.
    pub storage_class: StorageClass,
    /// Who encrypts them, with which key.
    pub encryption: Encryption,
    /// `Content-Type` for every object; without it each gets that of its file name.
    pub content_type: Option<HeaderText>,
    /// `Content-Encoding`, such as `gzip`.
    pub content_encoding: Option<HeaderText>,
    /// `Cache-Control` by pattern.
    pub cache_control: CacheControl,
    /// Metadata of one's own.
    pub metadata: Metadata,
    /// Tags.
    pub tags: ObjectTags,
}

impl ObjectSettings {
    /// The `Content-Type` of an object made from this file.
    #[must_use]
    pub fn content_type_of(&self, path: &Path) -> String {
        match &self.content_type {
            Some(fixed) => fixed.as_str().to_owned(),
            None => content_type(path).to_owned(),
        }
    }
}
