//! Who the step is: every source, and what is refused.

use causeway_harness::agent::{Connection, Variable};
use causeway_harness::gateway::Fault;
use causeway_harness::world::{EXTERNAL_ID, World};

use crate::{assert_fails, assert_succeeds};

#[test]
fn every_connection_becomes_what_it_says() {
    let world = World::new();
    for (input, connection, caller) in [
        ("connection", "federated", ":assumed-role/deploy/"),
        ("connection", "causeway-keys", ":user/ci"),
        ("awsCredentials", "aws-oidc", ":assumed-role/deploy/"),
        ("awsCredentials", "aws-role", ":assumed-role/deploy-keys/"),
        ("awsCredentials", "aws-keys", ":user/ci"),
    ] {
        let job = world.step(&[("command", "verify"), (input, connection)]);
        assert_succeeds(&job);
        let arn = job.variable("step.callerArn").unwrap();
        assert!(arn.contains(caller), "{connection}: {arn}");
        world.secrets().assert_none_in(&job);
    }
}

#[test]
fn the_pipeline_needs_no_connection() {
    let world = World::new();
    let role = world.role_arn("deploy");
    let job = world.step(&[("command", "verify"), ("identity", "pipeline"), ("roleArn", &role)]);
    assert_succeeds(&job);
    assert!(job.first().log.contains("p://contoso/shop/deploy-shop"), "{}", job.first().log);
}

#[test]
fn variables_are_taken_when_they_are_set_and_no_connection_is() {
    let mut world = World::new();
    world.variables.push(Variable::public("AWS.AccessKeyID", &world.user_key.id));
    world.variables.push(Variable::secret("AWS.SecretAccessKey", &world.user_key.secret));
    let job = world.step(&[("command", "verify")]);
    assert_succeeds(&job);
    assert!(job.variable("step.callerArn").unwrap().ends_with(":user/ci"));

    world.variables.push(Variable::public("AWS.AssumeRoleArn", &world.role_arn("deploy-keys")));
    world.variables.push(Variable::public("AWS.ExternalId", EXTERNAL_ID));
    world.variables.push(Variable::public("AWS.RoleSessionName", "nightly"));
    let job = world.step(&[("command", "verify")]);
    assert_succeeds(&job);
    assert!(job.variable("step.callerArn").unwrap().ends_with(":assumed-role/deploy-keys/nightly"));

    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert!(
        job.variable("step.callerArn").unwrap().contains(":assumed-role/deploy/"),
        "a connection comes first"
    );
}

#[test]
fn the_agents_own_credentials_assume_a_role_with_external_id_and_length() {
    let mut world = World::new();
    let key = world.user_key.clone();
    world.agent.machine.push(("AWS_ACCESS_KEY_ID".into(), key.id));
    world.agent.machine.push(("AWS_SECRET_ACCESS_KEY".into(), key.secret));
    let role = world.role_arn("deploy-keys");
    let inputs =
        [("command", "verify"), ("roleArn", &role), ("externalId", EXTERNAL_ID), ("durationSeconds", "1800")];
    let job = world.step(&inputs);
    assert_succeeds(&job);
    let calls = world.gateway.calls_of("sts", "AssumeRole");
    assert_eq!(calls[0].parameter("ExternalId"), Some(EXTERNAL_ID));
    assert_eq!(calls[0].parameter("DurationSeconds"), Some("1800"));
}

#[test]
fn a_chosen_source_that_fails_is_never_replaced() {
    let mut world = World::new();
    let key = world.user_key.clone();
    world.agent.machine.push(("AWS_ACCESS_KEY_ID".into(), key.id));
    world.agent.machine.push(("AWS_SECRET_ACCESS_KEY".into(), key.secret));
    world.gateway.fail(
        "sts",
        "AssumeRoleWithWebIdentity",
        Fault::access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity"),
    );
    let job = world.step(&[("command", "assumeRole"), ("awsCredentials", "aws-oidc")]);
    assert_fails(&job, &["AccessDenied", "Not authorized", "sts:AssumeRoleWithWebIdentity"]);
    assert_eq!(world.gateway.calls().len(), 1, "no second call, signed with anything else");
    assert_eq!(job.variable("AWS_ACCESS_KEY_ID"), None);
}

