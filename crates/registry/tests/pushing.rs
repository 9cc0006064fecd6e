//! Pushing to a real docker-registry, and what skopeo sees there.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::path::Path;

use causeway_harness::registry::image::{Layout, pack};
use causeway_harness::registry::{Registry as Server, Trouble};
use causeway_registry::{
    Image, Progress, Push, Pushed, Registry, RegistryError, RepositoryName, Tag, retag, tag_in_use,
};
use tempfile::TempDir;

mod support;
use support::{open, repository, start};

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

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
    assert_eq!(server.fetched("oci:1"), Some(digest.clone()));

    // skopeo writes what `docker save` wrote before Docker 25: layers uncompressed, no manifest.
    let target = format!("docker-archive:{}:shop:1.0", at("saved.tar").display());
    assert!(server.skopeo(&["copy", &source, &target]).status.success());
    let saved = read(&at("saved.tar"));
    let pushed = push(&registry, &repository("saved"), &saved, &["1"]).await.unwrap();
    assert_eq!(server.fetched("saved:1").as_deref(), Some(pushed.digest.as_str()));
    assert_eq!(read(&at("saved.tar")).root.digest, saved.root.digest, "the digest is stable");
    let config = server.skopeo(&["inspect", "--config", &format!("docker://{}/saved:1", server.host())]);
    let original = server.skopeo(&["inspect", "--config", &source]);
    let layers = |text: &[u8]| {
        serde_json::from_slice::<serde_json::Value>(text).unwrap()["rootfs"]["diff_ids"].to_string()
    };
    assert_eq!(layers(&config.stdout), layers(&original.stdout));

    // Docker 25 and later: an OCI layout with a manifest.json beside it.
    std::fs::write(layout.join("manifest.json"), "[]").unwrap();
    pack(&layout, &at("new.tar"));
    assert_eq!(read(&at("new.tar")).root.digest.as_str(), digest);
}

/// docker-registry forgets an upload whose connection is cut within a request, but keeps it through refused ones.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_fault_a_layer_goes_in_pieces_and_resumes_between_them() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 5).image(&[40_000_000]);
    server.front.trouble("PATCH", Trouble::CutWithin(8_000_000));
    server.front.trouble("PATCH", Trouble::Pass);
    server.front.trouble("PATCH", Trouble::Answer(503, String::new()));
    server.front.trouble("PATCH", Trouble::CutBefore);
    push(&registry, &repository("cut"), &read(folder.path()), &["1"]).await.unwrap();
    assert_eq!(server.fetched("cut:1"), Some(digest));
    let seen = server.front.seen();
    let patches = seen.iter().filter(|seen| seen.line.starts_with("PATCH"));
    let begins: Vec<&str> =
        patches.map(|seen| seen.content_range.split('-').next().unwrap_or_default()).collect();
    let piece = (16 << 20).to_string();
    let last = (32 << 20).to_string();
    assert_eq!(begins, ["", "0", &piece, &piece, &piece, &last], "{seen:#?}");
}

/// ECR keeps only the first piece and says so in its `Range` (aws/containers-roadmap#2831).
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_loses_pieces_gets_the_layer_in_one() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 6).image(&[20_000_000]);
    server.front.trouble("PATCH", Trouble::CutWithin(4_000_000));
    server.front.trouble("PATCH", Trouble::Pass);
    server.front.trouble("PATCH", Trouble::Forget);
    push(&registry, &repository("ecr"), &read(folder.path()), &["1"]).await.unwrap();
    assert_eq!(server.fetched("ecr:1"), Some(digest));
    assert_eq!(uploads(&server), 4);
    let last = server.front.seen().into_iter().rfind(|seen| seen.line.starts_with("PATCH")).unwrap();
    assert_eq!(last.content_range, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_are_taken_from_other_repositories() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 9).image(&[200_000, 90_000]);
    let image = read(folder.path());
    push(&registry, &repository("base"), &image, &["1"]).await.unwrap();
    server.front.forget();
    let (name, tags) = (repository("derived"), tags(&["1"]));
    let sources = [repository("not/there"), repository("base")];
    let push = Push { repository: &name, tags: &tags, mount_from: &sources };
    let pushed = push.run(&registry, &image, &Progress::new()).await.unwrap();
    assert_eq!((pushed.mounted, pushed.sent), (3, 0));
    assert_eq!(uploads(&server), 0);
    assert_eq!(server.fetched("derived:1"), Some(digest));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tag_moves_no_layer() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 11).index(&[50_000]);
    let name = repository("retagged");
    push(&registry, &name, &read(folder.path()), &["1"]).await.unwrap();
    server.front.forget();
    for source in ["1", digest.as_str()] {
        let new =
            retag(&registry, &name, &source.parse().unwrap(), &tags(&["stable", "prod"])).await.unwrap();
        assert_eq!(new.as_str(), digest);
    }
    assert_eq!(server.fetched("retagged:prod"), Some(digest));
    let seen = server.front.seen();
    assert!(seen.iter().all(|seen| !seen.line.contains("/blobs/")), "{seen:?}");
    let missing = retag(&registry, &name, &"nothing".parse().unwrap(), &tags(&["x"])).await.unwrap_err();
    assert_eq!((missing.status(), missing.code()), (Some(404), Some("MANIFEST_UNKNOWN")));
}

