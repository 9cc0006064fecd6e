//! `docker save` before Docker 25, and the tools that write the same form: `manifest.json` names a configuration and layers.

use bytes::Bytes;
use serde::Deserialize;

use super::document::{media_type, or_null};
use super::files::{Files, Location};
use super::{Descriptor, Document, Image, ImageError, LocalBlob};
use crate::Digest;
use crate::hasher::{Hasher, sha256};

/// No configuration is larger.
const LARGEST_CONFIG: u64 = 8 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage {
    config: String,
    repo_tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "or_null")]
    layers: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    rootfs: RootFs,
}

#[derive(Debug, Default, Deserialize)]
struct RootFs {
    #[serde(default, deserialize_with = "or_null")]
    diff_ids: Vec<Digest>,
}

pub(super) fn read(files: &Files, wanted: Option<&str>) -> Result<Image, ImageError> {
    let json = files.read("manifest.json", LARGEST_CONFIG)?.unwrap_or_default();
    let saved: Vec<SavedImage> =
        serde_json::from_slice(&json).map_err(|error| files.malformed("manifest.json", error))?;
    let image = choose(files, saved, wanted)?;
    let missing = |what, name: &str| ImageError::Missing {
        path: files.path().to_owned(),
        what,
        digest: name.to_owned(),
        hint: "",
    };
    let config_json =
        files.read(&image.config, LARGEST_CONFIG)?.ok_or_else(|| missing("configuration", &image.config))?;
    let config: Config =
        serde_json::from_slice(&config_json).map_err(|error| files.malformed(&image.config, error))?;
    if config.rootfs.diff_ids.len() != image.layers.len() {
        return Err(files.malformed(&image.config, "it does not name as many layers as manifest.json"));
    }
    let config_place = files.find(&image.config).ok_or_else(|| missing("configuration", &image.config))?;
    let config_blob = LocalBlob { digest: sha256(&config_json), location: config_place };
    let mut layers = Vec::new();
    for (name, diff_id) in image.layers.iter().zip(&config.rootfs.diff_ids) {
        let location = files.find(name).ok_or_else(|| missing("layer", name))?;
        layers.push(
            layer(location, diff_id)
                .map_err(|error| ImageError::Io { path: files.path().join(name), error })?,
        );
    }
    assemble(config_blob, layers).map_err(|error| files.malformed("manifest.json", error))
}

fn choose(files: &Files, mut saved: Vec<SavedImage>, wanted: Option<&str>) -> Result<SavedImage, ImageError> {
    let names = |image: &SavedImage| image.repo_tags.clone().unwrap_or_default();
    let named = |image: &SavedImage| {
        wanted.is_some_and(|wanted| names(image).iter().any(|name| is_name(name, wanted)))
    };
    // The only one may have no name; one with another name is another image.
    let fits = |image: &SavedImage| wanted.is_none() || names(image).is_empty() || named(image);
    let position =
        if saved.len() == 1 { Some(0).filter(|_| fits(&saved[0])) } else { saved.iter().position(named) };
    position.map(|position| saved.swap_remove(position)).ok_or_else(|| ImageError::Ambiguous {
        path: files.path().to_owned(),
        found: saved.iter().map(|image| names(image).first().unwrap_or(&image.config).clone()).collect(),
        wanted: asked_for(wanted),
    })
}

/// Whether `name` (`docker.io/library/shop:1.0`, or only `1.0`) is what a person calls `wanted` (`shop:1.0`, or `1.0`).
pub(super) fn is_name(name: &str, wanted: &str) -> bool {
    let is_end = |text: &str, end: &str| {
        text.strip_suffix(end).is_some_and(|before| before.ends_with('/') || before.ends_with(':'))
    };
    let is_tag = !name.contains(['/', ':']);
    name == wanted || is_end(name, wanted) || (is_tag && wanted.contains(':') && is_end(wanted, name))
}

pub(super) fn asked_for(wanted: Option<&str>) -> String {
    match wanted {
        Some(wanted) => format!("none of them is {wanted}"),
        None => "say which one is meant".to_owned(),
    }
}

/// A layer as it is in the archive. Uncompressed, its digest is the configuration's `diff_id`; a compressed one is hashed.
fn layer(location: Location, diff_id: &Digest) -> std::io::Result<(LocalBlob, &'static str)> {
    let open = location.open()?;
    let mut magic = [0; 4];
    let length = open.read_at(0, &mut magic)?;
    let suffix = match &magic[..length] {
        [0x1f, 0x8b, ..] => "+gzip",
        [0x28, 0xb5, 0x2f, 0xfd] => "+zstd",
        _ => return Ok((LocalBlob { digest: diff_id.clone(), location }, "")),
    };
    let mut hasher = Hasher::default();
    let (mut buffer, mut position) = (vec![0; 1 << 18], 0);
    loop {
        match open.read_at(position, &mut buffer)? {
            0 => return Ok((LocalBlob { digest: hasher.digest(), location }, suffix)),
            count => {
                hasher.update(&buffer[..count]);
                position += count as u64;
            }
        }
    }
}

/// Writes the manifest that the archive has not. It is the same for the same archive.
fn assemble(config: LocalBlob, layers: Vec<(LocalBlob, &'static str)>) -> Result<Image, String> {
    let descriptor = |blob: &LocalBlob, media_type: String| Descriptor {
        media_type,
        digest: blob.digest.clone(),
        size: blob.location.length,
        urls: Vec::new(),
        annotations: serde_json::Map::new(),
    };
    let described: Vec<Descriptor> = layers
        .iter()
        .map(|(blob, suffix)| descriptor(blob, format!("{}{suffix}", media_type::OCI_LAYER)))
        .collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": descriptor(&config, media_type::OCI_CONFIG.to_owned()),
        "layers": described,
    });
    let (root, _) = Document::of(Bytes::from(manifest.to_string()), Some(media_type::OCI_MANIFEST))?;
    let mut blobs = vec![config];
    for (blob, _) in layers {
        if !blobs.iter().any(|known| known.digest == blob.digest) {
            blobs.push(blob);
        }
    }
    Ok(Image { root, manifests: Vec::new(), blobs, bases: Vec::new() })
}
