//! Images for tests: real layers, gzip-compressed tar files of random content.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::sigv4::sha256_hex;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An OCI layout folder that is being put together.
#[derive(Debug)]
pub struct Layout<'a> {
    folder: &'a Path,
    seed: u64,
}

impl<'a> Layout<'a> {
    /// Begins an empty one; another seed, another content.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn new(folder: &'a Path, seed: u64) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).expect("the layout's folders");
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("oci-layout");
        Self { folder, seed }
    }

    /// An image with layers of these sizes in bytes, as the layout's only one, named `1.0`; answers its digest.
    #[must_use]
    pub fn image(mut self, sizes: &[usize]) -> String {
        let manifest = self.manifest("amd64", sizes);
        self.enter(&[named(&manifest, "1.0")]);
        text(&manifest["digest"])
    }

    /// An index of two platforms; answers its digest.
    #[must_use]
    pub fn index(mut self, sizes: &[usize]) -> String {
        let mut manifests = Vec::new();
        for architecture in ["amd64", "arm64"] {
            let mut manifest = self.manifest(architecture, sizes);
            manifest["platform"] = json!({ "os": "linux", "architecture": architecture });
            manifests.push(manifest);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let index = self.blob(INDEX, index.to_string().as_bytes());
        self.enter(&[named(&index, "1.0")]);
        text(&index["digest"])
    }

    /// Several images with a name each; answers their digests.
    #[must_use]
    pub fn images(mut self, names: &[&str]) -> Vec<String> {
        let manifests: Vec<Value> =
            names.iter().map(|name| named(&self.manifest("amd64", &[1000]), name)).collect();
        self.enter(&manifests);
        manifests.iter().map(|manifest| text(&manifest["digest"])).collect()
    }

    fn manifest(&mut self, architecture: &str, sizes: &[usize]) -> Value {
        let (mut layers, mut diff_ids) = (Vec::new(), Vec::new());
        for size in sizes {
            let tar = self.tar(*size);
            diff_ids.push(format!("sha256:{}", sha256_hex(&tar)));
            let mut packed = GzEncoder::new(Vec::new(), Compression::none());
            packed.write_all(&tar).expect("gzip");
            let packed = packed.finish().expect("gzip");
            layers.push(self.blob("application/vnd.oci.image.layer.v1.tar+gzip", &packed));
        }
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        self.blob(MANIFEST, manifest.to_string().as_bytes())
    }

    /// A tar file with one file of random bytes.
    fn tar(&mut self, size: usize) -> Vec<u8> {
        self.seed += 1;
        let mut content = vec![0; size];
        fastrand::Rng::with_seed(self.seed).fill(&mut content);
        let mut header = tar::Header::new_gnu();
        header.set_size(size as u64);
        header.set_mode(0o644);
        let mut archive = tar::Builder::new(Vec::new());
        let name = format!("data-{}", self.seed);
        archive.append_data(&mut header, name, Cursor::new(content)).expect("a tar file");
        archive.into_inner().expect("a tar file")
    }

    fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let hex = sha256_hex(content);
        fs::write(self.folder.join("blobs/sha256").join(&hex), content).expect("a blob");
        json!({ "mediaType": media_type, "digest": format!("sha256:{hex}"), "size": content.len() })
    }

    fn enter(&self, manifests: &[Value]) {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        fs::write(self.folder.join("index.json"), index.to_string()).expect("index.json");
    }
}

fn named(descriptor: &Value, name: &str) -> Value {
    let mut named = descriptor.clone();
    named["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
    named
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Packs a folder into a tar file, names relative to it.
///
/// # Panics
/// When it cannot.
pub fn pack(folder: &Path, archive: &Path) {
    let mut builder = tar::Builder::new(fs::File::create(archive).expect("the archive"));
    builder.append_dir_all(".", folder).expect("the archive");
    builder.finish().expect("the archive");
}
