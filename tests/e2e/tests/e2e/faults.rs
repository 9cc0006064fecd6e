//! Passing faults, final ones, and the one deadline over both calls, through the real binary. The 500 exchanges of the
//! fault run are in `crates/identity/tests/faults.rs`.

use std::time::{Duration, Instant};

use causeway_harness::agent::{JobResult, Outcome, Variable};
use causeway_harness::azure_devops::Answer;
use causeway_harness::gateway::Fault;
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds};

const WITH_TOKEN: &str = "AssumeRoleWithWebIdentity";

fn assume(world: &World) -> (JobResult, Duration) {
    let begin = Instant::now();
    let job = world.step(&[("command", "assumeRole"), ("connection", "federated")]);
    (job, begin.elapsed())
}

fn with_deadline(seconds: &str) -> World {
    let mut world = World::new();
    world.variables.push(Variable::public("Causeway.IdentityDeadlineSeconds", seconds));
    world
}

#[test]
fn final_answers_of_sts_are_final() {
    for (status, code) in [
        (400, "ValidationError"),
        (400, "MalformedPolicyDocument"),
        (401, "UnrecognizedClientException"),
        (403, "AccessDenied"),
        (404, "NoSuchThing"),
    ] {
        let world = World::new();
        world.gateway.fail("sts", WITH_TOKEN, Fault::error(status, code, "no").always());
        let (job, _) = assume(&world);
        assert_fails(&job, &[code, "request id"]);
        assert_eq!(world.gateway.calls().len(), 1, "{code} is final");
        assert_eq!(job.variable("AWS_ACCESS_KEY_ID"), None);
    }
}

#[test]
fn a_service_that_never_answers_ends_at_the_deadline_which_is_named() {
    let world = with_deadline("2");
    world.gateway.fail("sts", WITH_TOKEN, Fault::slow(Duration::from_secs(30)).always());
    let (job, took) = assume(&world);
    assert_fails(&job, &["within 2 seconds", "127.0.0.1 did not answer", "Causeway.IdentityDeadlineSeconds"]);
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert_eq!(job.variable("AWS_ACCESS_KEY_ID"), None);

    let world = with_deadline("2");
    for _ in 0..20 {
        world.azure_devops.answer_next(Answer::normal().after(Duration::from_secs(30)));
    }
    let (job, took) = assume(&world);
    assert_fails(&job, &["2 seconds", "not answer"]);
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert!(world.gateway.calls().is_empty());
}

#[test]
fn faults_that_go_on_end_at_the_deadline_with_the_last_of_them() {
    let world = with_deadline("3");
    world.gateway.fail("sts", WITH_TOKEN, Fault::unavailable().always());
    let (job, took) = assume(&world);
    assert_fails(&job, &["within 3 seconds", "127.0.0.1 answered HTTP 503"]);
    assert!(took < Duration::from_secs(7), "{took:?}");

    let world = with_deadline("3");
    for _ in 0..50 {
        world.azure_devops.answer_next(Answer::status(500));
    }
    let (job, took) = assume(&world);
    assert_fails(&job, &["HTTP 500", "3 seconds"]);
    assert!(took < Duration::from_secs(7), "{took:?}");
}

#[test]
fn the_token_and_the_roles_share_one_deadline() {
    let world = with_deadline("3");
    world.azure_devops.answer_next(Answer::normal().after(Duration::from_secs(2)));
    world.gateway.fail("sts", WITH_TOKEN, Fault::slow(Duration::from_secs(2)).always());
    let (job, took) = assume(&world);
    assert_fails(&job, &["within 3 seconds"]);
    assert!(took < Duration::from_secs(7), "{took:?}");
}

#[test]
fn a_pause_that_azure_devops_asks_for_is_kept_if_the_deadline_allows_it() {
    let busy = |seconds: &str| Answer::http(429, &[("retry-after", seconds)], "");
    let world = World::new();
    world.azure_devops.answer_next(busy("2"));
    let (job, took) = assume(&world);
    assert_succeeds(&job);
    assert!(took >= Duration::from_secs(2), "{took:?}");

    let world = World::new();
    world.azure_devops.answer_next(busy("600"));
    let (job, took) = assume(&world);
    assert_fails(&job, &["HTTP 429", "deadline of 60 seconds"]);
    assert!(took < Duration::from_secs(10), "it is not waited for: {took:?}");
    assert_eq!(world.azure_devops.received().len(), 1);
}

#[test]
fn a_deadline_that_is_none_is_refused_before_any_call() {
    for text in ["0", "601", "soon", "-1", "1.5"] {
        let world = with_deadline(text);
        let (job, _) = assume(&world);
        assert_fails(&job, &["Causeway.IdentityDeadlineSeconds", text, "1 to 600"]);
        assert!(world.azure_devops.received().is_empty() && world.gateway.calls().is_empty());
    }
}

