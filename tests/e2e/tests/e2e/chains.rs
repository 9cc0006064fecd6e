//! Role chains, what goes with a session, and the accounts that a step may work in.

use causeway_harness::agent::Connection;
use causeway_harness::sts::Role;
use causeway_harness::world::{EXTERNAL_ID, World};
use serde_json::json;

use crate::{assert_fails, assert_succeeds};

const VERIFY: [(&str, &str); 2] = [("command", "verify"), ("connection", "federated")];

/// A role that lets `principal` assume it with tags and a source identity.
fn open_role(world: &World, name: &str, principal: &str) -> String {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": principal },
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        }],
    });
    world.iam.add_role(Role::new(&world.account, name, trust));
    world.role_arn(name)
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    VERIFY.iter().chain(more).copied().collect()
}

#[test]
fn each_role_is_assumed_with_the_one_before_it() {
    let world = World::new();
    let (prod, last) = (world.role_arn("prod"), open_role(&world, "last", &world.role_arn("prod")));
    let job = world.step(&with(&[("roleArn", &format!("{prod}\n{last}\n"))]));
    assert_succeeds(&job);
    let roles: Vec<String> = world.iam.sessions().iter().map(|session| session.role_arn.clone()).collect();
    assert_eq!(roles, [world.role_arn("deploy"), prod.clone(), last.clone()]);
    for hop in [&prod, &last] {
        assert!(job.first().log.contains(&format!("Assumed {hop}")), "{}", job.first().log);
    }
    assert!(job.variable("step.callerArn").unwrap().contains(":assumed-role/last/"));
    world.secrets().assert_none_in(&job);
}

#[test]
fn a_failing_hop_is_named_with_who_asked_for_it() {
    let world = World::new();
    let closed = open_role(&world, "closed", &format!("arn:aws:iam::{}:user/somebody", world.account));
    let job = world.step(&with(&[("roleArn", &closed)]));
    assert_fails(&job, &["closed", "the session of role deploy", "AccessDenied", "sts:AssumeRole"]);
    assert!(job.first().log.contains(&format!("Assumed {}", world.role_arn("deploy"))));
    assert_eq!(job.variable("step.accountId"), None);
}

#[test]
fn only_the_last_session_is_long_and_a_chained_one_an_hour_at_most() {
    let world = World::new();
    let prod = world.role_arn("prod");
    let job = world.step(&with(&[("roleArn", &prod), ("durationSeconds", "43200")]));
    assert_succeeds(&job);
    let lengths: Vec<u64> = world.iam.sessions().iter().map(|session| session.duration.0).collect();
    assert_eq!(lengths, [900, 3600]);
    assert!(job.first().warnings()[0].contains("one hour"), "{:?}", job.first().warnings());
}

