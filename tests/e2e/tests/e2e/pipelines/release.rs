//! 9: a classic release.

use causeway_harness::agent::{Host, Outcome};
use causeway_harness::azure_devops::Answer;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::world::World;

use super::Play;
use super::play::ensure;

const SETTINGS: &str = "{\"connectionString\":\"Server=db;Password=hunter2/hunter2\"}";

pub(super) fn play() -> Play {
    let mut world = World::with_aws();
    world.agent.host = Host::Release { oauth_access: false };
    world.seed().put_secret("shop/production", SETTINGS);
    world.secret_values.push(("the settings".into(), SETTINGS.into()));
    world.secret_values.push(("the database's password".into(), "hunter2/hunter2".into()));
    let bucket = world.bucket("release");
    let mut play = Play::new(world, "09-release");
    play.trigger = play.trigger.with("bucket", &bucket);
    play.facts.push(("bucket", bucket));
    play.sources = |play| play.write("_shop/drop/shop.zip", "a zip file");
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let keys = play.world.seed().keys(play.fact("bucket"));
    ensure!(keys == ["Release-118/shop.zip"], "the bucket holds {keys:?}");
    let job = run.job("__default");
    ensure!(job.variable("Settings") == Some(SETTINGS) && job.is_secret("Settings"), "the settings are not there");
    let arn = job.variable("who.callerArn").unwrap_or_default();
    ensure!(arn.ends_with("/causeway-shop-to-production-118"), "the session is {arn}");
    Ok(())
}

#[test]
fn a_release_needs_no_access_to_the_oauth_token() {
    for oauth_access in [false, true] {
        let mut play = play();
        play.world.agent.host = Host::Release { oauth_access };
        let run = play.passes();
        let token = run.job("__default").variable("System.AccessToken");
        assert_eq!(token.is_some(), oauth_access);
        let asked = play.world.azure_devops.received();
        assert!(asked.iter().all(|request| request.path.contains("/hubs/release/") && request.status == 200));
    }
}

#[test]
fn an_older_server_that_names_no_address_is_asked_at_the_releases_hub() {
    let mut play = play();
    play.world.agent.sends_oidc_request_uri = false;
    play.passes();
    let asked = play.world.azure_devops.received();
    assert!(asked.iter().all(|request| request.path.contains("/hubs/release/")), "{asked:#?}");
}

#[test]
fn a_token_that_is_not_accepted_leads_to_the_agent_jobs_setting() {
    let play = play();
    play.world.azure_devops.answer_next(Answer::status(401));
    let run = play.run();
    assert_eq!(run.outcome, Outcome::Failed);
    let errors = run.job("__default").step("who").errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    for word in ["did not accept the job's own token", "classic release", "OAuth token"] {
        assert!(errors[0].contains(word), "\"{word}\" is missing in {}", errors[0]);
    }
    assert!(play.world.gateway.calls().is_empty(), "nothing else is tried");
}