#[test]
fn connections_that_contradict_themselves_are_refused_before_any_call() {
    let role = "arn:aws:iam::123456789012:role/deploy";
    let cases: [(&[(&str, &str)], &str); 7] = [
        (
            &[
                ("useOIDC", "true"),
                ("username", "AKIAIOSFODNN7EXAMPLE"),
                ("password", "secret"),
                ("assumeRoleArn", role),
            ],
            "Use OIDC",
        ),
        (&[("useOIDC", "True")], "roleArn"),
        (&[("useOIDC", "maybe"), ("assumeRoleArn", role)], "useOIDC"),
        (&[("username", "AKIAIOSFODNN7EXAMPLE")], "secret access key"),
        (&[("password", "secret-secret")], "access key id"),
        (&[("useOIDC", "TRUE"), ("assumeRoleArn", role), ("externalId", "contoso")], "external ID"),
        (&[("useOIDC", "true"), ("assumeRoleArn", "arn:aws:iam::123456789012:role/my role")], "spaces"),
    ];
    for (fields, word) in cases {
        let mut world = World::new();
        let connection = Connection::new("odd", "AWS", "UsernamePassword");
        let connection = fields
            .iter()
            .fold(connection, |connection, (name, value)| connection.with_parameter(name, value));
        world.agent.add_connection(connection);
        let job = world.step(&[("command", "verify"), ("awsCredentials", "odd")]);
        assert_fails(&job, &[word]);
        assert!(
            world.gateway.calls().is_empty() && world.azure_devops.received().is_empty(),
            "{word}: before any call"
        );
    }
}

#[test]
fn throttling_and_faults_of_sts_are_tried_again() {
    let world = World::new();
    world.gateway.fail(
        "sts",
        "AssumeRoleWithWebIdentity",
        Fault::error(400, "Throttling", "Rate exceeded").times(2),
    );
    world.gateway.fail("sts", "AssumeRoleWithWebIdentity", Fault::unavailable());
    world.gateway.fail("sts", "AssumeRoleWithWebIdentity", Fault::cut());
    let job = world.step(&[("command", "assumeRole"), ("connection", "federated")]);
    assert_succeeds(&job);
    assert_eq!(world.gateway.calls_of("sts", "AssumeRoleWithWebIdentity").len(), 5);
}

#[test]
fn an_expired_session_is_named() {
    let mut world = World::new();
    let key = world.iam.sessions().first().map(|session| session.key.id.clone());
    assert!(key.is_none(), "a new world has no sessions");
    let first = world.step(&[("command", "assumeRole"), ("connection", "federated")]);
    let value = |name: &str| first.first().sets(name).unwrap().to_owned();
    world.agent.add_connection(
        Connection::new("old", "AWS", "UsernamePassword")
            .with_parameter("username", &value("AWS_ACCESS_KEY_ID"))
            .with_parameter("password", &value("AWS_SECRET_ACCESS_KEY"))
            .with_parameter("sessionToken", &value("AWS_SESSION_TOKEN")),
    );
    world.iam.expire(&value("AWS_ACCESS_KEY_ID"));
    let job = world.step(&[("command", "verify"), ("awsCredentials", "old")]);
    assert_fails(&job, &["ExpiredToken", "session"]);
}

#[test]
fn session_length_and_name_follow_inputs_and_variables() {
    let mut world = World::new();
    let parameter = |world: &World, name: &str| {
        let calls = world.gateway.calls_of("sts", "AssumeRoleWithWebIdentity");
        calls.last().unwrap().parameter(name).unwrap().to_owned()
    };
    assert_succeeds(&world.step(&[("command", "verify"), ("connection", "federated")]));
    assert_eq!(parameter(&world, "DurationSeconds"), "900");

    world.variables.push(Variable::public("aws.rolecredential.maxduration", "3600"));
    assert_succeeds(&world.step(&[("command", "verify"), ("connection", "federated")]));
    assert_eq!(parameter(&world, "DurationSeconds"), "3600");

    let inputs = [
        ("command", "verify"),
        ("connection", "federated"),
        ("durationSeconds", "1200"),
        ("roleSessionName", "me"),
    ];
    assert_succeeds(&world.step(&inputs));
    assert_eq!(parameter(&world, "DurationSeconds"), "1200");
    assert_eq!(parameter(&world, "RoleSessionName"), "me");

    world.variables = vec![Variable::public("aws.rolecredential.maxduration", "99999")];
    let job = world.step(&[("command", "verify"), ("connection", "federated")]);
    assert_eq!(parameter(&world, "DurationSeconds"), "900");
    assert!(job.first().warnings()[0].contains("99999"));
}

#[test]
fn more_than_the_role_allows_is_explained() {
    let world = World::new();
    let job = world.step(&[("command", "verify"), ("connection", "federated"), ("durationSeconds", "43200")]);
    assert_fails(&job, &["43200", "maximum session duration"]);
}

#[test]
fn aws_sees_who_called() {
    let world = World::new();
    assert_succeeds(&world.step(&[("command", "verify"), ("connection", "federated")]));
    let agent = world.gateway.calls()[0].user_agent.clone();
    assert!(agent.contains("causeway/") && agent.contains("verify"), "{agent}");
}
