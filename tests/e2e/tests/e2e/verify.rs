//! `command: verify`

use causeway_harness::azure_devops::{AUDIENCE, Answer, IssuerForm, Organization};
use causeway_harness::gateway::Fault;
use causeway_harness::sts::Role;
use causeway_harness::world::{Settings, World, federated_trust};

use crate::{assert_fails, assert_succeeds};

#[test]
fn it_shows_caller_and_claims() {
    let world = World::new();
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert_succeeds(&job);
    let log = &job.first().log;
    let organization = world.azure_devops.organization().id.to_string();
    for text in [
        &world.azure_devops.issuer(),
        &world.azure_devops.subject_of("federated").unwrap(),
        AUDIENCE,
        &organization,
        &world.role_arn("deploy"),
        &format!("arn:aws:sts::{}:assumed-role/deploy/causeway-deploy-shop-", world.account),
    ] {
        assert!(log.contains(text), "\"{text}\" is missing in: {log}");
    }
    assert_eq!(job.variable("step.accountId"), Some(world.account.as_str()));
    assert!(job.variable("step.callerArn").unwrap().contains(":assumed-role/deploy/"));
    world.secrets().assert_none_in(&job);
}

#[test]
fn the_claims_stand_in_the_log_even_when_aws_refuses_them() {
    let world = World::new();
    let trust = federated_trust(
        &world.account,
        &world.azure_devops.issuer(),
        &["sc://contoso/Shop/federated".into()],
    );
    world.iam.add_role(Role::new(&world.account, "deploy", trust));
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    let subject = world.azure_devops.subject_of("federated").unwrap();
    assert_fails(&job, &["AccessDenied", "request id", &subject, "upper and lower case count"]);
    assert!(job.first().log.contains(&format!("subject       {subject}")), "{}", job.first().log);
    assert_eq!(world.gateway.calls_of("sts", "*").len(), 1, "a refusal is final");
}

#[test]
fn a_key_connection_shows_what_its_token_would_claim() {
    let world = World::new();
    let job = world.step(&[("command", "verify"), ("awsCredentials", "aws-keys")]);
    assert_succeeds(&job);
    let subject = world.azure_devops.subject_of("aws-keys").unwrap();
    assert!(job.first().log.contains(&subject), "{}", job.first().log);
    assert!(job.first().log.contains(&format!("arn:aws:iam::{}:user/ci", world.account)));
}

#[test]
fn a_key_connection_without_a_token_is_fine() {
    let world = World::new();
    world.azure_devops.answer_next(Answer::status(404));
    let job = world.step(&[("command", "verify"), ("awsCredentials", "aws-keys")]);
    assert_succeeds(&job);
    assert!(job.first().log.contains("This job got no OIDC token"), "{}", job.first().log);
}

#[test]
fn the_new_issuer_works_as_the_old_one() {
    let organization = Organization { issuer: IssuerForm::Entra, ..Organization::default() };
    let world = World::of(Settings { organization, ..Settings::default() });
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert_succeeds(&job);
    let log = &job.first().log;
    assert!(log.contains("https://login.microsoftonline.com/"), "{log}");
    assert!(log.contains(&world.azure_devops.organization().id.to_string()), "{log}");
}

#[test]
fn the_roles_own_policy_is_checked_where_the_step_may_read_it() {
    let world = World::new();
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert_succeeds(&job);
    let log = &job.first().log;
    assert!(log.contains(&format!("Trust policy that {} has:", world.role_arn("deploy"))), "{log}");
    assert!(log.contains("The policy lets this token in"), "{log}");
    let asked = world.gateway.calls_of("iam", "*");
    assert_eq!(asked.len(), 1, "{asked:?}");
}

#[test]
fn keys_that_move_to_federation_see_whether_the_role_is_ready_for_it() {
    let world = World::new();
    let mut trust =
        federated_trust(&world.account, &world.azure_devops.issuer(), &["sc://contoso/shop/other".into()]);
    let statements = trust["Statement"].as_array_mut().unwrap();
    statements.push(serde_json::json!({
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{}:root", world.account) },
        "Action": "sts:AssumeRole"
    }));
    world.iam.add_role(Role::new(&world.account, "move", trust));
    let role = world.role_arn("move");
    let job = world.step(&[("command", "verify"), ("awsCredentials", "aws-keys"), ("roleArn", &role)]);
    assert_succeeds(&job);
    let log = &job.first().log;
    assert!(log.contains(&format!("Trust policy that {role} has:")), "{log}");
    assert!(log.contains("The policy does not let this token in"), "{log}");
    assert!(log.contains("sc://contoso/shop/other"), "{log}");
}

#[test]
fn a_role_that_may_not_be_read_fails_nothing() {
    let world = World::new();
    let refusal = Fault::error(403, "AccessDenied", "not authorized to perform: iam:GetRole");
    world.gateway.fail("iam", "GetRole", refusal);
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert_succeeds(&job);
    let log = &job.first().log;
    assert!(log.contains("could not be read") && log.contains("iam:GetRole"), "{log}");
}
