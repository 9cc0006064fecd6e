//! Pulling from a real docker-registry into OCI layouts, which skopeo reads.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::path::Path;
use std::process::Command;

use causeway_harness::registry::image::Layout;
use causeway_harness::registry::{Registry as Server, Trouble};
use causeway_registry::{Document, Progress, Pulled, Registry, RegistryError, pull};
use tempfile::TempDir;

mod support;
use support::{repository, start};

/// Puts an image there with skopeo, and answers its digest.
fn seed(server: &Server, folder: &Path, image: &str, seed: u64, sizes: &[usize]) -> String {
    let layout = folder.join("seed");
    let _ = std::fs::remove_dir_all(&layout);
    let digest = Layout::new(&layout, seed).index(sizes);
    let target = format!("docker://{}/{image}", server.host());
    let copy = server.skopeo(&["copy", "--all", &format!("oci:{}:1.0", layout.display()), &target]);
    assert!(copy.status.success(), "{}", String::from_utf8_lossy(&copy.stderr));
    digest
}

async fn fetch(registry: &Registry, reference: &str, folder: &Path) -> Result<Pulled, RegistryError> {
    let progress = Progress::new();
    let ending = pull(registry, &repository("shop"), &reference.parse().unwrap(), folder, &progress).await;
    if ending.is_ok() {
        assert_eq!(progress.now().0, progress.now().1);
    }
    ending
}

