//! `command: ecrPull` without an engine, and `command: ecrRetag`

use std::fs;

use causeway_harness::registry::image::Layout;
use causeway_harness::registry::{Registry, Trouble};
use causeway_harness::world::World;
use serde_json::{Value, json};

use crate::{assert_fails, assert_succeeds, failure};

/// A world whose registry has `team/shop:1.0`, an index of two platforms; answers its digest too.
fn world() -> (World, Registry, String) {
    let mut world = World::with_aws();
    let registry = Registry::of(&mut world);
    let layout = world.agent.root().join("seed");
    let digest = Layout::new(&layout, 1).index(&[40_000]);
    let target = format!("docker://{}/team/shop:1.0", registry.host());
    let source = format!("oci:{}:1.0", layout.display());
    assert!(registry.skopeo(&["copy", "--all", &source, &target]).status.success());
    (world, registry, digest)
}

fn pull<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut inputs = vec![
        ("command", "ecrPull"),
        ("connection", "federated"),
        ("repository", "team/shop"),
        ("archivePath", "pulled"),
    ];
    inputs.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    inputs.extend_from_slice(more);
    inputs
}

fn retag<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut inputs =
        vec![("command", "ecrRetag"), ("connection", "federated"), ("repositoryName", "team/shop")];
    inputs.extend_from_slice(more);
    inputs
}

#[test]
fn an_image_comes_by_tag_and_by_digest_with_all_platforms() {
    let (world, registry, digest) = world();
    let host = registry.host();
    let by_tag = world.step(&pull(&[("imageTag", "1.0"), ("outputVariable", "Pulled")]));
    assert_succeeds(&by_tag);
    assert_eq!(by_tag.variable("Pulled"), Some(format!("{host}/team/shop:1.0").as_str()));
    assert_eq!(by_tag.variable("step.imageDigest"), Some(digest.as_str()));
    let index: Value =
        serde_json::from_slice(&fs::read(by_tag.sources().join("pulled/index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["digest"], digest.as_str());
    assert!(by_tag.first().log.contains("4 blobs fetched"), "{}", by_tag.first().log);
    world.secrets().assert_none_in(&by_tag);

    let said = [("imageSource", "imagedigest"), ("imageDigest", digest.as_str())];
    for more in [&said[..], &said[1..]] {
        let by_digest = world.step(&pull(more));
        assert_succeeds(&by_digest);
        let uri = format!("{host}/team/shop@{digest}");
        assert_eq!(by_digest.variable("step.imageUri"), Some(uri.as_str()));
        assert!(by_digest.first().log.contains("0 blobs fetched"), "{}", by_digest.first().log);
    }
}

#[test]
fn what_was_pulled_can_be_pushed_elsewhere() {
    let (world, registry, digest) = world();
    let push = [
        ("command", "ecrPush"),
        ("connection", "federated"),
        ("imageSource", "ociLayout"),
        ("archivePath", "pulled"),
        ("repositoryName", "team/copy"),
        ("pushTag", "1.0"),
    ];
    let job =
        world.run(vec![world.causeway(&pull(&[("imageTag", "1.0")])), world.causeway(&push).named("push")]);
    assert_succeeds(&job);
    assert_eq!(registry.fetched("team/copy:1.0"), Some(digest));
}

#[test]
fn further_tags_move_no_layer() {
    let (world, registry, digest) = world();
    registry.front.forget();
    let job = world.step(&retag(&[("sourceTag", "1.0"), ("pushTags", "stable\nprod")]));
    assert_succeeds(&job);
    assert_eq!(job.variable("step.imageUri"), Some(format!("{}/team/shop:stable", registry.host()).as_str()));
    assert_eq!(job.variable("step.imageDigest"), Some(digest.as_str()));
    assert_succeeds(&world.step(&retag(&[("sourceTag", &digest), ("pushTags", "by-digest")])));
    for tag in ["stable", "prod", "by-digest"] {
        assert_eq!(registry.fetched(&format!("team/shop:{tag}")), Some(digest.clone()));
    }
    let seen = registry.front.seen();
    assert!(!seen.is_empty() && seen.iter().all(|seen| !seen.line.contains("/blobs/")), "{seen:?}");
    world.secrets().assert_none_in(&job);
}

#[test]
fn what_is_not_there_is_said() {
    let (world, _registry, _) = world();
    assert_fails(&world.step(&pull(&[("imageTag", "9")])), &["team/shop:9", "404"]);
    assert_fails(
        &world.step(&retag(&[("sourceTag", "9"), ("pushTags", "x")])),
        &["team/shop:9", "Check the name"],
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_told_with_the_reason() {
    let (world, _registry, _) = world();
    fs::write(world.agent.sources().join("file"), "x").unwrap();
    let inputs = pull(&[("imageTag", "1.0"), ("archivePath", "file/layout")]);
    assert_fails(&world.step(&inputs), &["file/layout", "Not a directory"]);
}

#[test]
fn a_tag_that_cannot_be_moved_is_explained() {
    let (world, registry, _) = world();
    let words = "The image tag 'prod' already exists in the 'team/shop' repository and cannot be overwritten because the repository is immutable.";
    let body = json!({ "errors": [{ "code": "TAG_INVALID", "message": words }] });
    registry.front.trouble("PUT manifests/prod", Trouble::Answer(400, body.to_string()));
    assert_fails(
        &world.step(&retag(&[("sourceTag", "1.0"), ("pushTags", "prod")])),
        &["immutable", "push another tag"],
    );
}

#[test]
fn bad_inputs_are_named() {
    let world = World::new();
    for (inputs, word) in [
        (pull(&[("imageSource", "imagedigest")]), "imageDigest"),
        (pull(&[("imageDigest", "sha256:12")]), "imageDigest"),
        (pull(&[("imageTag", "a b")]), "imageTag"),
        (pull(&[("imageSource", "archive")]), "imageSource"),
        (retag(&[("sourceTag", "1.0")]), "pushTags"),
        (retag(&[("sourceTag", "sha256:zz"), ("pushTags", "x")]), "sourceTag"),
    ] {
        let message = failure(&world.step(&inputs));
        assert!(message.contains(word), "\"{word}\" is missing in: {message}");
    }
    assert!(world.gateway.calls().is_empty());
}
