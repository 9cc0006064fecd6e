//! From a registry into an OCI layout folder.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::image::{Contents, Descriptor, LARGEST_TREE, media_type};
use crate::{Digest, Document, Progress, Reference, Registry, RegistryError, RepositoryName};

/// Blobs under way at once.
const PARALLEL: usize = 4;
/// Indexes within indexes.
const DEEPEST: usize = 4;

/// How a pull went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The digest of what was pulled.
    pub digest: Digest,
    /// Blobs that came.
    pub fetched: usize,
    /// Their bytes.
    pub fetched_bytes: u64,
}

/// Writes an image with all of its platforms into an OCI layout folder, which is made if it is not there. Blobs that are
/// there already are kept; so are the layout's other images. Its entry appears last, when all is there.
///
/// # Errors
/// [`RegistryError`].
pub async fn pull(
    registry: &Registry,
    repository: &RepositoryName,
    reference: &Reference,
    folder: &Path,
    progress: &Progress,
) -> Result<Pulled, RegistryError> {
    let layout = Layout { folder };
    layout.index()?;
    let root = registry.manifest(repository, reference).await?;
    let mut tree = Tree {
        registry,
        repository,
        manifests: Vec::new(),
        blobs: Vec::new(),
        seen: HashSet::new(),
        held: 0,
    };
    tree.collect(root.clone()).await?;
    let mut pulled = Pulled { digest: root.digest.clone(), fetched: 0, fetched_bytes: 0 };
    progress.expect(tree.blobs.iter().map(|blob| blob.size).sum());
    let mut fetchings = Vec::with_capacity(tree.blobs.len());
    for blob in &tree.blobs {
        fetchings.push(layout.bring(registry, repository, blob, progress));
    }
    let mut arrivals = futures_util::stream::iter(fetchings).buffer_unordered(PARALLEL);
    while let Some(came) = arrivals.try_next().await? {
        pulled.fetched += usize::from(came.is_some());
        pulled.fetched_bytes += came.unwrap_or_default();
    }
    for manifest in &tree.manifests {
        layout.write(&layout.place(&manifest.digest)?, &manifest.bytes)?;
    }
    layout.enter(&root, reference)?;
    Ok(pulled)
}

struct Tree<'a> {
    registry: &'a Registry,
    repository: &'a RepositoryName,
    manifests: Vec<Document>,
    blobs: Vec<Descriptor>,
    seen: HashSet<Digest>,
    /// Bytes of the manifests so far.
    held: u64,
}

impl Tree<'_> {
    /// Reads the manifests below an index, level by level.
    async fn collect(&mut self, root: Document) -> Result<(), RegistryError> {
        let mut level = vec![root];
        for _ in 0..=DEEPEST {
            let mut below = Vec::new();
            for document in level {
                let contents = Contents::parse(&document.bytes).map_err(|reason| self.wrong(reason))?;
                self.hold(&document)?;
                for child in &contents.manifests {
                    if self.seen.insert(child.digest.clone()) {
                        let reference = Reference::from(child.digest.clone());
                        below.push(self.registry.manifest(self.repository, &reference).await?);
                    }
                }
                self.add_blobs(contents);
                self.manifests.push(document);
            }
            if below.is_empty() {
                return Ok(());
            }
            level = below;
        }
        Err(self.wrong("indexes are nested too deep".to_owned()))
    }

    /// What a registry sends must not fill the memory.
    fn hold(&mut self, document: &Document) -> Result<(), RegistryError> {
        self.held += document.bytes.len() as u64;
        if self.held > LARGEST_TREE {
            return Err(self.wrong(format!("its manifests are larger than {LARGEST_TREE} bytes together")));
        }
        Ok(())
    }

    fn wrong(&self, reason: String) -> RegistryError {
        RegistryError::Protocol { action: format!("reading {}", self.repository), reason }
    }

    /// Layers with addresses of their own must not be distributed: the registry has none.
    fn add_blobs(&mut self, contents: Contents) {
        for blob in contents.blobs().filter(|blob| blob.urls.is_empty()) {
            if self.seen.insert(blob.digest.clone()) {
                self.blobs.push(blob);
            }
        }
    }
}

