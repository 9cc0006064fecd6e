//! `command: assumeRole`, exportAs environment.

use causeway_harness::agent::Step;
use causeway_harness::world::World;

use crate::profile::assert_nothing_is_left;
use crate::{assert_succeeds, consumers};

#[test]
fn later_scripts_have_the_credentials_and_the_log_does_not() {
    let world = World::new();
    let show = Step::script(
        "env | grep '^AWS_' | grep -v ENDPOINT | sed 's/=.*//' | sort; echo \"key $AWS_SECRET_ACCESS_KEY\"",
    );
    let job = world.run(vec![
        world.causeway(&[("command", "assumeRole"), ("connection", "federated")]),
        show.named("show"),
    ]);
    assert_succeeds(&job);
    let stdout = job.step("show").stdout();
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ] {
        assert!(stdout.lines().any(|line| line == name), "{name} is missing in: {stdout}");
    }
    let sessions = world.iam.sessions();
    let session = sessions.last().unwrap();
    assert_eq!(job.first().sets("AWS_ACCESS_KEY_ID"), Some(session.key.id.as_str()));
    assert_eq!(job.first().sets("AWS_SECRET_ACCESS_KEY"), Some(session.key.secret.as_str()));
    assert!(job.step("show").log.contains("key ***"), "{}", job.step("show").log);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        assert_eq!(job.variable(name), Some(""), "{name} is blank after the job");
    }
    world.secrets().assert_none_in(&job);
}

#[test]
fn an_earlier_steps_session_token_does_not_outlive_it() {
    let world = World::new();
    let job = world.run(vec![
        world.causeway(&[("command", "assumeRole"), ("connection", "federated")]),
        world.causeway(&[("command", "assumeRole"), ("awsCredentials", "aws-keys")]).named("second"),
        Step::script("echo \"token [$AWS_SESSION_TOKEN]\"").named("show"),
    ]);
    assert_succeeds(&job);
    assert!(job.step("show").stdout().contains("token []"), "{}", job.step("show").log);
    assert_eq!(job.step("second").sets("AWS_ACCESS_KEY_ID"), Some(world.user_key.id.as_str()));
}

#[test]
fn a_profile_of_the_machine_does_not_come_before_the_keys() {
    let mut world = World::new();
    world.agent.machine.push(("AWS_PROFILE".into(), "machine".into()));
    world.agent.machine.push(("AWS_EC2_METADATA_DISABLED".into(), "true".into()));
    let job = world.run(vec![
        world.causeway(&[("command", "assumeRole"), ("connection", "federated")]),
        Step::script(&consumers::script()).named("show"),
    ]);
    assert_succeeds(&job);
    consumers::assert_all_have_role(&world, &job.step("show").stdout(), "deploy");
    assert_nothing_is_left(&job);
}
