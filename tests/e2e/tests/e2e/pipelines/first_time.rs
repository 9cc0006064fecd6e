//! 2: a connection that no role trusts yet.

use causeway_harness::agent::{Connection, Outcome};
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::sts::Role;
use causeway_harness::world::{World, federated_trust};
use serde_json::Value;

use super::Play;
use super::play::ensure;

pub(super) fn play() -> Play {
    let play = stranger();
    let subject = play.world.azure_devops.subject_of("newcomer").unwrap();
    let trust = federated_trust(&play.world.account, &play.world.azure_devops.issuer(), &[subject]);
    play.world.iam.add_role(Role::new(&play.world.account, "newcomer", trust));
    play
}

/// Before the policy is there.
fn stranger() -> Play {
    let mut world = World::new();
    let role = world.role_arn("newcomer");
    world.agent.add_connection(
        Connection::new("newcomer", "Causeway", "None")
            .with_data("identitySource", "federated")
            .with_data("roleArn", &role),
    );
    let mut play = Play::new(world, "02-first-time");
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let account = play.world.account.as_str();
    ensure!(run.job("verify").variable("who.accountId") == Some(account), "the account's output is not set");
    ensure!(play.read("account.txt") == account, "the later step was in account {:?}", play.read("account.txt"));
    Ok(())
}

#[test]
fn the_policy_that_a_failed_run_prints_lets_the_next_one_through() {
    let play = stranger();
    let failed = play.run();
    assert_eq!((failed.stage("check"), failed.stage("use")), (Outcome::Failed, Outcome::Skipped));
    let verify = failed.job("verify").step("who");
    let errors = verify.errors();
    assert!(errors.len() == 1 && errors[0].contains("AccessDenied"), "{errors:?}");
    assert!(play.read("hint.txt").contains("does not trust"));
    play.assert_clean(&failed);

    // What a person does: copies the document out of the log.
    let (_, rest) = verify.log.split_once("##[group]").expect("a group in the log");
    let (_, rest) = rest.split_once('\n').unwrap();
    let document: Value = serde_json::from_str(rest.split_once("##[endgroup]").unwrap().0).unwrap();
    let policy = document["Role"]["AssumeRolePolicyDocument"].clone();
    play.world.iam.add_role(Role::new(&play.world.account, "newcomer", policy));
    play.passes();
}
