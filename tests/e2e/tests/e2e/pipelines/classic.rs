//! 1: a token from SSM, an image in ECR.

use causeway_harness::agent::Outcome;
use causeway_harness::gateway::Fault;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::registry::Registry;
use causeway_harness::world::World;
use serde_json::Value;

use super::Play;
use super::play::{ensure, unique};

/// `Build.SourceVersion`.
const SHA: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334";

/// The repository's own build: an image without an engine.
const BUILD: &str = include_str!("build.sh");

pub(super) fn play() -> Play {
    let mut world = World::with_aws();
    let registry = Registry::of(&mut world);
    let authority = registry.authority_file().display().to_string();
    world.agent.machine.push(("SSL_CERT_FILE".into(), authority));
    let token = unique("oy2k7-nuget/token+4fpq%9");
    world.seed().put_parameter("/shop/nuget-token", "SecureString", &token);
    world.secret_values.push(("the NuGet token".into(), token.clone()));
    let mut play = Play::new(world, "01-classic");
    play.registry = Some(registry);
    play.facts.push(("token", token));
    play.sources = |play| {
        let _ = std::fs::remove_dir_all(play.world.agent.sources().join("image"));
        play.write("build.sh", BUILD);
        play.write("base/lib/runtime.bin", &"0123456789abcdef".repeat(20_000));
        play.write("application/app.js", "console.log('shop')\n");
    };
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let job = run.job("__default");
    ensure!(
        job.variable("NuGetToken") == Some(play.fact("token")),
        "the token's variable is {:?}",
        job.variable("NuGetToken")
    );
    ensure!(job.is_secret("NuGetToken"), "the token's variable is no secret");
    let built = built(play)?;
    let registry = play.registry.as_ref().unwrap();
    for tag in [SHA, "latest"] {
        let fetched = registry.fetched(&format!("team/shop:{tag}"));
        ensure!(fetched.as_ref() == Some(&built), "tag {tag} is {fetched:?}, built was {built}");
    }
    let restored = play.read("restored.txt");
    ensure!(restored.len() == 64, "the token's later step wrote {restored:?}");
    ensure!(play.read("pushed.txt") == built, "skopeo saw {:?}", play.read("pushed.txt"));
    let config = job.variable("DOCKER_CONFIG").unwrap_or_default();
    let login = std::fs::read_to_string(format!("{config}/config.json")).unwrap_or_default();
    ensure!(!login.contains("\"auth\""), "a login is left in {config}");
    Ok(())
}

/// The digest of the image that the job has built: of this commit, the application on the base.
fn built(play: &Play) -> Result<String, String> {
    let index: Value =
        serde_json::from_str(&play.read("image/index.json")).map_err(|error| error.to_string())?;
    let digest = index["manifests"][0]["digest"].as_str().unwrap_or_default();
    let blob = |digest: &str| -> Value {
        let text = play.read(&format!("image/blobs/sha256/{}", digest.trim_start_matches("sha256:")));
        serde_json::from_str(&text).unwrap_or_default()
    };
    let manifest = blob(digest);
    let layers = manifest["layers"].as_array().map_or(0, Vec::len);
    ensure!(layers == 2, "the image has {layers} layers: {manifest}");
    let config = blob(manifest["config"]["digest"].as_str().unwrap_or_default());
    let revision = &config["config"]["Labels"]["org.opencontainers.image.revision"];
    ensure!(revision == SHA, "the image is of {revision}");
    Ok(digest.to_owned())
}

#[test]
fn the_token_and_both_tags_arrive() {
    let play = play();
    let run = play.passes();
    assert_eq!(play.read("status.txt"), "job status Succeeded");
    let post: Vec<&str> = run
        .job("__default")
        .steps
        .iter()
        .filter(|step| step.is_post_job)
        .map(|step| step.display_name.as_str())
        .collect();
    assert_eq!(post, ["Post-job: Push", "Post-job: Log in to ECR", "Post-job: NuGet token"]);
}

#[test]
fn without_the_parameter_nothing_is_pushed_and_the_report_is_written() {
    let play = play();
    play.world.gateway.fail(
        "ssm",
        "*",
        Fault::access_denied("not authorized to perform: ssm:GetParameters").always(),
    );
    let run = play.run();
    assert_eq!(run.outcome, Outcome::Failed);
    let job = run.job("__default");
    let errors = job.step("NuGet token").errors();
    assert!(errors.len() == 1 && errors[0].contains("/shop/nuget-token"), "{errors:?}");
    assert_eq!(job.step("Push").outcome, Outcome::Skipped);
    assert_eq!(play.read("status.txt"), "job status Failed");
    assert_eq!(play.registry.as_ref().unwrap().manifest("team/shop:latest"), None);
    play.assert_clean(&run);
}
