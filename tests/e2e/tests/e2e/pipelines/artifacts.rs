//! 7: a site, uploaded, brought up to date and compared.

use causeway_harness::agent::Outcome;
use causeway_harness::gateway::Fault;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::world::World;

use super::Play;
use super::play::ensure;

pub(super) fn play() -> Play {
    let world = World::with_aws();
    let bucket = world.bucket("site");
    world.seed().put_object(&bucket, "sites/other/keep.txt", b"keep", &[]);
    let mut play = Play::new(world, "07-artifacts");
    play.trigger = play.trigger.with("bucket", &bucket);
    play.facts.push(("bucket", bucket));
    play.sources = |play| {
        let _ = std::fs::remove_dir_all(play.world.agent.sources().join("dist"));
        let large = "0123456789abcdef".repeat(600_000);
        for (name, content) in [
            ("index.html", "<!doctype html><title>old</title>\n"),
            ("old.html", "<!doctype html>\n"),
            ("assets/app.js", "console.log('shop')\n"),
            ("assets/app.js.map", "{}\n"),
            ("assets/large.bin", &large),
            (".well-known/security.txt", "Contact: mailto:security@example.com\n"),
            ("Preise (ä+b) #1 100%.txt", "1,00\n"),
        ] {
            play.write(&format!("dist/{name}"), content);
        }
    };
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let seed = play.world.seed();
    let bucket = play.fact("bucket");
    let keys = [
        "sites/main/.well-known/security.txt",
        "sites/main/Preise (ä+b) #1 100%.txt",
        "sites/main/assets/app.js",
        "sites/main/assets/large.bin",
        "sites/main/index.html",
        "sites/other/keep.txt",
    ];
    let mut found = seed.keys(bucket);
    found.sort();
    ensure!(found == keys, "the bucket holds {found:?}");
    for (key, kind, cache) in [
        ("sites/main/index.html", "text/html", "no-cache"),
        ("sites/main/assets/app.js", "javascript", "public, max-age=31536000, immutable"),
        ("sites/main/.well-known/security.txt", "text/plain", ""),
    ] {
        let object = seed.object(bucket, key, &[]).ok_or_else(|| format!("{key} is missing"))?;
        ensure!(object.content_type().contains(kind), "{key} is {}", object.content_type());
        ensure!(object.header("cache-control") == cache, "{key} has {:?}", object.header("cache-control"));
        let commit = object.header("x-amz-meta-commit");
        ensure!(commit.starts_with("0f1e2d3c"), "{key} has metadata {commit:?}");
    }
    let index = seed.object(bucket, "sites/main/index.html", &[]).map(|object| object.content);
    ensure!(index.as_deref() == Some(b"<!doctype html><title>new</title>\n"), "index.html is {index:?}");
    let uploaded = run.job("publish").variable("second.uploadedCount");
    ensure!(uploaded == Some("1"), "the second upload sent {uploaded:?}");
    ensure!(play.read("compared.txt") == "1 changed", "the comparison said {:?}", play.read("compared.txt"));
    Ok(())
}

#[test]
fn the_site_arrives_and_another_job_gets_the_same_files() {
    play().passes();
}

#[test]
fn an_upload_that_is_refused_publishes_nothing_and_deletes_nothing() {
    let play = play();
    let old = play.passes();
    assert_eq!(old.outcome, Outcome::Succeeded);
    play.world.gateway.fail("s3", "PUT *", Fault::access_denied("no").always());
    let run = play.run();
    assert_eq!((run.outcome_of("publish"), run.outcome_of("compare")), (Outcome::Failed, Outcome::Skipped));
    assert!(play.world.seed().keys(play.fact("bucket")).len() == 6);
    play.assert_clean(&run);
}