/// Reads the whole layout as skopeo does.
fn skopeo_reads(folder: &Path, name: &str) -> bool {
    let copy = TempDir::new().unwrap();
    let target = format!("oci:{}:x", copy.path().display());
    let source = format!("oci:{}:{name}", folder.display());
    let command = ["--insecure-policy", "copy", "--all", "--preserve-digests", &source, &target];
    Command::new("skopeo").args(command).output().unwrap().status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_platforms_come_by_tag_and_by_digest_and_only_once() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    let digest = seed(&server, base.path(), "shop:1.0", 20, &[400_000, 3_000]);
    let layout = base.path().join("pulled");
    let first = fetch(&registry, "1.0", &layout).await.unwrap();
    assert_eq!((first.digest.as_str(), first.fetched), (digest.as_str(), 6));
    let second = fetch(&registry, &digest, &layout).await.unwrap();
    assert_eq!((second.digest.as_str(), second.fetched, second.fetched_bytes), (digest.as_str(), 0, 0));
    assert!(skopeo_reads(&layout, "1.0"));
    assert_eq!(std::fs::read_dir(layout.join("blobs/sha256")).unwrap().count(), 9, "nothing half is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_keeps_its_other_images_and_moves_its_tags() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    let layout = base.path().join("pulled");
    let first = seed(&server, base.path(), "shop:1.0", 30, &[2_000]);
    seed(&server, base.path(), "shop:2.0", 40, &[2_000]);
    fetch(&registry, "1.0", &layout).await.unwrap();
    fetch(&registry, "2.0", &layout).await.unwrap();
    let moved = seed(&server, base.path(), "shop:1.0", 50, &[2_000]);
    fetch(&registry, "1.0", &layout).await.unwrap();
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    assert!(index.to_string().contains(&moved) && !index.to_string().contains(&first));
    assert!(skopeo_reads(&layout, "1.0") && skopeo_reads(&layout, "2.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_layer_goes_on_where_it_was() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    seed(&server, base.path(), "shop:1.0", 60, &[5_000_000]);
    let layer = largest(&base.path().join("seed/blobs/sha256"));
    server.front.trouble(&format!("GET {layer}"), Trouble::CutAnswer(3_000_000));
    server.front.trouble(&format!("GET {layer}"), Trouble::Answer(503, String::new()));
    server.front.trouble("GET /manifests/", Trouble::CutAfter);
    let layout = base.path().join("pulled");
    fetch(&registry, "1.0", &layout).await.unwrap();
    assert!(skopeo_reads(&layout, "1.0"));
    assert!(server.front.seen().iter().any(|seen| seen.status == 206), "the rest was asked for");
}

fn largest(blobs: &Path) -> String {
    let files = std::fs::read_dir(blobs).unwrap().map(Result::unwrap);
    let largest = files.max_by_key(|file| file.metadata().unwrap().len()).unwrap();
    largest.file_name().into_string().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    seed(&server, base.path(), "shop:1.0", 70, &[1_000]);
    let missing = fetch(&registry, "9.9", &base.path().join("pulled")).await.unwrap_err();
    assert_eq!(missing.status(), Some(404));
    assert!(missing.to_string().contains("shop:9.9"), "{missing}");
    assert!(!base.path().join("pulled/index.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_content_than_the_digest_says_never_stays() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    seed(&server, base.path(), "shop:1.0", 80, &[1_000]);
    for _ in 0..20 {
        server.front.trouble("GET /blobs/", Trouble::Answer(200, "something else".to_owned()));
    }
    tokio::time::timeout(std::time::Duration::from_secs(120), async {
        fetch(&registry, "1.0", &base.path().join("pulled")).await.unwrap();
    })
    .await
    .unwrap();
    assert!(skopeo_reads(&base.path().join("pulled"), "1.0"));
}

/// ECR sends blobs from S3, by addresses that are signed already.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_redirect_leads_no_login_is_shown() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    seed(&server, base.path(), "shop:1.0", 90, &[1_000]);
    server.front.trouble("GET /blobs/", Trouble::Redirect("https://public.ecr.aws/elsewhere".to_owned()));
    server.front.trouble("GET /elsewhere", Trouble::Answer(403, String::new()));
    let refused = fetch(&registry, "1.0", &base.path().join("pulled")).await.unwrap_err();
    assert_eq!(refused.status(), Some(403));
    assert!(!refused.to_string().contains("elsewhere"), "signed addresses are secrets: {refused}");
    let seen = server.front.seen();
    let elsewhere = seen.iter().find(|seen| seen.line.ends_with("/elsewhere")).unwrap();
    assert!(!elsewhere.has_login);
    assert!(seen.iter().filter(|seen| !seen.line.ends_with("/elsewhere")).all(|seen| seen.has_login));
}

/// An index may name a manifest many times; each is asked for once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_many_times_comes_once() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    seed(&server, base.path(), "shop:1.0", 95, &[1_000]);
    let name = repository("shop");
    let root = registry.manifest(&name, &"1.0".parse().unwrap()).await.unwrap();
    let mut index: serde_json::Value = serde_json::from_slice(&root.bytes).unwrap();
    let once = index["manifests"].as_array().unwrap().clone();
    index["manifests"] = once.iter().cycle().take(400).cloned().collect();
    let bytes = index.to_string();
    let digest = format!("sha256:{}", causeway_harness::sha256_hex(bytes.as_bytes()));
    let many = Document {
        media_type: root.media_type,
        digest: digest.parse().unwrap(),
        bytes: bytes.into_bytes().into(),
    };
    registry.put_manifest(&name, &"many".parse().unwrap(), &many).await.unwrap();
    server.front.forget();
    fetch(&registry, "many", &base.path().join("pulled")).await.unwrap();
    let asked = server.front.seen().iter().filter(|seen| seen.line.contains("/manifests/")).count();
    assert_eq!(asked, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_json_of_something_else_is_left_alone() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    seed(&server, base.path(), "shop:1.0", 96, &[1_000]);
    let folder = base.path().join("website");
    std::fs::create_dir(&folder).unwrap();
    for text in [r#"{"pages":["home"]}"#, "no JSON"] {
        std::fs::write(folder.join("index.json"), text).unwrap();
        let refused = fetch(&registry, "1.0", &folder).await.unwrap_err().to_string();
        assert!(refused.contains("index.json") && refused.contains("OCI"), "{refused}");
        assert_eq!(std::fs::read_to_string(folder.join("index.json")).unwrap(), text);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing was fetched");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_layouts_own_notes_stay_and_nothing_is_entered_twice() {
    let (server, registry) = start();
    let base = TempDir::new().unwrap();
    let layout = base.path().join("pulled");
    let digest = seed(&server, base.path(), "shop:1.0", 97, &[1_000]);
    fetch(&registry, "1.0", &layout).await.unwrap();
    let read = || -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap()
    };
    let mut index = read();
    index["annotations"] = serde_json::json!({ "by": "somebody" });
    std::fs::write(layout.join("index.json"), index.to_string()).unwrap();
    fetch(&registry, &digest, &layout).await.unwrap();
    assert_eq!(read(), index, "it is there, under its name");
    fetch(&registry, "1.0", &layout).await.unwrap();
    assert_eq!(read(), index);
}