#[test]
fn tags_source_identity_and_policies_go_where_they_belong() {
    let world = World::new();
    let first = open_role(&world, "first", &world.role_arn("deploy"));
    let second = open_role(&world, "second", &first);
    let policy = r#"{ "Version": "2012-10-17", "Statement": [] }"#;
    let job = world.step(&with(&[
        ("roleArn", &format!("{first}\n{second}")),
        ("sessionTags", "team=shop\nstage=prod"),
        ("transitiveTagKeys", "team"),
        ("sourceIdentity", "ada@contoso.com"),
        ("sessionPolicy", policy),
        ("managedSessionPolicies", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ]));
    assert_succeeds(&job);
    let calls = world.gateway.calls_of("sts", "AssumeRole");
    let [one, two] = &calls[..] else { panic!("two hops: {calls:?}") };
    assert_eq!(one.parameter("Tags.member.1.Key"), Some("team"));
    assert_eq!(one.parameter("Tags.member.2.Value"), Some("prod"));
    assert_eq!(one.parameter("TransitiveTagKeys.member.1"), Some("team"));
    assert_eq!(one.parameter("SourceIdentity"), Some("ada@contoso.com"));
    assert_eq!(one.parameter("Policy"), None, "only the last session is narrowed");
    assert_eq!(two.parameter("Tags.member.1.Key"), Some("stage"), "what is transitive is not given again");
    assert_eq!(two.parameter("Tags.member.2.Key"), None);
    assert_eq!(two.parameter("SourceIdentity"), None, "it stays by itself");
    assert_eq!(two.parameter("Policy"), Some(r#"{"Version":"2012-10-17","Statement":[]}"#));
    assert_eq!(two.parameter("PolicyArns.member.1.arn"), Some("arn:aws:iam::aws:policy/ReadOnlyAccess"));
}

#[test]
fn an_external_id_goes_to_the_inputs_roles_or_replaces_the_connections() {
    let mut world = World::new();
    let connection = Connection::new("no-id", "AWS", "UsernamePassword")
        .with_parameter("username", &world.user_key.id)
        .with_parameter("password", &world.user_key.secret)
        .with_parameter("assumeRoleArn", &world.role_arn("deploy-keys"));
    world.agent.add_connection(connection);
    let without = world.step(&[("command", "verify"), ("awsCredentials", "no-id")]);
    assert_fails(&without, &["deploy-keys", "AccessDenied", "no external ID was sent"]);
    let job = world.step(&[("command", "verify"), ("awsCredentials", "no-id"), ("externalId", EXTERNAL_ID)]);
    assert_succeeds(&job);
}

#[test]
fn an_external_id_of_a_connection_without_a_role_goes_to_the_inputs_first_role() {
    let mut world = World::new();
    let role = world.role_arn("deploy-keys");
    let connection = Connection::new("id-alone", "AWS", "UsernamePassword")
        .with_parameter("username", &world.user_key.id)
        .with_parameter("password", &world.user_key.secret)
        .with_parameter("externalId", EXTERNAL_ID);
    world.agent.add_connection(connection);
    let last = open_role(&world, "last", &role);
    let roles = format!("{role}\n{last}");
    let job = world.step(&[("command", "verify"), ("awsCredentials", "id-alone"), ("roleArn", &roles)]);
    assert_succeeds(&job);
    let sent: Vec<Option<String>> = world
        .iam
        .sessions()
        .iter()
        .map(|session| session.parameter("ExternalId").map(str::to_owned))
        .collect();
    assert_eq!(sent, [Some(EXTERNAL_ID.to_owned()), None]);
}

#[test]
fn what_cannot_be_applied_is_refused() {
    let world = World::new();
    let keys = [("command", "verify"), ("awsCredentials", "aws-keys")];
    for (inputs, words) in [
        (&[("sessionTags", "team=shop")][..], ["session tags", "OIDC token"]),
        (&[("sourceIdentity", "ada")], ["source identity", "OIDC token"]),
        (&[("sessionTags", "team=a\nTEAM=b")], ["sessionTags", "twice"]),
        (&[("sessionTags", "team=a"), ("transitiveTagKeys", "stage")], ["transitiveTagKeys", "stage"]),
        (&[("sessionPolicy", "not json")], ["sessionPolicy", "JSON"]),
        (&[("managedSessionPolicies", "ReadOnlyAccess")], ["managedSessionPolicies", "ReadOnlyAccess"]),
        (&[("allowedAccountIds", "12345")], ["allowedAccountIds", "12345"]),
    ] {
        assert_fails(&world.step(&with(inputs)), &words);
    }
    for name in ["externalId", "sessionPolicy", "sessionTags", "sourceIdentity"] {
        let value = match name {
            "sessionPolicy" => r#"{"Statement":[]}"#,
            "sessionTags" => "team=shop",
            _ => "contoso",
        };
        let inputs: Vec<(&str, &str)> = keys.iter().copied().chain([(name, value)]).collect();
        assert_fails(&world.step(&inputs), &[name, "no role is assumed"]);
        // Nor is the machine asked for its region first.
        let agents = [("command", "verify"), ("identity", "agent"), ("regionName", ""), (name, value)];
        assert_fails(&world.step(&agents), &[name, "no role is assumed"]);
    }
    assert!(world.gateway.calls().is_empty() && world.azure_devops.received().is_empty());
}

#[test]
fn an_account_that_is_not_allowed_ends_the_step_before_anything_is_exported() {
    let world = World::new();
    let other = "999999999999";
    let assume = |connection: (&'static str, &'static str), accounts: &str| {
        world.step(&[("command", "assumeRole"), connection, ("allowedAccountIds", accounts)])
    };
    for connection in [("connection", "federated"), ("awsCredentials", "aws-keys")] {
        let job = assume(connection, other);
        assert_fails(&job, &[&world.account, other, "allowedAccountIds"]);
        assert_eq!((job.variable("AWS_ACCESS_KEY_ID"), job.variable("step.accountId")), (None, None));
    }
    assert!(world.iam.sessions().is_empty(), "a role of that account is not even assumed");
    assert_succeeds(&assume(("connection", "federated"), &format!("{other}, {}", world.account)));
}
