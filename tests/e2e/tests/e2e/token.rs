//! What Azure DevOps may answer to the token call.

use causeway_harness::azure_devops::Answer;
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds, failure};

fn with(answers: &[Answer]) -> (World, causeway_harness::agent::JobResult) {
    let world = World::new();
    for answer in answers {
        world.azure_devops.answer_next(answer.clone());
    }
    let job = world.step(&[("command", "assumeRole"), ("connection", "federated")]);
    (world, job)
}

#[test]
fn final_answers_are_final_and_say_what_happened() {
    for (answer, words) in [
        (Answer::status(401), ["HTTP 401", "job's own token"]),
        (Answer::status(403), ["HTTP 403", "job's own token"]),
        (Answer::status(404), ["404", "authorized"]),
        (Answer::status(400), ["HTTP 400", "Something went wrong"]),
        (Answer::sign_in_page(), ["sign-in page", "OAuth token"]),
        (Answer::empty(), ["not the JSON", "proxy"]),
        (Answer::http(200, &[], "{}"), ["without a token", "again"]),
        (Answer::http(200, &[], r#"{"oidcToken":"abc"}"#), ["not a JSON web token", "proxy"]),
        (
            Answer::subject("p://contoso/shop/deploy-shop"),
            ["p://contoso/shop/deploy-shop", "not for the service connection"],
        ),
        (Answer::subject("sc://evil/shop/federated"), ["sc://evil/shop/federated", "organization contoso"]),
    ] {
        let (world, job) = with(std::slice::from_ref(&answer));
        assert_fails(&job, &words);
        assert_eq!(world.azure_devops.received().len(), 1, "{answer:?} is final");
        assert!(world.gateway.calls().is_empty(), "AWS is not asked without a token");
        assert_eq!(job.variable("AWS_ACCESS_KEY_ID"), None, "nothing is exported");
        assert_eq!(job.variable("evil"), None, "no command of theirs survives");
    }
}

#[test]
fn passing_faults_are_tried_again() {
    let answers = [Answer::status(500), Answer::status(503), Answer::cut(), Answer::status(429)];
    let (world, job) = with(&answers);
    assert_succeeds(&job);
    assert_eq!(world.azure_devops.received().len(), answers.len() + 1);
}

#[test]
fn what_sts_says_of_a_bad_token_is_told() {
    for (answer, words) in [
        (Answer::expired_token(), ["ExpiredTokenException", "clock"]),
        (Answer::forged_token(), ["InvalidIdentityToken", "OIDC provider"]),
        (
            Answer::claims(serde_json::json!({ "aud": "api://other" })),
            ["InvalidIdentityToken", "add api://other to its audiences"],
        ),
    ] {
        let (world, job) = with(std::slice::from_ref(&answer));
        assert_fails(&job, &words);
        assert_eq!(world.gateway.calls().len(), 1, "{answer:?} is final");
    }
}

#[test]
fn the_call_is_the_documented_one() {
    let (world, job) = with(&[]);
    assert_succeeds(&job);
    let [request] = &world.azure_devops.received()[..] else { panic!("one request") };
    assert!(request.authorized);
    assert_eq!(request.method, "POST");
    assert!(request.path.ends_with("/oidctoken"), "{}", request.path);
    assert_eq!(request.query("api-version"), Some("7.1"));
    assert!(request.query("serviceConnectionId").is_some());
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[test]
fn the_token_is_not_sent_to_plain_http() {
    let mut world = World::new();
    world.variables.push(causeway_harness::agent::Variable::public(
        "System.OidcRequestUri",
        "http://dev.azure.example/contoso/p/_apis/distributedtask/hubs/build/plans/1/jobs/1/oidctoken",
    ));
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert!(failure(&job).contains("not https"));
}

#[test]
fn the_token_is_sent_to_nobody_that_a_script_of_the_job_names() {
    let thief = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    thief.set_nonblocking(true).unwrap();
    let mut world = World::new();
    let address = format!("http://{}/contoso/p/_apis/oidctoken", thief.local_addr().unwrap());
    world.variables.push(causeway_harness::agent::Variable::public("System.OidcRequestUri", &address));
    let refusal = "not the server that the agent works for";
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert!(failure(&job).contains(refusal), "{}", failure(&job));
    let job = world.step(&[("command", "verify"), ("awsCredentials", "aws-keys")]);
    assert_succeeds(&job);
    assert!(job.log().contains(refusal), "{}", job.log());
    assert!(thief.accept().is_err(), "somebody asked for a token there");
}
