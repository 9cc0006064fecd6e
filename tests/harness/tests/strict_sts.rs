//! The STS believes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

#[path = "support/aws.rs"]
mod aws;
mod support;

use std::collections::HashSet;
use std::error::Error;

use aws_sdk_sts::Client;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use causeway_harness::azure_devops::{Answer, IssuerForm, JobTicket};
use causeway_harness::sts::{AccessKey, Role};
use causeway_harness::world::{EXTERNAL_ID, World, federated_trust};
use causeway_harness::{Reply, send};
use serde_json::json;

/// The code and sentence of an XML error.
fn refusal(reply: &Reply) -> (u16, String, String) {
    let text = reply.text();
    let part = |name: &str| {
        let rest = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}")).1;
        rest.split_once("</").unwrap().0.to_owned()
    };
    assert!(reply.headers.contains_key("x-amzn-requestid"));
    (reply.status, part("Code"), part("Message"))
}

/// A token for connection `federated`, made as a job gets it.
fn token(world: &World) -> String {
    let azure_devops = &world.azure_devops;
    let id = azure_devops.find_connection("federated").unwrap().id;
    let ticket = JobTicket::new(HashSet::from([id]));
    azure_devops.begin_job(ticket.clone());
    let url = format!(
        "{}{}/_apis/distributedtask/hubs/build/plans/{}/jobs/{}/oidctoken?api-version=7.1&serviceConnectionId={id}",
        azure_devops.collection_url(),
        azure_devops.organization().project_id,
        ticket.plan,
        ticket.job
    );
    let reply = send("POST", &url, &[("authorization", &format!("Bearer {}", ticket.token))], b"").unwrap();
    reply.json()["oidcToken"].as_str().unwrap().to_owned()
}

fn web_identity(world: &World, token: &str, changes: &[(&str, &str)]) -> Reply {
    let role = world.role_arn("deploy");
    let mut parameters = vec![
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role.as_str()),
        ("RoleSessionName", "run-4711"),
        ("WebIdentityToken", token),
    ];
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send("POST", &world.gateway.url(), &headers, body.as_bytes()).unwrap()
}

#[test]
fn a_good_token_becomes_a_session_that_says_who_it_is() {
    let (world, _task) = support::world();
    let reply = web_identity(&world, &token(&world), &[("DurationSeconds", "900")]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains("<SubjectFromWebIdentityToken>sc://contoso/shop/federated<"));
    let session = &world.iam.sessions()[0];
    assert_eq!((session.duration, session.name.as_str()), ((900, true), "run-4711"));
    assert!(
        session.key.id.starts_with("ASIA") && session.key.id.len() == 20 && session.key.secret.len() == 40
    );
    let client = Client::new(&aws::config(&world, &session.key));
    let caller = aws::block_on(client.get_caller_identity().send()).unwrap();
    let arn = format!("arn:aws:sts::{}:assumed-role/deploy/run-4711", world.account);
    assert_eq!((caller.arn(), caller.account()), (Some(arn.as_str()), Some(world.account.as_str())));
}

