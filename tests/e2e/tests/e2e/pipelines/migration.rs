//! 10: a job of the AWS Toolkit under `Causeway@1`.

use std::os::unix::fs::PermissionsExt;

use causeway_harness::agent::Outcome;
use causeway_harness::gateway::Fault;
use causeway_harness::pipeline::PipelineRun;
use causeway_harness::registry::Registry;
use causeway_harness::registry::image::Layout;
use causeway_harness::world::World;

use super::Play;
use super::play::ensure;

/// docker, played by skopeo: `push` sends the layout in the sources with the login that it finds.
const DOCKER: &str = r#"#!/bin/bash
case "$1" in
  push)
    skopeo --insecure-policy copy --quiet --preserve-digests --authfile "$DOCKER_CONFIG/config.json" --digestfile "$TMPDIR/digest.$$" "oci:$BUILD_SOURCESDIRECTORY/image" "docker://$2" || exit 1
    echo "tag: digest: $(cat "$TMPDIR/digest.$$") size: 528"
    rm "$TMPDIR/digest.$$" ;;
esac
"#;

pub(super) fn play() -> Play {
    let mut world = World::with_aws();
    let registry = Registry::of(&mut world);
    let authority = registry.authority_file().display().to_string();
    world.agent.machine.push(("SSL_CERT_FILE".into(), authority));
    let seed = world.seed();
    for (name, kind, value) in [
        ("/shop/settings/url", "String", "https://shop.example.com"),
        ("/shop/settings/db/password", "SecureString", "db-pass-w0rd!"),
    ] {
        seed.put_parameter(name, kind, value);
    }
    seed.put_secret("shop/database", "s3cr3t of the database");
    world.secret_values.push(("a parameter".into(), "db-pass-w0rd!".into()));
    world.secret_values.push(("a secret".into(), "s3cr3t of the database".into()));
    let bucket = format!("migrated-{}", world.account);
    let digest = Layout::new(&world.agent.sources().join("image"), 10).image(&[20_000]);
    let mut play = Play::new(world, "10-migration");
    let bin = play.world.agent.root().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("docker"), DOCKER).unwrap();
    std::fs::set_permissions(bin.join("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), crate::consumers::path());
    play.world.agent.machine.push(("PATH".into(), path));
    play.trigger = play.trigger.with("bucket", &bucket);
    play.facts.extend([("bucket", bucket), ("digest", digest)]);
    play.registry = Some(registry);
    play.sources = |play| {
        play.write("dist/a/app.js", "a");
        play.write("dist/b/other.js", "b");
        play.write("dist/readme.txt", "c");
    };
    play.arrived = arrived;
    play
}

fn arrived(play: &Play, run: &PipelineRun) -> Result<(), String> {
    let job = run.job("__default");
    for (name, value, secret) in [
        ("url", "https://shop.example.com", false),
        ("password", "db-pass-w0rd!", true),
        ("Database", "s3cr3t of the database", true),
    ] {
        ensure!(job.variable(name) == Some(value), "variable {name} is {:?}", job.variable(name));
        ensure!(job.is_secret(name) == secret, "variable {name}: secret {}", job.is_secret(name));
    }
    let seed = play.world.seed();
    let keys = seed.keys(play.fact("bucket"));
    ensure!(keys == ["js/app.js", "js/other.js"], "the bucket holds {keys:?}");
    let object = seed.object(play.fact("bucket"), "js/app.js", &[]).unwrap();
    ensure!(object.header("cache-control") == "max-age=60", "{:?}", object.headers);
    ensure!(object.header("x-amz-server-side-encryption") == "AES256", "{:?}", object.headers);
    ensure!(play.read("fetched/js/other.js") == "b", "the download has {:?}", play.read("fetched/js/other.js"));
    ensure!(play.read("caller.txt").contains(":assumed-role/deploy-keys/"), "{}", play.read("caller.txt"));
    ensure!(job.step("AWSCLI").stdout().contains("other.js"), "{}", job.step("AWSCLI").stdout());
    let registry = play.registry.as_ref().unwrap();
    let fetched = registry.fetched("team/myshop:4711");
    ensure!(fetched.as_deref() == Some(play.fact("digest")), "the image is {fetched:?}");
    let uri = format!("{}/team/myshop:4711", registry.host());
    ensure!(job.variable("ImageUri") == Some(uri.as_str()), "the image's address is {:?}", job.variable("ImageUri"));
    Ok(())
}

#[test]
fn the_toolkits_inputs_do_what_they_did() {
    let play = play();
    play.passes();
    play.passes();
}

#[test]
fn a_listing_that_breaks_off_fails_the_download() {
    let play = play();
    play.world.gateway.fail("s3", "GET *", Fault::access_denied("no").always());
    let run = play.run();
    assert_eq!(run.outcome, Outcome::Failed);
    let job = run.job("__default");
    assert_eq!(job.step("S3Download").outcome, Outcome::Failed);
    assert!(job.step("S3Download").errors()[0].contains("AccessDenied"), "{:?}", job.step("S3Download").errors());
    assert_eq!(job.step("ECRPushImage").outcome, Outcome::Skipped);
    play.assert_clean(&run);
}
