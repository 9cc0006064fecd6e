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
aws cloudformation deploy --stack-name "$stack" --template-file stack.yml --no-fail-on-empty-changeset --parameter-overrides "Message=$message"
"#;

const STACK: &str = r"
Parameters:
  Message:
    Type: String
Resources:
  Text:
    Type: AWS::SSM::Parameter
    Properties:
      Type: String
      Name: /shop/message
      Value: !Ref Message
Outputs:
  Name:
    Value: !Ref Text
";

pub(super) fn play() -> Play {
    let world = World::with_aws();
    let stack = format!("shop-{}", world.account);
    let mut play = Play::new(world, "06-deploy-tools");
    play.trigger = play.trigger.with("stack", &stack);
    play.sources = |play| {
        play.write("deploy/run.sh", RUN);
        play.write("deploy/stack.yml", STACK);
    };
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let stored = play.world.seed().parameter("/shop/message").map(|parameter| parameter.value);
    ensure!(stored.as_deref() == Some("two words"), "the stack's parameter is {stored:?}");
    let job = run.job("__default");
    let name = job.variable("output.parameter");
    ensure!(name == Some("/shop/message"), "the stack's output is {name:?}");
    let seen = job.step("What stands there now").stdout();
    ensure!(seen.contains("_COMPLETE\t/shop/message"), "describe-stacks said {seen:?}");
    ensure!(play.read("deployed.txt") == "/shop/message", "the later step saw {:?}", play.read("deployed.txt"));
    Ok(())
}

#[test]
fn the_stack_arrives_and_its_output_goes_on() {
    let play = play();
    play.passes();
    play.passes();
}

#[test]
fn a_tool_that_fails_is_tried_again_and_then_fails_the_job() {
    let play = play();
    play.world.gateway.fail("cloudformation", "*", Fault::access_denied("not yours").always());
    let run = play.run();
    assert_eq!(run.outcome, Outcome::Failed);
    let step = run.job("__default").step("Deploy");
    assert_eq!(step.errors().len(), 2, "one for each attempt: {:?}", step.errors());
    assert!(step.errors()[0].contains("exit code"), "{:?}", step.errors());
    assert_eq!(play.world.seed().parameter("/shop/message"), None);
    play.assert_clean(&run);
}
