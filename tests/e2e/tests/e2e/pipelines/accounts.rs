//! 4: an account for each stage, by branch.

use causeway_harness::agent::{Connection, Outcome};
use causeway_harness::azure_devops::AUDIENCE;
use causeway_harness::moto::{Moto, Seed};
use causeway_harness::pipeline::{PipelineRun, Trigger};
use causeway_harness::sts::Role;
use causeway_harness::world::{REGION, World, federated_trust, key_trust};

use super::Play;
use super::play::ensure;

const STAGES: [&str; 3] = ["dev", "staging", "prod"];

pub(super) fn play() -> Play {
    on(Trigger::push("main"))
}

fn on(trigger: Trigger) -> Play {
    let mut world = World::with_aws();
    let issuer = world.azure_devops.issuer();
    let shared = world.account.clone();
    let accounts: Vec<(&str, String)> =
        STAGES.iter().map(|stage| (*stage, account(stage, &shared))).collect();
    let mut trigger = trigger;
    for (name, account) in [("shared", shared.clone())].iter().chain(&accounts[..2]) {
        let role = format!("arn:aws:iam::{account}:role/deploy-{name}");
        world.agent.add_connection(
            Connection::new(name, "Causeway", "None")
                .with_data("identitySource", "federated")
                .with_data("roleArn", &role),
        );
        world.iam.add_provider(account, &issuer, &[AUDIENCE]);
        let subject = world.azure_devops.subject_of(name).unwrap();
        world.iam.add_role(Role::new(
            account,
            &format!("deploy-{name}"),
            federated_trust(account, &issuer, &[subject]),
        ));
    }
    let prod = format!("arn:aws:iam::{}:role/deploy-prod", accounts[2].1);
    let trusted = ["shared", "dev"].map(|name| {
        let account = if name == "shared" { &shared } else { &accounts[0].1 };
        format!("arn:aws:iam::{account}:role/deploy-{name}")
    });
    let mut trust = key_trust(&trusted[0], None);
    trust["Statement"][0]["Principal"]["AWS"] = serde_json::json!(trusted);
    world.iam.add_role(Role::new(&accounts[2].1, "deploy-prod", trust));
    for (stage, account) in &accounts {
        trigger = trigger.with(&format!("{stage}Account"), account);
    }
    trigger = trigger.with("prodRole", &prod);
    let mut play = Play::new(world, "04-accounts");
    play.facts.extend(accounts);
    play.facts.push(("prodRole", prod));
    play.trigger = trigger;
    play.arrived = |play, run| deployed(play, run, Some("prod"));
    play
}

/// Another account for each stage of each world.
fn account(stage: &str, shared: &str) -> String {
    let first = match stage {
        "dev" => '1',
        "staging" => '2',
        _ => '3',
    };
    format!("{first}{}", shared.chars().rev().take(11).collect::<String>())
}

/// That the version is in this stage's account and in no other.
fn deployed(play: &Play, run: &PipelineRun, in_stage: Option<&str>) -> Result<(), String> {
    for stage in STAGES {
        let stored = Seed::new(Moto::shared(), play.fact(stage), REGION).parameter("/shop/version");
        let version = stored.map(|parameter| parameter.value);
        let wanted = (in_stage == Some(stage)).then_some("1.0.4711".to_owned());
        ensure!(version == wanted, "{stage} has version {version:?}");
        let outcome = if wanted.is_some() { Outcome::Succeeded } else { Outcome::Skipped };
        ensure!(run.stage(stage) == outcome, "stage {stage} is {:?}", run.stage(stage));
    }
    ensure!(run.stage("clean") == Outcome::Succeeded, "the last stage did not run");
    if in_stage == Some("prod") {
        let told = play.read("told.txt");
        ensure!(told == format!("Succeeded in {}", play.fact("prod")), "the last job was told {told:?}");
    }
    Ok(())
}

#[test]
fn each_branch_reaches_its_own_account_and_no_other() {
    for (trigger, stage) in [
        (Trigger::push("main"), Some("prod")),
        (Trigger::push("feat/cart"), Some("dev")),
        (Trigger::push("fix/typo"), Some("dev")),
        (Trigger::push("release/1.4"), Some("staging")),
        (Trigger::push("docs/readme"), None),
        (Trigger::pull_request("feat/cart", "main"), None),
    ] {
        let play = on(trigger.clone());
        let run = play.run();
        assert_eq!(run.outcome, Outcome::Succeeded, "{}", run.log());
        deployed(&play, &run, stage)
            .unwrap_or_else(|missing| panic!("{trigger:?}: {missing}\n{}", run.log()));
        assert!(play.read("plan.txt").starts_with("planned refs/"));
        play.assert_clean(&run);
        let is_dev = if stage == Some("dev") { "True" } else { "False" };
        let is_pull_request = format!("{trigger:?}").contains("pull/42");
        let flags = format!("dev={is_dev} pr={}", if is_pull_request { "True" } else { "False" });
        assert_eq!(play.read("clean.txt"), flags);
    }
}

#[test]
fn the_role_of_production_is_stopped_in_the_dev_stage() {
    let mut play = on(Trigger::push("feat/cart"));
    // The role itself would let the dev account's role in: only `allowedAccountIds` stands in the way.
    play.trigger = play.trigger.clone().with("devRole", play.fact("prodRole"));
    let run = play.run();
    assert_eq!(run.stage("dev"), Outcome::Failed, "{}", run.log());
    let job = run.job("dev.deploy");
    let errors = job.step("who").errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    for word in ["allowedAccountIds", play.fact("prod"), play.fact("dev")] {
        assert!(errors[0].contains(word), "\"{word}\" is missing in {}", errors[0]);
    }
    assert_eq!(Seed::new(Moto::shared(), play.fact("prod"), REGION).parameter("/shop/version"), None);
    assert_eq!(run.stage("clean"), Outcome::Succeeded);
    let assumed: Vec<String> =
        play.world.iam.sessions().into_iter().map(|session| session.role_arn).collect();
    assert!(
        !assumed.iter().any(|role| role == play.fact("prodRole")),
        "it is stopped before the role is assumed: {assumed:?}"
    );
}

#[test]
fn a_refused_role_of_production_is_told_to_the_last_job() {
    let play = play();
    play.world.iam.add_role(Role::new(
        play.fact("prod"),
        "deploy-prod",
        key_trust("arn:aws:iam::999999999999:user/x", None),
    ));
    let run = play.run();
    assert_eq!((run.stage("prod"), run.outcome), (Outcome::Failed, Outcome::Failed));
    assert!(run.job("prod.deploy").step("who").errors()[0].contains("AccessDenied"));
    assert_eq!(play.read("told.txt"), "Failed in");
}
