//! `logRequest`, `logResponse`: what goes over the wire is told, and nothing that is secret.

use causeway_harness::world::World;

use crate::{assert_succeeds, failure};

const HEARD: [(&str, &str); 2] = [("logRequest", "true"), ("logResponse", "true")];

#[test]
fn each_request_and_answer_is_told_without_its_secrets() {
    let world = World::with_aws();
    let value = "a-secret-parameter-value";
    world.seed().put_parameter("/shop/token", "SecureString", value);
    let inputs =
        [("command", "getParameters"), ("connection", "federated"), ("parameterName", "/shop/token")];
    let job = world.step(&[&inputs[..], &HEARD].concat());
    assert_succeeds(&job);
    let log = job.log();
    for told in [
        "request 1: POST http://127.0.0.1",
        "/oidctoken (api-version, serviceConnectionId)",
        " AssumeRoleWithWebIdentity, ",
        " AmazonSSM.GetParameter, ",
        "response 1: HTTP 200",
        ", request id ",
    ] {
        assert!(log.contains(told), "{told} is missing in\n{log}");
    }
    for header in ["uthorization", "X-Amz-Security-Token", "eyJ"] {
        assert!(!log.contains(header), "{header} stands in\n{log}");
    }
    let mut secrets = world.secrets();
    secrets.add("the parameter", value);
    secrets.assert_none_in(&job);
}

#[test]
fn content_on_its_way_to_s3_is_told_too_and_answers_alone_say_what_they_answer() {
    let world = World::with_aws();
    let bucket = world.bucket("traffic");
    std::fs::write(world.agent.sources().join("a.txt"), "content").unwrap();
    let inputs = [("command", "s3Upload"), ("connection", "federated"), ("bucketName", bucket.as_str())];
    let job = world.step(&[&inputs[..], &[("logResponse", "true")]].concat());
    assert_succeeds(&job);
    let log = job.log();
    let upload = log.lines().find(|line| line.contains("a.txt") && line.contains("to PUT"));
    assert!(upload.is_some_and(|line| line.contains(": HTTP 200")), "{log}");
    assert!(!log.contains("request 1:"), "requests were not asked for:\n{log}");
    world.secrets().assert_none_in(&job);
}

#[test]
fn nothing_is_told_unasked_and_a_word_that_is_no_flag_is_refused() {
    let world = World::new();
    let inputs = [("command", "verify"), ("connection", "federated")];
    let job = world.step(&inputs);
    assert_succeeds(&job);
    assert!(!job.log().contains("request 1:") && !job.log().contains("response 1"), "{}", job.log());
    let calls = world.gateway.calls().len();
    let job = world.step(&[&inputs[..], &[("logRequest", "perhaps")]].concat());
    assert!(failure(&job).contains("logRequest"), "{}", failure(&job));
    assert_eq!(world.gateway.calls().len(), calls);
}
