//! 5: Terraform with its state in S3.

use std::time::Duration;

use causeway_harness::agent::Outcome;
use causeway_harness::gateway::Fault;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::world::World;

use super::Play;
use super::play::ensure;
use crate::consumers;

const MAIN: &str = r#"
terraform {
  backend "s3" {
    key                         = "shop.tfstate"
    use_path_style              = true
    use_lockfile                = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
  }
}
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "sleep 3"
  }
}
resource "terraform_data" "number" {
  input      = "forty-two"
  depends_on = [terraform_data.slow]
}
output "number" {
  value = terraform_data.number.output
}
"#;

pub(super) fn play() -> Play {
    let world = World::with_aws();
    let bucket = world.bucket("state");
    let mut play = Play::new(world, "05-terraform");
    play.trigger = play.trigger.with("bucket", &bucket);
    play.facts.push(("bucket", bucket));
    play.sources = |play| {
        // Another run begins with a fresh checkout.
        let _ = std::fs::remove_dir_all(play.world.agent.sources().join("infrastructure"));
        play.write("infrastructure/main.tf", MAIN);
    };
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let state = play.world.seed().object(play.fact("bucket"), "shop.tfstate", &[]);
    let content = state.map(|object| String::from_utf8_lossy(&object.content).into_owned()).unwrap_or_default();
    ensure!(content.contains("forty-two"), "the state is {content:?}");
    let number = run.job("apply").variable("applied.number");
    ensure!(number == Some("forty-two"), "the output is {number:?}");
    let keys = play.world.seed().keys(play.fact("bucket"));
    ensure!(keys == ["shop.tfstate"], "the bucket holds {keys:?}");
    Ok(())
}

fn runs_here() -> bool {
    let runs = consumers::on_path("terraform");
    if !runs {
        eprintln!("not run: there is no terraform on PATH");
    }
    runs
}

#[test]
fn state_arrives_though_each_session_ends_during_the_apply() {
    if !runs_here() {
        return;
    }
    let play = play();
    play.world.iam.shorten_sessions(Duration::from_secs(3));
    let run = play.passes();
    let calls = play.world.gateway.calls();
    assert!(calls.iter().any(|call| call.operation.contains("shop.tfstate.tflock")), "the state was not locked");
    assert!(play.world.iam.sessions().len() > 2, "the credentials were never renewed\n{}", run.log());
    assert!(calls.iter().all(|call| call.service != "s3" || call.status != 403), "no call came too late");
}

#[test]
fn a_state_that_cannot_be_read_fails_the_plan_and_nothing_is_applied() {
    if !runs_here() {
        return;
    }
    let play = play();
    play.world.gateway.fail("s3", "*", Fault::access_denied("Access Denied").always());
    let run = play.run();
    assert_eq!((run.outcome_of("plan"), run.outcome_of("apply")), (Outcome::Failed, Outcome::Skipped));
    play.assert_clean(&run);
}
