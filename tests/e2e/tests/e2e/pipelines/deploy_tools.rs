//! 6: deploy tools through `script`, and `awsCli`.

use causeway_harness::agent::Outcome;
use causeway_harness::gateway::Fault;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::world::World;

use super::Play;
use super::play::ensure;

const RUN: &str = r#"set -euo pipefail
while (($#)); do
  case $1 in
    --stack) stack=$2 ;;
    --message) message=$2 ;;
  esac
  shift 2
done
test "$(basename "$PWD")" = deploy
aws s3 cp --only-show-errors --recursive public "s3://$stack/hosting"
aws ssm put-parameter --overwrite --type String --name /shop/message --value "$message" >/dev/null
"#;

pub(super) fn play() -> Play {
    let world = World::with_aws();
    let stack = world.bucket("amplify");
    let mut play = Play::new(world, "06-deploy-tools");
    play.trigger = play.trigger.with("stack", &stack);
    play.facts.push(("bucket", stack));
    play.sources = |play| {
        play.write("deploy/run.sh", RUN);
        play.write("deploy/public/index.html", "<!doctype html>\n");
        play.write("deploy/public/app.js", "1\n");
    };
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let stored = play.world.seed().parameter("/shop/message").map(|parameter| parameter.value);
    ensure!(stored.as_deref() == Some("two words"), "the parameter is {stored:?}");
    let keys = play.world.seed().keys(play.fact("bucket"));
    ensure!(keys == ["hosting/app.js", "hosting/index.html"], "the bucket holds {keys:?}");
    let job = run.job("__default");
    let value = job.variable("output.parameter");
    ensure!(value == Some("two words"), "the step's output is {value:?}");
    let seen = job.step("What stands there now").stdout();
    ensure!(seen.contains("hosting/index.html"), "the AWS CLI said {seen:?}");
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
