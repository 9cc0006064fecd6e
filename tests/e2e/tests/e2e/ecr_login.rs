//! `command: ecrLogin`

use std::os::unix::fs::PermissionsExt;

use causeway_harness::agent::{JobResult, Step};
use causeway_harness::gateway::Fault;
use causeway_harness::registry::Registry;
use causeway_harness::registry::image::Layout;
use causeway_harness::world::World;
use serde_json::Value;

use crate::{assert_fails, assert_succeeds};

const LOGIN: [(&str, &str); 2] = [("command", "ecrLogin"), ("connection", "federated")];

#[test]
fn docker_finds_the_login_and_the_users_other_entries_and_afterwards_nothing_is_left() {
    let world = World::with_aws();
    let own = world.agent.root().join("home/.docker");
    std::fs::create_dir_all(&own).unwrap();
    let users = r#"{"auths":{"registry.example":{"auth":"dXNlcjpwYXNz"}},"detachKeys":"ctrl-x"}"#;
    std::fs::write(own.join("config.json"), users).unwrap();
    let job = world.run(vec![
        world.causeway(&LOGIN),
        Step::script(
            "stat -c '%a' \"$DOCKER_CONFIG/config.json\"; cp \"$DOCKER_CONFIG/config.json\" seen.json",
        )
        .named("use"),
    ]);
    assert_succeeds(&job);
    let host = format!("{}.dkr.ecr.eu-west-1.amazonaws.com", world.account);
    assert_eq!(job.variable("step.registry"), Some(host.as_str()));
    assert!(job.step("use").stdout().starts_with("600\n"));

    let seen: Value =
        serde_json::from_slice(&std::fs::read(job.sources().join("seen.json")).unwrap()).unwrap();
    assert!(seen["auths"][&host]["auth"].is_string(), "{seen}");
    assert_eq!(seen["auths"]["registry.example"]["auth"], "dXNlcjpwYXNz");
    assert_eq!(seen["detachKeys"], "ctrl-x");
    std::fs::remove_file(job.sources().join("seen.json")).unwrap();

    let folder = job.variable("DOCKER_CONFIG").unwrap();
    assert!(folder.starts_with(job.temp().to_str().unwrap()), "{folder}");
    assert!(!std::path::Path::new(folder).exists(), "{folder} is left");
    assert_eq!(
        std::fs::read_to_string(own.join("config.json")).unwrap(),
        users,
        "the user's own file is untouched"
    );
    world.secrets().assert_none_in(&job);
}

#[test]
fn logout_false_keeps_it() {
    let world = World::with_aws();
    let mut inputs = LOGIN.to_vec();
    inputs.push(("logout", "false"));
    let job = world.step(&inputs);
    assert_succeeds(&job);
    let file = std::path::Path::new(job.variable("DOCKER_CONFIG").unwrap()).join("config.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn two_logins_of_one_job_both_go() {
    let world = World::with_aws();
    let mut other_region = LOGIN.to_vec();
    other_region.push(("regionName", "us-east-1"));
    let job = world.run(vec![
        world.causeway(&LOGIN),
        world.causeway(&other_region).named("second"),
        Step::script("grep -c '\"auth\"' \"$DOCKER_CONFIG/config.json\"").named("count"),
    ]);
    assert_succeeds(&job);
    assert!(job.step("count").stdout().starts_with("2\n"), "{}", job.step("count").stdout());
    world.secrets().assert_none_in(&job);
}

#[test]
fn what_another_step_added_stays_after_logout() {
    let world = World::with_aws();
    let add = r#"python3 - <<'E'
import json, os
p = os.environ["DOCKER_CONFIG"] + "/config.json"
c = json.load(open(p)); c["auths"]["other.example"] = {"auth": "b3RoZXI6bG9naW4="}; json.dump(c, open(p, "w"))
E"#;
    let job = world.run(vec![world.causeway(&LOGIN), Step::script(add).named("add")]);
    assert_succeeds(&job);
    let file = std::path::Path::new(job.variable("DOCKER_CONFIG").unwrap()).join("config.json");
    let left: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(left, serde_json::json!({ "auths": { "other.example": { "auth": "b3RoZXI6bG9naW4=" } } }));
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&LOGIN[..], more].concat()
}

/// That no file with a login is in the job's temp folder, nor the folder of one: only the page of a summary may be there.
#[track_caller]
pub(crate) fn assert_no_login_is_left(job: &JobResult) {
    for folder in std::fs::read_dir(job.temp()).unwrap().map(|entry| entry.unwrap().path()) {
        let mut files = std::fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let is_summary =
            files.next().is_some_and(|file| file.extension().is_some_and(|ending| ending == "md"));
        assert!(is_summary && files.next().is_none(), "{} is left", folder.display());
    }
}

/// The hosts that a step finds a login for, in docker's file and in podman's.
const HOSTS: &str = "python3 - <<'E'
import json, os
for path in (os.environ['DOCKER_CONFIG'] + '/config.json', os.environ['REGISTRY_AUTH_FILE']):
    c = json.load(open(path))
    print(' '.join(sorted(k for k, v in c['auths'].items() if v)), '|', json.dumps(c.get('credHelpers')))
E";