struct Layout<'a> {
    folder: &'a Path,
}

impl Layout<'_> {
    /// Brings a blob; answers its size if it had to.
    async fn bring(
        &self,
        registry: &Registry,
        repository: &RepositoryName,
        blob: &Descriptor,
        progress: &Progress,
    ) -> Result<Option<u64>, RegistryError> {
        let count = progress.begin();
        let path = self.place(&blob.digest)?;
        let (there, digest, size) = (path.clone(), blob.digest.clone(), blob.size);
        let complete =
            tokio::task::spawn_blocking(move || crate::distribution::is_complete(&there, &digest, size));
        let is_there = complete.await.unwrap_or(false);
        if !is_there {
            registry.fetch_blob(repository, &blob.digest, blob.size, &path, &count).await?;
        }
        progress.settle(&count, blob.size);
        Ok((!is_there).then_some(blob.size))
    }

    /// The place of a blob; its folder is made.
    fn place(&self, digest: &Digest) -> Result<PathBuf, RegistryError> {
        let folder = self.folder.join("blobs").join(digest.algorithm());
        fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, error))?;
        Ok(folder.join(digest.hex()))
    }

    /// Puts the image into `index.json`. An entry of the same name gives way; an image that is there is not entered twice.
    fn enter(&self, root: &Document, reference: &Reference) -> Result<(), RegistryError> {
        const NAME: &str = "org.opencontainers.image.ref.name";
        let mut index = self.index()?.unwrap_or_else(
            || json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [] }),
        );
        let mut entry =
            json!({ "mediaType": root.media_type, "digest": root.digest, "size": root.bytes.len() });
        if let Reference::Tag(tag) = reference {
            entry["annotations"] = json!({ NAME: tag.as_str() });
        }
        let name = |entry: &Value| entry["annotations"][NAME].as_str().map(str::to_owned);
        let mut entries = index["manifests"].as_array().cloned().unwrap_or_default();
        let is_known = |known: &Value| {
            known["digest"] == entry["digest"] && (name(&entry).is_none() || name(known) == name(&entry))
        };
        if !entries.iter().any(is_known) {
            let gives_way = |known: &Value| {
                if name(known).is_some() {
                    name(known) == name(&entry)
                } else {
                    known["digest"] == entry["digest"]
                }
            };
            entries.retain(|known| !gives_way(known));
            entries.push(entry);
            index["manifests"] = entries.into();
        }
        self.write(&self.folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        self.write(&self.folder.join("index.json"), index.to_string().as_bytes())
    }

    /// The layout's `index.json`, if there is one. A file of that name that is something else is not to be written over.
    fn index(&self) -> Result<Option<Value>, RegistryError> {
        let path = self.folder.join("index.json");
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RegistryError::Io { action: "read", path, error }),
        };
        let index: Option<Value> = serde_json::from_slice(&json).ok();
        match index.filter(|index| index["schemaVersion"] == 2 && index["manifests"].is_array()) {
            Some(index) => Ok(Some(index)),
            None => Err(RegistryError::Protocol {
                action: format!("writing {}", path.display()),
                reason: "there is such a file, and it is not of an OCI layout: give another folder"
                    .to_owned(),
            }),
        }
    }

    /// Whole or not at all.
    fn write(&self, path: &Path, content: &[u8]) -> Result<(), RegistryError> {
        let write = || -> io::Result<()> {
            let mut file =
                tempfile::Builder::new().prefix(".new-").tempfile_in(path.parent().unwrap_or(self.folder))?;
            io::Write::write_all(&mut file, content)?;
            #[cfg(unix)]
            file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
            file.persist(path).map(drop).map_err(|error| error.error)
        };
        write().map_err(|error| unwritten(path, error))
    }
}

fn unwritten(path: &Path, error: io::Error) -> RegistryError {
    RegistryError::Io { action: "written", path: path.to_owned(), error }
}