#[test]
fn tokens_that_iam_would_not_take_are_refused_in_its_words() {
    let (world, _task) = support::world();
    let denied = (403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    for (answer, (status, code, message)) in [
        (Answer::expired_token(), (400, "ExpiredTokenException", "Token expired: current date/time")),
        (Answer::forged_token(), (400, "InvalidIdentityToken", "signature")),
        (
            Answer::claims(json!({ "aud": "api://other" })),
            (400, "InvalidIdentityToken", "Incorrect token audience"),
        ),
        (
            Answer::claims(json!({ "iss": "https://evil.example" })),
            (
                400,
                "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for https://evil.example",
            ),
        ),
        (Answer::claims(json!({ "nbf": 4_000_000_000_u64 })), (400, "InvalidIdentityToken", "not valid yet")),
        (Answer::claims(json!({ "iat": null })), (400, "InvalidIdentityToken", "iat")),
        (Answer::subject("sc://contoso/shop/Federated"), denied),
        (Answer::subject("sc://contoso/shop/federated2"), denied),
    ] {
        world.azure_devops.answer_next(answer);
        let (got_status, got_code, got_message) = refusal(&web_identity(&world, &token(&world), &[]));
        assert_eq!((got_status, got_code.as_str()), (status, code), "{got_message}");
        assert!(got_message.contains(message), "{got_message}");
    }
    assert!(world.iam.sessions().is_empty());
}

#[test]
fn requests_that_iam_would_not_take_are_refused() {
    let (world, _task) = support::world();
    let token = token(&world);
    let other = format!("arn:aws:iam::{}:role/nosuch", world.account);
    for (changes, code) in [
        (("RoleArn", other.as_str()), "AccessDenied"),
        (("RoleArn", ""), "ValidationError"),
        (("RoleSessionName", "a b"), "ValidationError"),
        (("DurationSeconds", "899"), "ValidationError"),
        (("DurationSeconds", "3601"), "ValidationError"),
        (("WebIdentityToken", "abc"), "InvalidIdentityToken"),
    ] {
        let (_, got, message) = refusal(&web_identity(&world, &token, &[changes]));
        assert_eq!(got, code, "{changes:?}: {message}");
    }
}

#[test]
fn the_new_issuer_needs_a_provider_and_a_policy_of_its_own() {
    let (world, _task) = support::world();
    world.azure_devops.change(|organization| organization.issuer = IssuerForm::Entra);
    let issuer = world.azure_devops.issuer();
    assert_eq!(refusal(&web_identity(&world, &token(&world), &[])).1, "InvalidIdentityToken");
    world.iam.add_provider(&world.account, &issuer, &["api://AzureADTokenExchange"]);
    assert_eq!(refusal(&web_identity(&world, &token(&world), &[])).1, "AccessDenied");
    let subject = world.azure_devops.subject_of("federated").unwrap();
    world.iam.add_role(Role::new(
        &world.account,
        "deploy",
        federated_trust(&world.account, &issuer, &[subject]),
    ));
    assert_eq!(web_identity(&world, &token(&world), &[]).status, 200);
}

#[test]
fn patterns_and_denials_in_a_trust_policy_count() {
    let (world, _task) = support::world();
    let issuer = world.azure_devops.issuer();
    let subject = format!("{}:sub", issuer.trim_start_matches("https://"));
    let with = |condition: serde_json::Value, effect: &str| {
        let mut policy =
            federated_trust(&world.account, &issuer, &["sc://contoso/shop/federated".to_owned()]);
        let mut second = policy["Statement"][0].clone();
        second["Condition"] = condition;
        second["Effect"] = json!(effect);
        policy["Statement"] =
            if effect == "Deny" { json!([policy["Statement"][0], second]) } else { json!(second) };
        world.iam.add_role(Role::new(&world.account, "deploy", policy));
        web_identity(&world, &token(&world), &[]).status
    };
    assert_eq!(with(json!({ "StringLike": { subject.clone(): "sc://contoso/*/feder?ted" } }), "Allow"), 200);
    assert_eq!(
        with(json!({ "StringLike": { subject.clone(): ["sc://fabrikam/*", "sc://contoso/shop"] } }), "Allow"),
        403
    );
    assert_eq!(with(json!({ "StringEquals": { subject.clone(): "sc://contoso/*" } }), "Allow"), 403);
    assert_eq!(with(json!({ "StringEquals": { "accounts.example:sub": "x" } }), "Allow"), 403);
    assert_eq!(with(json!({ "StringLike": { subject: "sc://contoso/*" } }), "Deny"), 403);
}

/// What AssumeRole answers: the session's ARN, or the error's code.
fn assume(
    world: &World,
    key: &AccessKey,
    role: &str,
    external_id: Option<&str>,
    seconds: Option<i32>,
) -> Result<String, String> {
    let call = Client::new(&aws::config(world, key))
        .assume_role()
        .role_arn(world.role_arn(role))
        .role_session_name("run")
        .set_external_id(external_id.map(str::to_owned))
        .set_duration_seconds(seconds);
    let answer = aws::block_on(call.send()).map_err(|error| code(&error))?;
    Ok(answer.assumed_role_user().unwrap().arn().to_owned())
}

fn code<E: ProvideErrorMetadata + Error, R: std::fmt::Debug>(error: &SdkError<E, R>) -> String {
    error.as_service_error().and_then(|error| error.code()).unwrap_or("no code").to_owned()
}

#[test]
fn keys_must_be_right_and_the_external_id_too() {
    let (world, _task) = support::world();
    let key = world.user_key.clone();
    let arn = format!("arn:aws:sts::{}:assumed-role/deploy-keys/run", world.account);
    assert_eq!(assume(&world, &key, "deploy-keys", Some(EXTERNAL_ID), Some(1800)), Ok(arn));
    assert_eq!(world.iam.sessions()[0].parameter("ExternalId"), Some(EXTERNAL_ID));
    let refused = |code: &str| Err(code.to_owned());
    assert_eq!(assume(&world, &key, "deploy-keys", None, None), refused("AccessDenied"));
    assert_eq!(assume(&world, &key, "deploy-keys", Some("wrong"), None), refused("AccessDenied"));
    assert_eq!(assume(&world, &key, "deploy", None, None), refused("AccessDenied"));
    assert_eq!(
        assume(&world, &key, "deploy-keys", Some(EXTERNAL_ID), Some(43200)),
        refused("ValidationError")
    );
    let wrong = AccessKey { secret: "x".repeat(40), ..key.clone() };
    assert_eq!(
        assume(&world, &wrong, "deploy-keys", Some(EXTERNAL_ID), None),
        refused("SignatureDoesNotMatch")
    );
    let unknown = AccessKey { id: "AKIAUNKNOWN000000000".into(), ..key };
    assert_eq!(
        assume(&world, &unknown, "deploy-keys", Some(EXTERNAL_ID), None),
        refused("InvalidClientTokenId")
    );
}

#[test]
fn a_role_can_lead_to_a_role_for_an_hour_while_the_session_lives() {
    let (world, _task) = support::world();
    assert_eq!(web_identity(&world, &token(&world), &[]).status, 200);
    let first = world.iam.sessions()[0].key.clone();
    let mut prod = Role::new(
        &world.account,
        "prod",
        causeway_harness::world::key_trust(&world.role_arn("deploy"), None),
    );
    prod.maximum_duration = 43200;
    world.iam.add_role(prod);
    assert!(assume(&world, &first, "prod", None, Some(3600)).is_ok());
    assert_eq!(assume(&world, &first, "prod", None, Some(7200)), Err("ValidationError".into()));
    let without_token = AccessKey { session_token: None, ..first.clone() };
    assert_eq!(assume(&world, &without_token, "prod", None, None), Err("InvalidClientTokenId".into()));
    world.iam.expire(&first.id);
    assert_eq!(assume(&world, &first, "prod", None, None), Err("ExpiredToken".into()));
}
