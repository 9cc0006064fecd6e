//! `command: ecrPush` without an engine

use std::fs;
use std::time::Duration;

use causeway_harness::agent::{Cancel, Outcome, Step};
use causeway_harness::gateway::Fault;
use causeway_harness::registry::image::{Layout, pack};
use causeway_harness::registry::{Registry, Trouble};
use causeway_harness::world::World;
use serde_json::{Value, json};

use crate::ecr_login::assert_no_login_is_left;
use crate::{assert_fails, assert_succeeds, failure};

/// A world with a registry, and a layout `image` in the sources; answers the image's digest too.
fn world() -> (World, Registry, String) {
    let mut world = World::with_aws();
    let registry = Registry::of(&mut world);
    let digest = Layout::new(&world.agent.sources().join("image"), 1).image(&[300_000, 5_000]);
    (world, registry, digest)
}

fn inputs<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut inputs = vec![
        ("command", "ecrPush"),
        ("connection", "federated"),
        ("imageSource", "ociLayout"),
        ("archivePath", "image"),
        ("repositoryName", "team/shop"),
    ];
    inputs.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    inputs.extend_from_slice(more);
    inputs
}

fn described(world: &World, name: &str) -> Value {
    let body = json!({ "repositoryNames": [name] });
    let answer = world.seed().json("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", &body);
    answer["repositories"][0].clone()
}

#[test]
fn a_layout_is_pushed_under_several_tags_and_nothing_is_left() {
    let (world, registry, digest) = world();
    let job = world.step(&inputs(&[
        ("pushTag", "1.4.2"),
        ("pushTags", "latest\nstable\n1.4.2"),
        ("outputVariable", "ShopImage"),
    ]));
    assert_succeeds(&job);
    let uri = format!("{}/team/shop:1.4.2", registry.host());
    assert_eq!(job.variable("step.imageUri"), Some(uri.as_str()));
    assert_eq!(job.variable("ShopImage"), Some(uri.as_str()));
    assert_eq!(job.variable("step.imageDigest"), Some(digest.as_str()));
    assert_eq!(job.variable("step.registry"), Some(registry.host().as_str()));
    for tag in ["1.4.2", "latest", "stable"] {
        assert_eq!(registry.fetched(&format!("team/shop:{tag}")), Some(digest.clone()));
    }
    assert!(job.first().log.contains("3 blobs sent"), "{}", job.first().log);
    assert_no_login_is_left(&job);
    assert_eq!(job.variable("DOCKER_CONFIG"), None, "pushing is no login for later steps");
    world.secrets().assert_none_in(&job);

    registry.front.forget();
    let again = world.step(&inputs(&[("pushTag", "1.4.2")]));
    assert_succeeds(&again);
    assert!(again.first().log.contains("0 blobs sent (0 B), 3 were there"), "{}", again.first().log);
    assert!(registry.front.seen().iter().all(|seen| seen.line.starts_with("HEAD")));
}

#[test]
fn latest_is_pushed_only_when_nothing_else_is_said() {
    let (world, registry, digest) = world();
    assert_succeeds(&world.step(&inputs(&[("pushTags", "2.0")])));
    assert_eq!(registry.fetched("team/shop:2.0"), Some(digest.clone()));
    assert_eq!(registry.fetched("team/shop:latest"), None);
    assert_succeeds(&world.step(&inputs(&[])));
    assert_eq!(registry.fetched("team/shop:latest"), Some(digest));
}

#[test]
fn archives_of_both_kinds_are_pushed_whole() {
    let (world, registry, digest) = world();
    let sources = world.agent.sources();
    pack(&sources.join("image"), &sources.join("oci.tar"));
    let target = format!("docker-archive:{}:shop:1.0", sources.join("saved.tar").display());
    let source = format!("oci:{}:1.0", sources.join("image").display());
    assert!(registry.skopeo(&["copy", &source, &target]).status.success());
    for (path, expected) in [("oci.tar", Some(&digest)), ("saved.tar", None)] {
        let job = world.step(&inputs(&[("imageSource", "archive"), ("archivePath", path)]));
        assert_succeeds(&job);
        let pushed = job.variable("step.imageDigest").unwrap();
        assert_eq!(registry.fetched("team/shop:latest").as_deref(), Some(pushed));
        assert!(expected.is_none_or(|expected| expected == pushed));
    }
}