#[tokio::test(flavor = "multi_thread")]
async fn ecrs_refusal_of_a_taken_tag_is_told_apart() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let _ = Layout::new(folder.path(), 12).image(&[1000]);
    let words = "The image tag '1' already exists in the 'fixed' repository and cannot be overwritten because the repository is immutable.";
    let body = serde_json::json!({ "errors": [{ "code": "TAG_INVALID", "message": words }] });
    server.front.trouble("PUT manifests/1", Trouble::Answer(400, body.to_string()));
    let refused = push(&registry, &repository("fixed"), &read(folder.path()), &["1"]).await.unwrap_err();
    assert!(refused.is_immutable_tag() && refused.to_string().contains("cannot be overwritten"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_shown_nowhere() {
    let (server, _) = start();
    let registry = open(&server, &server.host(), "wrong-password");
    let folder = TempDir::new().unwrap();
    let _ = Layout::new(folder.path(), 13).image(&[1000]);
    let refused = push(&registry, &repository("locked"), &read(folder.path()), &["1"]).await.unwrap_err();
    assert_eq!(refused.status(), Some(401));
    let shown = format!("{refused} {refused:?} {registry:?}");
    assert!(!shown.contains("wrong-password") && !shown.contains("Basic"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_layer_is_named() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let _ = Layout::new(folder.path(), 14).image(&[300_000]);
    let image = read(folder.path());
    let layer = image.blobs.iter().max_by_key(|blob| blob.location.length).unwrap();
    let file = folder.path().join("blobs/sha256").join(layer.digest.hex());
    let mut content = std::fs::read(&file).unwrap();
    content[1000] ^= 1;
    std::fs::write(&file, content).unwrap();
    let refused = push(&registry, &repository("damaged"), &image, &["1"]).await.unwrap_err();
    assert!(matches!(&refused, RegistryError::Damaged { digest } if *digest == layer.digest), "{refused}");
    assert_eq!(server.manifest("damaged:1"), None, "no tag points to half an image");
}

/// Each push either arrives whole or says why not.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_with_every_tenth_request_is_overcome() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    for round in 0..6 {
        let layout = folder.path().join(round.to_string());
        let digest = Layout::new(&layout, 100 * (round + 1)).image(&[4_000_000, 2_000_000, 500]);
        server.front.trouble_at_random(0.1, round);
        let name = repository(&format!("tenth-{round}"));
        push(&registry, &name, &read(&layout), &["1"]).await.unwrap();
        server.front.calm();
        assert_eq!(server.fetched(&format!("tenth-{round}:1")), Some(digest));
    }
    assert!(server.front.seen().iter().any(|seen| seen.is_trouble));
}

/// As ECR Public has it: the login buys a token, and the token is what counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_bought_with_the_login_where_the_registry_wants_one() {
    let (server, _) = start();
    let registry = open(&server, "public.ecr.aws", &server.password());
    server.front.want_tokens("public.ecr.aws");
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 15).image(&[300_000]);
    push(&registry, &repository("alias/shop"), &read(folder.path()), &["1"]).await.unwrap();
    assert_eq!(server.fetched("alias/shop:1"), Some(digest));

    // The tokens run out while a layer is on its way.
    let _ = Layout::new(&folder.path().join("second"), 16).image(&[300_000]);
    server.front.trouble("PATCH", Trouble::ExpireTokens);
    push(&registry, &repository("alias/shop"), &read(&folder.path().join("second")), &["2"]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_shown_to_no_other_host() {
    let (server, registry) = start();
    server.front.want_tokens("evil.example");
    let folder = TempDir::new().unwrap();
    let _ = Layout::new(folder.path(), 17).image(&[1000]);
    let refused = push(&registry, &repository("shop"), &read(folder.path()), &["1"]).await.unwrap_err();
    assert!(refused.to_string().contains("another host"), "{refused}");
}

/// A role that may push and not read (no `ecr:BatchGetImage`) is refused every look at a manifest.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_only_push_pushes() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 18).image(&[1000]);
    for _ in 0..20 {
        server.front.trouble("HEAD /manifests/", Trouble::Answer(403, String::new()));
    }
    let name = repository("write-only");
    let image = read(folder.path());
    assert_eq!(tag_in_use(&registry, &name, &tags(&["1"]), &image.root.digest).await.unwrap(), None);
    push(&registry, &name, &image, &["1", "2"]).await.unwrap();
    server.front.calm();
    assert_eq!(server.fetched("write-only:2"), Some(digest));
}

/// The answer to a tag's `PUT` is lost; the second `PUT` meets the tag that the first one made.
#[tokio::test(flavor = "multi_thread")]
async fn the_own_tag_is_no_clash_when_the_answer_was_lost() {
    let (server, registry) = start();
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 19).image(&[1000]);
    let words = "The image tag '1' already exists in the 'fixed' repository and cannot be overwritten because the tag is immutable.";
    let body = serde_json::json!({ "errors": [{ "code": "TAG_INVALID", "message": words }] });
    server.front.trouble("PUT manifests/1", Trouble::CutAfter);
    server.front.trouble("PUT manifests/1", Trouble::Answer(400, body.to_string()));
    push(&registry, &repository("fixed"), &read(folder.path()), &["1"]).await.unwrap();
    assert_eq!(server.fetched("fixed:1"), Some(digest));
}
