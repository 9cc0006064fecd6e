//! `ecrPush` and `ecrPull` with an engine, whose docker is played by a script that notes how it was called. No real engine
//! runs here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use causeway_harness::agent::{Cancel, JobResult, Outcome};
use causeway_harness::registry::Registry;
use causeway_harness::registry::image::Layout;
use causeway_harness::world::World;

use crate::ecr_login::assert_no_login_is_left;
use crate::{assert_fails, assert_succeeds};

/// Notes arguments, environment and login; answers as docker does.
const DOCKER: &str = r#"#!/bin/bash
notes="$HOME/notes"
mkdir -p "$notes"
echo "$*" >>"$notes/arguments"
env | sort >>"$notes/environment"
stat -c %a "$DOCKER_CONFIG/config.json" >>"$notes/modes"
grep -c '"auth"' "$DOCKER_CONFIG/config.json" >>"$notes/logins"
digest="sha256:$(printf '%064d' 7)"
case "$1" in
  push) echo "5f70bf18a086: Pushed ##vso[task.setvariable variable=x]y"; echo "tag: digest: $digest size: 528" ;;
  pull) echo "Digest: $digest"; echo "Status: Downloaded" ;;
esac
[[ "$*" != *broken* ]] || { echo "tag invalid: The image tag 'broken' already exists in the 'team/shop' repository and cannot be overwritten because the repository is immutable." >&2; exit 1; }
"#;

fn world() -> World {
    let mut world = World::with_aws();
    let bin = world.agent.root().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("docker"), DOCKER).unwrap();
    fs::set_permissions(bin.join("docker"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    world.agent.machine.push(("PATH".to_owned(), path));
    world
}

fn push<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut inputs =
        vec![("command", "ecrPush"), ("connection", "federated"), ("repositoryName", "team/shop")];
    inputs.extend_from_slice(more);
    inputs
}

fn noted(job: &JobResult, name: &str) -> String {
    fs::read_to_string(job.home().join("notes").join(name)).unwrap_or_default()
}

fn digest() -> String {
    format!("sha256:{}7", "0".repeat(63))
}

#[test]
fn an_image_of_the_engine_is_tagged_pushed_and_forgotten() {
    let world = world();
    let job = world.step(&push(&[
        ("sourceImageName", "shop"),
        ("sourceImageTag", "build-7"),
        ("pushTags", "1.0\nlatest"),
        ("removeDockerImage", "true"),
        ("outputVariable", "Image"),
    ]));
    assert_succeeds(&job);
    let image = format!("{}.dkr.ecr.eu-west-1.amazonaws.com/team/shop", world.account);
    let calls = [
        format!("tag shop:build-7 {image}:1.0"),
        format!("push {image}:1.0"),
        format!("tag shop:build-7 {image}:latest"),
        format!("push {image}:latest"),
        format!("rmi {image}:1.0"),
        format!("rmi {image}:latest"),
    ];
    assert_eq!(noted(&job, "arguments").lines().collect::<Vec<_>>(), calls);
    assert_eq!(job.variable("step.imageDigest"), Some(digest().as_str()));
    assert_eq!(job.variable("Image"), Some(format!("{image}:1.0").as_str()));
    assert_eq!(job.variable("x"), None, "docker's output brings no command");
    assert!(noted(&job, "modes").lines().all(|mode| mode == "600"));
    assert!(noted(&job, "logins").lines().all(|count| count == "1"));
    let environment = noted(&job, "environment");
    for private in ["INPUT_", "ENDPOINT_", "SECRET_"] {
        assert!(!environment.lines().any(|line| line.starts_with(private)), "{private} is passed on");
    }
    assert_no_login_is_left(&job);
    world.secrets().assert_none_in(&job);
}

#[test]
fn an_image_is_pushed_by_its_id_under_latest() {
    let world = world();
    let job = world.step(&push(&[("imageSource", "imageid"), ("sourceImageId", "0f1a2b3c")]));
    assert_succeeds(&job);
    assert!(noted(&job, "arguments").starts_with("tag 0f1a2b3c "), "{}", noted(&job, "arguments"));
    assert!(job.variable("step.imageUri").unwrap().ends_with("/team/shop:latest"));
}