#[test]
fn the_repository_is_made_as_asked_and_only_when_it_is_not_there() {
    let (world, _registry, _) = world();
    let policy = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}"#;
    fs::write(world.agent.sources().join("policy.json"), policy).unwrap();
    let more = [
        ("autoCreateRepository", "true"),
        ("imageTagMutability", "IMMUTABLE"),
        ("scanOnPush", "true"),
        ("repositoryEncryption", "KMS"),
        ("repositoryTags", "team=shop\nstage = prod=eu"),
        ("repositoryName", "T!eam/Shop"),
        ("forceDockerNamingConventions", "true"),
    ];
    let with_policy = |policy| {
        let mut more = more.to_vec();
        more.push(("lifecyclePolicy", policy));
        more
    };
    let job = world.step(&inputs(&with_policy("policy.json")));
    assert_succeeds(&job);
    assert!(job.first().log.contains("Created repository arn:aws:ecr:"), "{}", job.first().log);
    let made = described(&world, "team/shop");
    assert_eq!(made["imageTagMutability"], "IMMUTABLE");
    assert_eq!(made["imageScanningConfiguration"]["scanOnPush"], true);
    assert_eq!(made["encryptionConfiguration"]["encryptionType"], "KMS");
    let target = "AmazonEC2ContainerRegistry_V20150921.";
    let tags = world.seed().json(
        "ecr",
        &format!("{target}ListTagsForResource"),
        &json!({ "resourceArn": made["repositoryArn"] }),
    );
    let expected = json!([{ "Key": "team", "Value": "shop" }, { "Key": "stage", "Value": "prod=eu" }]);
    assert_eq!(tags["tags"], expected);
    let set = world.seed().json(
        "ecr",
        &format!("{target}GetLifecyclePolicy"),
        &json!({ "repositoryName": "team/shop" }),
    );
    assert_eq!(set["lifecyclePolicyText"], policy);

    // Inline, and a repository that is there stays as it is.
    assert_succeeds(&world.step(&inputs(&with_policy(policy))));
    assert_eq!(world.gateway.calls_of("ecr", "CreateRepository").len(), 1);
}

#[test]
fn a_repository_that_is_not_there_is_said() {
    let (world, registry, _) = world();
    // ECR's words; docker-registry makes repositories by itself.
    let body = json!({ "errors": [{
        "code": "NAME_UNKNOWN",
        "message": "The repository with name 'team/shop' does not exist in the registry with id '1'",
    }] });
    for _ in 0..10 {
        registry.front.trouble("POST /blobs/uploads/", Trouble::Answer(404, body.to_string()));
    }
    assert_fails(&world.step(&inputs(&[])), &["does not exist", "autoCreateRepository", "NAME_UNKNOWN"]);
    assert!(world.gateway.calls_of("ecr", "CreateRepository").is_empty());
}

#[test]
fn a_taken_tag_of_an_immutable_repository_fails_before_anything_is_sent() {
    let (world, registry, digest) = world();
    let make = [("autoCreateRepository", "true"), ("imageTagMutability", "IMMUTABLE"), ("pushTag", "1.0")];
    assert_succeeds(&world.step(&inputs(&make)));
    // The same image once more is no clash: a retried step succeeds.
    assert_succeeds(&world.step(&inputs(&make)));
    let other = Layout::new(&world.agent.sources().join("other"), 77).image(&[10_000]);
    registry.front.forget();
    let job = world.step(&inputs(&[("archivePath", "other"), ("pushTag", "1.0")]));
    assert_fails(&job, &["team/shop", "1.0", "immutable", &digest]);
    assert!(registry.front.seen().iter().all(|seen| seen.line.starts_with("HEAD")));
    assert_succeeds(&world.step(&inputs(&[("archivePath", "other"), ("pushTag", "1.1")])));
    assert_eq!(registry.fetched("team/shop:1.1"), Some(other));
}

#[test]
fn ecrs_own_refusal_of_a_taken_tag_is_explained() {
    let (world, registry, _) = world();
    let body = json!({ "errors": [{
        "code": "TAG_INVALID",
        "message": "The image tag '1.0' already exists in the 'team/shop' repository and cannot be overwritten because the repository is immutable.",
    }] });
    registry.front.trouble("PUT manifests/1.0", Trouble::Answer(400, body.to_string()));
    assert_fails(&world.step(&inputs(&[("pushTag", "1.0")])), &["immutable", "push another tag"]);
}

#[test]
fn layers_come_from_the_repositories_that_are_named() {
    let (world, registry, digest) = world();
    assert_succeeds(&world.step(&inputs(&[("repositoryName", "team/base")])));
    let job = world.step(&inputs(&[("mountFrom", "team/nothing\nteam/base")]));
    assert_succeeds(&job);
    assert!(job.first().log.contains("3 taken from other repositories"), "{}", job.first().log);
    assert_eq!(registry.fetched("team/shop:latest"), Some(digest));
}

