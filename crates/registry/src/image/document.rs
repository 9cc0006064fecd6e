use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Digest;
use crate::hasher::sha256;

/// Media types ("OCI Image Media Types", OCI Image Format Specification; docker's of "Image Manifest V 2, Schema 2").
pub(crate) mod media_type {
    pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    pub(crate) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

    /// What a registry may answer when it is asked for a manifest.
    pub(crate) const MANIFESTS: [&str; 4] = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST];
}

/// No manifest is larger (`MANIFEST_TOO_LARGE`: registries refuse what is over 4 MiB).
pub(crate) const LARGEST_MANIFEST: u64 = 4 << 20;

/// The manifests of one image are held in memory; an index of hundreds of platforms has a tenth of this.
pub(crate) const LARGEST_TREE: u64 = 16 << 20;

/// A reference to content: "OCI Content Descriptors".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The content's size in bytes.
    pub size: u64,
    /// Where else it can be had; layers that must not be distributed have only these.
    #[serde(default, deserialize_with = "or_null", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Names and notes.
    #[serde(default, deserialize_with = "or_null", skip_serializing_if = "serde_json::Map::is_empty")]
    pub annotations: serde_json::Map<String, serde_json::Value>,
}

impl Descriptor {
    /// The text of an annotation.
    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name)?.as_str()
    }
}

/// A manifest or an index, byte for byte as it is stored: its digest is that of these bytes.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its media type.
    pub media_type: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// The JSON.
    pub bytes: Bytes,
}

/// What a manifest or an index refers to.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contents {
    #[serde(default)]
    schema_version: u32,
    media_type: Option<String>,
    #[serde(default, deserialize_with = "or_null")]
    pub(crate) manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "or_null")]
    layers: Vec<Descriptor>,
    /// Artifacts of the first draft of OCI 1.1.
    #[serde(default, deserialize_with = "or_null")]
    blobs: Vec<Descriptor>,
}

impl Contents {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let contents: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if contents.schema_version != 2 {
            return Err("it is a manifest of schema 1, which registries no longer take".to_owned());
        }
        Ok(contents)
    }

    /// The blobs of a manifest: configuration and layers.
    pub(crate) fn blobs(self) -> impl Iterator<Item = Descriptor> {
        self.config.into_iter().chain(self.layers).chain(self.blobs)
    }
}

impl Document {
    /// Takes bytes of a known or self-declared type.
    pub(crate) fn of(bytes: Bytes, media_type: Option<&str>) -> Result<(Self, Contents), String> {
        let contents = Contents::parse(&bytes)?;
        // A header may say a character set too; what is stored is the type alone.
        let media_type = media_type.and_then(|text| text.split(';').next()).map(str::trim);
        let declared = media_type.filter(|text| !text.is_empty()).or(contents.media_type.as_deref());
        let guessed =
            if contents.manifests.is_empty() { media_type::OCI_MANIFEST } else { media_type::OCI_INDEX };
        let media_type = declared.unwrap_or(guessed).to_owned();
        Ok((Self { media_type, digest: sha256(&bytes), bytes }, contents))
    }
}

/// Go writes `null` for a list or map with nothing in it.
pub(super) fn or_null<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_taken_without_what_stands_behind_it() {
        let json = Bytes::from_static(br#"{"schemaVersion":2,"mediaType":"application/own"}"#);
        for (header, expected) in [
            (Some("application/vnd.oci.image.index.v1+json; charset=utf-8"), media_type::OCI_INDEX),
            (Some(""), "application/own"),
            (None, "application/own"),
        ] {
            assert_eq!(Document::of(json.clone(), header).unwrap().0.media_type, expected);
        }
    }
}