#[test]
fn an_image_is_pulled_into_the_engine() {
    let world = world();
    let wanted = digest();
    let inputs = [
        ("command", "ecrPull"),
        ("connection", "federated"),
        ("repository", "team/shop"),
        ("imageSource", "imagedigest"),
        ("imageDigest", wanted.as_str()),
    ];
    let job = world.step(&inputs);
    assert_succeeds(&job);
    let image = format!("{}.dkr.ecr.eu-west-1.amazonaws.com/team/shop@{wanted}", world.account);
    assert_eq!(noted(&job, "arguments"), format!("pull {image}\n"));
    assert_eq!(job.variable("step.imageUri"), Some(image.as_str()));
    let tag = ("imageDigest", "");
    let by_tag = world.step(&[inputs[0], inputs[1], inputs[2], tag, ("imageTag", "1.0")]);
    assert_succeeds(&by_tag);
    assert!(noted(&by_tag, "arguments").contains("/team/shop:1.0\n"));
}

/// podman under docker's name names no digest, and reads another file of logins.
#[test]
fn an_engine_that_names_no_digest_is_asked_no_further_than_the_registry() {
    let mut world = world();
    let registry = Registry::of(&mut world);
    let layout = world.agent.root().join("seed");
    let digest = Layout::new(&layout, 1).image(&[1000]);
    let target = format!("docker://{}/team/shop:1.0", registry.host());
    assert!(registry.skopeo(&["copy", &format!("oci:{}:1.0", layout.display()), &target]).status.success());
    let podman = r#"#!/bin/bash
mkdir -p "$HOME/notes"
grep -c '"auth"' "$REGISTRY_AUTH_FILE" >>"$HOME/notes/logins"
echo "Writing manifest to image destination"
"#;
    fs::write(world.agent.root().join("bin/docker"), podman).unwrap();
    let job = world.step(&push(&[("sourceImageName", "shop"), ("pushTag", "1.0")]));
    assert_succeeds(&job);
    assert_eq!(job.variable("step.imageDigest"), Some(digest.as_str()));
    assert!(noted(&job, "logins").lines().all(|count| count == "1"));
    assert_no_login_is_left(&job);
    let inputs = [
        ("command", "ecrPull"),
        ("connection", "federated"),
        ("repository", "team/shop"),
        ("imageTag", "1.0"),
    ];
    let pulled = world.step(&inputs);
    assert_succeeds(&pulled);
    assert_eq!(pulled.variable("step.imageDigest"), Some(digest.as_str()));
    // A push that was none is no success.
    let job = world.step(&push(&[("sourceImageName", "shop"), ("pushTag", "2.0")]));
    assert_fails(&job, &["the registry has no team/shop:2.0"]);
}

#[test]
fn a_failure_of_docker_is_told_and_the_login_goes_all_the_same() {
    let world = world();
    let job = world.step(&push(&[("sourceImageName", "shop"), ("pushTag", "broken")]));
    assert_fails(&job, &["docker tag failed", "cannot be overwritten", "push another tag"]);
    assert_no_login_is_left(&job);
    world.secrets().assert_none_in(&job);
}

#[test]
fn a_cancelled_push_ends_docker_and_leaves_no_login() {
    let world = world();
    let slow = "#!/bin/bash\n[[ $1 != push ]] || { echo $$ >\"$HOME/pid\"; echo waiting; exec sleep 600; }\n";
    fs::write(world.agent.root().join("bin/docker"), slow).unwrap();
    let step = world.causeway(&push(&[("sourceImageName", "shop")])).cancelled(Cancel::At("waiting".into()));
    let job = world.run(vec![step]);
    assert_eq!(job.first().outcome, Outcome::Canceled);
    assert!(job.first().usage.wall < Duration::from_secs(7), "{:?}", job.first().usage.wall);
    let pid = fs::read_to_string(job.home().join("pid")).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap_or_default();
    assert!(status.is_empty() || status.contains("(zombie)"), "{status}");
    assert_no_login_is_left(&job);
    world.secrets().assert_none_in(&job);
}

#[test]
fn without_docker_the_way_without_an_engine_is_shown() {
    let mut world = World::with_aws();
    // Only what the shim needs: node.
    let bin = world.agent.root().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let which = std::process::Command::new("which").arg("node").output().unwrap();
    let node = String::from_utf8(which.stdout).unwrap();
    std::os::unix::fs::symlink(node.trim(), bin.join("node")).unwrap();
    world.agent.machine.push(("PATH".to_owned(), bin.display().to_string()));
    let job = world.step(&push(&[("sourceImageName", "shop")]));
    assert_fails(&job, &["no docker on this machine", "ociLayout"]);
}
