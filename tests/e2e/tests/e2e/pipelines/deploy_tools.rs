//! 6: a CDK app through `script`, and `awsCli`.

use std::os::unix::fs::PermissionsExt;

use causeway_harness::agent::Outcome;
use causeway_harness::gateway::Fault;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::sts::Role;
use causeway_harness::world::{REGION, World, key_trust};

use super::Play;
use super::play::ensure;
use crate::consumers;

/// The roles of the account's bootstrap stack that cdk assumes.
const ROLES: [&str; 3] = ["deploy", "file-publishing", "lookup"];

pub(super) fn play() -> Play {
    let world = World::with_aws();
    let account = world.account.clone();
    bootstrap(&world);
    let assets = format!("cdk-hnb659fds-assets-{account}-{REGION}");
    world.seed().create_bucket(&assets);
    let mut play = Play::new(world, "06-deploy-tools");
    install_cdk(&mut play);
    play.trigger = play.trigger.with("assets", &assets);
    play.facts.push(("bucket", assets));
    play.sources = |play| {
        let _ = std::fs::remove_dir_all(play.world.agent.sources().join("infrastructure"));
        play.write("infrastructure/cdk.json", r#"{ "app": "node app.js" }"#);
        play.write("infrastructure/app.js", include_str!("cdk/app.js"));
        play.write("infrastructure/deploy.sh", include_str!("cdk/deploy.sh"));
    };
    play.arrived = arrived;
    play
}

/// What `cdk bootstrap` leaves in an account, as far as it is looked at: three roles that trust the account's own, and a version.
fn bootstrap(world: &World) {
    for name in ROLES {
        let name = role(world, name);
        let trust = key_trust(&world.role_arn("deploy"), None);
        world.iam.add_role(Role::new(&world.account, &name, trust));
    }
    world.seed().put_parameter("/cdk-bootstrap/hnb659fds/version", "String", "21");
}

fn role(world: &World, name: &str) -> String {
    format!("cdk-hnb659fds-{name}-role-{}-{REGION}", world.account)
}

/// As `npm install -g aws-cdk` does: `cdk` is on `PATH`.
fn install_cdk(play: &mut Play) {
    let bin = play.world.agent.root().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("cdk.py"), include_str!("cdk/cdk.py")).unwrap();
    let python = consumers::venv().join("python");
    let program = format!("#!/bin/sh\nexec {} {}/cdk.py \"$@\"\n", python.display(), bin.display());
    std::fs::write(bin.join("cdk"), program).unwrap();
    std::fs::set_permissions(bin.join("cdk"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), consumers::path());
    play.world.agent.machine.push(("PATH".into(), path));
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let stored = play.world.seed().parameter("/shop/message").map(|parameter| parameter.value);
    ensure!(stored.as_deref() == Some("two words"), "the parameter is {stored:?}");
    let keys = play.world.seed().keys(play.fact("bucket"));
    ensure!(keys.iter().any(|key| key.ends_with(".json")), "the bucket holds {keys:?}");
    for name in ROLES {
        let wanted = play.world.role_arn(&role(&play.world, name));
        let used = play.world.iam.sessions().iter().any(|session| session.role_arn == wanted);
        ensure!(used, "nobody assumed {wanted}");
    }
    let job = run.job("__default");
    let value = job.variable("output.parameter");
    ensure!(value == Some("two words"), "the step's output is {value:?}");
    let seen = job.step("What stands there now").stdout();
    ensure!(keys.iter().all(|key| seen.contains(key)), "the AWS CLI said {seen:?}");
    let diff = job.step("cdk diff").stdout();
    ensure!(diff.contains("bootstrap version 21"), "cdk diff said {diff:?}");
    ensure!(play.read("deployed.txt") == "two words", "the later step saw {:?}", play.read("deployed.txt"));
    Ok(())
}

#[test]
fn what_is_deployed_arrives_and_an_output_goes_on() {
    let play = play();
    play.passes();
    play.passes();
}

#[test]
fn a_tool_that_fails_is_tried_again_and_then_fails_the_job() {
    let play = play();
    play.world.gateway.fail("s3", "*", Fault::access_denied("not yours").always());
    let run = play.run();
    assert_eq!(run.outcome, Outcome::Failed);
    let step = run.job("__default").step("Deploy");
    assert_eq!(step.errors().len(), 2, "one for each attempt: {:?}", step.errors());
    assert!(step.errors()[0].contains("exit code"), "{:?}", step.errors());
    assert_eq!(play.world.seed().parameter("/shop/message"), None);
    play.assert_clean(&run);
}
