//! `command: assumeRole`, exportAs environment.

use causeway_harness::agent::Step;
use causeway_harness::world::World;

use crate::assert_succeeds;

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
    assert_eq!(job.variable("AWS_ACCESS_KEY_ID"), Some(session.key.id.as_str()));
    assert_eq!(job.variable("AWS_SECRET_ACCESS_KEY"), Some(session.key.secret.as_str()));
    assert!(job.step("show").log.contains("key ***"), "{}", job.step("show").log);
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
    assert_eq!(job.variable("AWS_ACCESS_KEY_ID"), Some(world.user_key.id.as_str()));
}