#[test]
fn several_registries_in_one_step() {
    let world = World::with_aws();
    let registries =
        "210987654321\n210987654321.us-east-1\nhttps://098765432109.dkr.ecr.eu-west-1.amazonaws.com/";
    let job = world
        .run(vec![world.causeway(&with(&[("registries", registries)])), Step::script(HOSTS).named("hosts")]);
    assert_succeeds(&job);
    let hosts = "098765432109.dkr.ecr.eu-west-1.amazonaws.com 210987654321.dkr.ecr.eu-west-1.amazonaws.com \
                 210987654321.dkr.ecr.us-east-1.amazonaws.com | null\n";
    assert_eq!(job.step("hosts").stdout(), hosts.repeat(2));
    assert_eq!(job.variable("step.registry"), Some("210987654321.dkr.ecr.eu-west-1.amazonaws.com"));
    let regions: Vec<String> =
        world.gateway.calls_of("ecr", "GetAuthorizationToken").into_iter().map(|call| call.region).collect();
    assert_eq!(regions, ["eu-west-1", "us-east-1"], "one token a region");
    assert_no_login_is_left(&job);
    world.secrets().assert_none_in(&job);
}

#[test]
fn ecr_public_has_its_own_token() {
    let world = World::with_aws();
    // `AWS:public-password`
    let token = "QVdTOnB1YmxpYy1wYXNzd29yZA==";
    let answer =
        format!(r#"{{"authorizationData":{{"authorizationToken":"{token}","expiresAt":1900000000}}}}"#);
    let fault = Fault::raw(200, "application/x-amz-json-1.1", &answer).always();
    world.gateway.fail("ecr-public", "GetAuthorizationToken", fault);
    let job = world
        .run(vec![world.causeway(&with(&[("registryType", "public")])), Step::script(HOSTS).named("hosts")]);
    assert_succeeds(&job);
    assert_eq!(job.step("hosts").stdout(), "public.ecr.aws | null\n".repeat(2));
    assert_eq!(world.gateway.calls_of("ecr-public", "*")[0].region, "us-east-1");
    let mut secrets = world.secrets();
    secrets.add("the password of ECR Public", "public-password");
    secrets.add("its base64", token);
    secrets.assert_none_in(&job);
}

#[test]
fn stores_and_helpers_of_the_user_stand_in_nobodys_way() {
    let world = World::with_aws();
    let own = world.agent.root().join("home/.docker");
    std::fs::create_dir_all(&own).unwrap();
    let users = r#"{"auths":{"a.example":{"auth":"dXNlcjpwYXNz"},"b.example":{}},"credsStore":"desktop","credHelpers":{"c.example":"pass"}}"#;
    std::fs::write(own.join("config.json"), users).unwrap();
    let job = world.run(vec![world.causeway(&LOGIN), Step::script(HOSTS).named("hosts")]);
    assert_succeeds(&job);
    let host = format!("{}.dkr.ecr.eu-west-1.amazonaws.com", world.account);
    let expected = format!(
        "{host} a.example | {{\"c.example\": \"pass\", \"{host}\": \"\"}}\n{host} a.example | {{\"c.example\": \"pass\"}}\n"
    );
    assert_eq!(job.step("hosts").stdout(), expected);
}

#[test]
fn the_real_tools_read_the_login_and_fetch_from_the_registry() {
    let mut world = World::with_aws();
    let registry = Registry::of(&mut world);
    let own = world.agent.root().join("home/.docker");
    std::fs::create_dir_all(&own).unwrap();
    // A store that is not there: every tool must look past it.
    std::fs::write(own.join("config.json"), r#"{"credsStore":"causeway-is-not-there"}"#).unwrap();
    let layout = world.agent.root().join("seed");
    let digest = Layout::new(&layout, 1).image(&[1000]);
    let image = format!("{}/team/shop:1.0", registry.host());
    let source = format!("oci:{}:1.0", layout.display());
    assert!(registry.skopeo(&["copy", &source, &format!("docker://{image}")]).status.success());
    let tools = format!(
        "set -e; export SSL_CERT_FILE=\"$AWS_CA_BUNDLE\"
         skopeo inspect --format '{{{{.Digest}}}}' docker://{image}
         podman login --get-login {host}
         buildah login --get-login {host}
         podman --root \"$HOME/podman\" --runroot \"$HOME/run\" --storage-driver vfs pull -q {image} >/dev/null
         podman --root \"$HOME/podman\" --runroot \"$HOME/run\" --storage-driver vfs images --format '{{{{.Digest}}}}'
         rm -rf \"$HOME/podman\" \"$HOME/run\"
         ! command -v docker >/dev/null || docker manifest inspect {image} >/dev/null",
        host = registry.host(),
    );
    let job = world.run(vec![world.causeway(&LOGIN), Step::script(&tools).named("tools")]);
    assert_succeeds(&job);
    let expected = format!("{digest}\nAWS\nAWS\n{digest}\n");
    assert_eq!(job.step("tools").stdout(), expected, "{}", job.step("tools").stderr());
    world.secrets().assert_none_in(&job);
}

#[test]
fn a_login_that_docker_would_not_see_is_warned_of() {
    let mut world = World::with_aws();
    world.agent.machine.push(("DOCKER_AUTH_CONFIG".to_owned(), r#"{"auths":{}}"#.to_owned()));
    let job = world.step(&LOGIN);
    assert_succeeds(&job);
    assert!(job.first().warnings()[0].contains("DOCKER_AUTH_CONFIG"), "{:?}", job.first().warnings());
}

#[test]
fn registries_that_cannot_be_are_refused() {
    let world = World::with_aws();
    for (inputs, words) in [
        (&[("registries", "evil.example")][..], &["registries", "evil.example"][..]),
        (&[("registries", "123456789012.evil")], &["registries", "region"]),
        (&[("registryType", "public"), ("registries", "123456789012")], &["registries", "public.ecr.aws"]),
        (&[("registries", "123456789012.cn-north-1")], &["aws-cn", "partition"]),
        (&[("regionName", "cn-north-1"), ("registryType", "public")], &["partition"]),
    ] {
        assert_fails(&world.step(&with(inputs)), words);
    }
    assert!(world.gateway.calls_of("ecr", "*").is_empty());
}