#[test]
fn telling_claims_that_nobody_needs_does_not_use_up_the_time() {
    let world = with_deadline("6");
    for _ in 0..20 {
        world.azure_devops.answer_next(Answer::status(503));
    }
    let job = world.step(&[("command", "verify"), ("awsCredentials", "aws-keys")]);
    assert_succeeds(&job);
    assert!(job.first().log.contains("got no OIDC token"), "{}", job.first().log);
}

#[test]
fn a_clock_that_is_ten_minutes_off_is_named() {
    for seconds in [600, -600] {
        let world = World::with_aws();
        world.seed().put_parameter("/shop/plain", "String", "plain");
        world.gateway.shift_clock(seconds);
        world.azure_devops.change(|organization| organization.clock = seconds);
        let inputs =
            [("command", "getParameters"), ("connection", "federated"), ("parameterName", "/shop/plain")];
        let job = world.step(&inputs);
        assert_fails(&job, &["InvalidSignatureException", "clock", "five minutes"]);
        assert_eq!(job.variable("shop.plain"), None);
    }
}

#[test]
fn a_handful_of_mixed_faults_ends_well() {
    for seed in 0..4 {
        let world = World::new();
        let (token, sts) = match seed {
            0 => (Answer::status(503), Fault::throttling()),
            1 => (Answer::cut(), Fault::cut()),
            2 => (Answer::status(429), Fault::unavailable()),
            _ => (Answer::status(500), Fault::error(500, "InternalFailure", "oops")),
        };
        world.azure_devops.answer_next(token);
        world.gateway.fail("sts", WITH_TOKEN, sts);
        let (job, _) = assume(&world);
        assert_succeeds(&job);
        assert_eq!(world.azure_devops.received().len(), 2);
        assert_eq!(world.gateway.calls_of("sts", WITH_TOKEN).len(), 2);
        world.secrets().assert_none_in(&job);
    }
}

/// A command of each service that is called with it alone.
const OF_EACH_SERVICE: [(&str, &[(&str, &str)]); 5] = [
    ("sts", &[("command", "verify")]),
    ("ssm", &[("command", "getParameters"), ("parameterName", "/shop/plain")]),
    (
        "secretsmanager",
        &[("command", "getSecrets"), ("secretIdOrName", "shop/plain"), ("variableName", "Plain")],
    ),
    ("ecr", &[("command", "ecrLogin")]),
    (
        "s3",
        &[
            ("command", "s3Download"),
            ("sourceFolder", "site"),
            ("targetFolder", "down"),
            ("overwrite", "true"),
        ],
    ),
];

fn with_something_of_each() -> (World, String) {
    let world = World::with_aws();
    world.seed().put_parameter("/shop/plain", "String", "plain");
    world.seed().put_secret("shop/plain", "plain text");
    let bucket = world.bucket("plain");
    world.seed().put_object(&bucket, "site/plain.txt", b"plain", &[]);
    (world, bucket)
}

fn with_identity<'a>(inputs: &[(&'a str, &'a str)], bucket: &'a str) -> Vec<(&'a str, &'a str)> {
    let identity =
        [("connection", "federated"), ("bucketName", bucket), ("forcePathStyleAddressing", "true")];
    inputs.iter().copied().chain(identity).collect()
}

#[test]
fn a_429_or_half_an_answer_of_somebody_on_the_way_is_tried_again() {
    let (world, bucket) = with_something_of_each();
    for (service, inputs) in OF_EACH_SERVICE {
        for fault in [Fault::raw(429, "text/plain", "no"), Fault::half("text/plain", "{\"Parameters\": []}")]
        {
            let before = world.gateway.calls_of(service, "*").len();
            world.gateway.fail(service, "*", fault);
            let job = world.step(&with_identity(inputs, &bucket));
            assert_succeeds(&job);
            assert!(
                world.gateway.calls_of(service, "*")[before..].iter().any(|call| call.by_fault),
                "{service}"
            );
        }
    }
}

#[test]
fn a_429_that_does_not_end_is_told_without_the_librarys_words() {
    let world = with_deadline("4");
    world.gateway.fail("sts", "*", Fault::raw(429, "text/plain", "no").always());
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert_eq!(job.outcome, Outcome::Failed);
    let error = job.first().errors().join("\n");
    for words in ["XML", "JSON", "unhandled", "parsing"] {
        assert!(!error.contains(words), "{error}");
    }
    assert!(error.contains("429"), "{error}");
}