#[test]
fn another_accounts_registry_takes_the_image() {
    let (world, registry, digest) = world();
    let job = world.step(&inputs(&[("registries", "210987654321.us-east-1")]));
    assert_succeeds(&job);
    let uri = "210987654321.dkr.ecr.us-east-1.amazonaws.com/team/shop:latest";
    assert_eq!(job.variable("step.imageUri"), Some(uri));
    assert_eq!(registry.fetched("team/shop:latest"), Some(digest));
    let tokens = world.gateway.calls_of("ecr", "GetAuthorizationToken");
    assert_eq!(tokens[0].region, "us-east-1");
}

#[test]
fn what_a_role_may_not_do_is_said() {
    let (world, registry, _) = world();
    let body = json!({ "errors": [{ "code": "DENIED", "message": "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ecr:InitiateLayerUpload" }] });
    for _ in 0..10 {
        registry.front.trouble("POST /blobs/uploads/", Trouble::Answer(403, body.to_string()));
    }
    assert_fails(&world.step(&inputs(&[])), &["not authorized", "ecr:PutImage", "HTTP 403"]);
}

#[test]
fn bad_inputs_are_named_and_nothing_is_sent() {
    let mut world = World::new();
    let registry = Registry::of(&mut world);
    let sources = world.agent.sources();
    let _ = Layout::new(&sources.join("image"), 1).image(&[10]);
    let _ = Layout::new(&sources.join("several"), 1).images(&["1.0", "2.0"]);
    fs::write(sources.join("text.txt"), "x").unwrap();
    let cases: [(&[(&str, &str)], &[&str]); 15] = [
        (&[("repositoryName", "Team/Shop")], &["repositoryName", "forceDockerNamingConventions"]),
        (&[("repositoryName", "host.example/team:1")], &["repositoryName"]),
        (&[("pushTag", "a b")], &["pushTag"]),
        (&[("pushTags", "ok\n-no")], &["pushTags", "-no"]),
        (&[("imageSource", "imagename")], &["sourceImageName"]),
        (&[("imageSource", "imagename"), ("sourceImageName", "--help")], &["sourceImageName"]),
        (&[("imageSource", "imageid")], &["sourceImageId"]),
        (&[("archivePath", "nowhere")], &["archivePath", "nowhere"]),
        (&[("archivePath", "text.txt")], &["archivePath", "text.txt"]),
        (&[("archivePath", "several")], &["archivePath", "2 images: 1.0, 2.0"]),
        (&[("registries", "1.2.3")], &["registries", "1.2.3"]),
        (&[("registries", "123456789012\n210987654321")], &["registries", "one registry"]),
        (&[("autoCreateRepository", "true"), ("repositoryKmsKey", "alias/x")], &["repositoryKmsKey", "KMS"]),
        (
            &[("autoCreateRepository", "true"), ("lifecyclePolicy", "{\"rules\":[]}")],
            &["lifecyclePolicy", "rules"],
        ),
        (&[("autoCreateRepository", "true"), ("repositoryTags", "novalue")], &["repositoryTags", "novalue"]),
    ];
    for (more, words) in cases {
        let message = failure(&world.step(&inputs(more)));
        for word in words {
            assert!(message.contains(word), "\"{word}\" is missing in: {message}");
        }
    }
    assert_succeeds_after_choosing(&world);
    assert!(registry.front.seen().is_empty());
}

/// `latest` comes by default: among several it names one, of a single image it asks nothing.
#[test]
fn latest_is_found_among_several() {
    let (world, registry, _) = world();
    let digests = Layout::new(&world.agent.sources().join("several"), 8).images(&["1.0", "latest"]);
    assert_succeeds(&world.step(&inputs(&[("archivePath", "several")])));
    assert_eq!(registry.fetched("team/shop:latest"), Some(digests[1].clone()));
    // The layout says only tags; any name goes with them.
    let by_name = [
        ("archivePath", "several"),
        ("sourceImageName", "shop"),
        ("sourceImageTag", "1.0"),
        ("pushTag", "one"),
    ];
    assert_succeeds(&world.step(&inputs(&by_name)));
    assert_eq!(registry.fetched("team/shop:one"), Some(digests[0].clone()));
    let other = [("archivePath", "image"), ("sourceImageTag", "7.7")];
    assert_fails(&world.step(&inputs(&other)), &["archivePath", "the image 1.0; none of them is 7.7"]);
}

