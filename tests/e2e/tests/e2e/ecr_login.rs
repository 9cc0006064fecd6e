//! `command: ecrLogin`

use std::os::unix::fs::PermissionsExt;

use causeway_harness::agent::Step;
use causeway_harness::world::World;
use serde_json::Value;

use crate::assert_succeeds;

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
