//! Pushing to a real docker-registry, and what skopeo sees there.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::path::Path;

use causeway_harness::registry::image::{Layout, pack};
use causeway_harness::registry::{Registry as Server, Trouble};
use causeway_registry::{Image, Progress, Push, Pushed, Registry, RegistryError, RepositoryName, retag};
use tempfile::TempDir;

mod support;
use support::{open, repository, start, tags};

fn read(path: &Path) -> Image {
    Image::open(path, None, path.parent().unwrap()).unwrap()
}

async fn push(
    registry: &Registry,
    name: &RepositoryName,
    image: &Image,
    names: &[&str],
) -> Result<Pushed, RegistryError> {
    let tags = tags(names);
    let push = Push { repository: name, tags: &tags, mount_from: &[] };
    let progress = Progress::new();
    let ending = push.run(registry, image, &progress).await;
    if ending.is_ok() {
        assert_eq!(progress.now(), (image.size(), image.size()));
    }
    ending
}

/// Requests that carried a layer.
fn uploads(server: &Server) -> usize {
    server.front.seen().iter().filter(|seen| seen.line.starts_with("PATCH")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_arrives_with_its_digest_and_a_second_push_sends_nothing() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 1).image(&[3_000_000, 100, 1_000_000]);
    let (name, image) = (repository("team/shop"), read(folder.path()));
    let first = push(&registry, &name, &image, &["1.0", "latest"]).await.unwrap();
    assert_eq!((first.digest.as_str(), first.sent, first.present), (digest.as_str(), 4, 0));
    assert_eq!(first.sent_bytes, image.size());
    for tag in ["1.0", "latest"] {
        assert_eq!(server.fetched(&format!("team/shop:{tag}")), Some(digest.clone()));
    }
    server.front.forget();
    let second = push(&registry, &name, &image, &["1.0", "latest"]).await.unwrap();
    assert_eq!((second.sent, second.present, second.sent_bytes), (0, 4, 0));
    let seen = server.front.seen();
    assert!(seen.len() <= 4 && seen.iter().all(|seen| seen.line.starts_with("HEAD")), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_stays_whole() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 7).index(&[100_000, 2_000]);
    let image = read(folder.path());
    assert_eq!((image.manifests.len(), image.blobs.len()), (2, 6));
    push(&registry, &repository("multi"), &image, &["1.0"]).await.unwrap();
    assert_eq!(server.fetched("multi:1.0"), Some(digest));
    assert_eq!(server.manifest("multi:1.0").unwrap(), image.root.bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_archive_is_pushed() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    let layout = base.path().join("layout");
    let digest = Layout::new(&layout, 3).image(&[500_000, 70_000]);
    let at = |name: &str| base.path().join(name);
    let source = format!("oci:{}:1.0", layout.display());

    pack(&layout, &at("oci.tar"));
    let gzip = std::process::Command::new("gzip").arg("-k").arg(at("oci.tar")).status().unwrap();
    assert!(gzip.success());
    for name in ["oci.tar", "oci.tar.gz"] {
        let pushed = push(&registry, &repository("oci"), &read(&at(name)), &["1"]).await.unwrap();
        assert_eq!(pushed.digest.as_str(), digest, "{name}");
    }
    assert_eq!(server.fetched("oci:1"), Some(digest));

    // skopeo writes what `docker save` wrote before Docker 25: layers uncompressed, no manifest.
    let target = format!("docker-archive:{}:shop:1.0", at("saved.tar").display());
    assert!(server.skopeo(&["copy", &source, &target]).status.success());
    let saved = read(&at("saved.tar"));
    let pushed = push(&registry, &repository("saved"), &saved, &["1"]).await.unwrap();
    assert_eq!(server.fetched("saved:1").as_deref(), Some(pushed.digest.as_str()));
    assert_eq!(read(&at("saved.tar")).root.digest, saved.root.digest, "the digest is stable");
    let config = server.skopeo(&["inspect", "--config", &format!("docker://{}/saved:1", server.host())]);
    let original = server.skopeo(&["inspect", "--config", &source]);
    let config = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap()["rootfs"].clone();
    assert_eq!(config(&config_text(&config, &registry)), config(&original.stdout));
    fn config_text(_: &dyn Fn(&[u8]) -> serde_json::Value, _: &Registry) -> Vec<u8> {
        Vec::new()
    }
}