#[test]
fn a_role_that_may_push_and_not_read_is_enough() {
    let (world, registry, digest) = world();
    for _ in 0..20 {
        registry.front.trouble("HEAD /manifests/", Trouble::Answer(403, String::new()));
    }
    assert_succeeds(&world.step(&inputs(&[("pushTags", "1.0\n1.1")])));
    registry.front.calm();
    assert_eq!(registry.fetched("team/shop:1.1"), Some(digest));
}

/// moto has no ECR Public: the gateway answers in its words.
#[test]
fn a_public_repository_is_made() {
    let (world, registry, digest) = world();
    let json = "application/x-amz-json-1.1";
    let answer = json!({ "authorizationData": { "authorizationToken": registry.token(), "expiresAt": 1_900_000_000 } });
    let always = |body: &Value| Fault::raw(200, json, &body.to_string()).always();
    world.gateway.fail("ecr-public", "GetAuthorizationToken", always(&answer));
    let missing = json!({ "__type": "RepositoryNotFoundException", "message": "no such repository" });
    world.gateway.fail(
        "ecr-public",
        "DescribeRepositories",
        Fault::raw(400, json, &missing.to_string()).always(),
    );
    let arn = "arn:aws:ecr-public::123456789012:repository/shop";
    let made = json!({ "repository": { "repositoryName": "shop", "repositoryArn": arn } });
    world.gateway.fail("ecr-public", "CreateRepository", always(&made));
    let public = [
        ("registryType", "public"),
        ("repositoryName", "team/shop"),
        ("autoCreateRepository", "true"),
        ("repositoryTags", "team=shop"),
    ];
    let job = world.step(&inputs(&public));
    assert_succeeds(&job);
    assert!(job.first().log.contains(&format!("Created repository {arn}")), "{}", job.first().log);
    assert_eq!(registry.fetched("team/shop:latest"), Some(digest));
    assert_eq!(job.variable("step.imageUri"), Some("public.ecr.aws/team/shop:latest"));
    let calls = world.gateway.calls_of("ecr-public", "CreateRepository");
    assert_eq!((calls.len(), calls[0].region.as_str()), (1, "us-east-1"));
    for (name, value) in
        [("imageTagMutability", "IMMUTABLE"), ("scanOnPush", "true"), ("lifecyclePolicy", "{\"rules\":[{}]}")]
    {
        let more = [&public[..], &[(name, value)]].concat();
        assert_fails(&world.step(&inputs(&more)), &[name, "ECR Public"]);
    }
    let bare = [("registryType", "public"), ("repositoryName", "shop")];
    assert_fails(&world.step(&inputs(&bare)), &["repositoryName", "alias"]);
}

/// The one of several that is named is found; the failure comes later, as this world has no ECR.
fn assert_succeeds_after_choosing(world: &World) {
    let chosen = [("archivePath", "several"), ("sourceImageName", ""), ("sourceImageTag", "2.0")];
    assert_fails(&world.step(&inputs(&chosen)), &["authorization token"]);
}

#[test]
fn a_cancelled_push_ends_at_once_and_sets_no_tag() {
    let (world, registry, _) = world();
    for _ in 0..100 {
        registry.front.trouble("POST /blobs/uploads/", Trouble::Answer(503, String::new()));
    }
    let step = world.causeway(&inputs(&[])).cancelled(Cancel::At("manifests, ".into()));
    let job = world.run(vec![step]);
    assert_eq!(job.first().outcome, Outcome::Canceled);
    assert!(job.first().usage.wall < Duration::from_secs(5), "{:?}", job.first().usage.wall);
    assert_eq!(job.variable("step.imageUri"), None);
    registry.front.calm();
    assert_eq!(registry.fetched("team/shop:latest"), None);
    assert_no_login_is_left(&job);
}

#[test]
fn long_pushes_tell_how_far_they_are() {
    let (world, registry, _) = world();
    let _ = Layout::new(&world.agent.sources().join("large"), 5).image(&[3_000_000]);
    // The pauses after six faults are longer than the five seconds between two lines.
    for _ in 0..6 {
        registry.front.trouble("PATCH /blobs/uploads/", Trouble::Answer(503, String::new()));
    }
    let job = world.run(vec![world.causeway(&inputs(&[("archivePath", "large")])), Step::script("true")]);
    assert_succeeds(&job);
    let log = &job.first().log;
    let lines = log.lines().filter(|line| line.contains(" of 2.8 MiB (")).count();
    assert!((1..=6).contains(&lines), "{log}");
    assert!(job.first().progress.is_some());
}
