//! S3 steps that take longer than their role session lasts.

use std::fs;
use std::time::Duration;

use causeway_harness::agent::JobResult;
use causeway_harness::gateway::Fault;
use causeway_harness::world::World;

use crate::assert_succeeds;

/// Sessions that end long before a transfer whose requests take this long.
const SESSION: Duration = Duration::from_secs(5);
const REQUEST: Duration = Duration::from_secs(2);

fn world() -> World {
    let world = World::with_aws();
    world.iam.shorten_sessions(SESSION);
    world
}

fn inputs<'a>(command: &'a str, bucket: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("command", command),
        ("connection", "federated"),
        ("bucketName", bucket),
        ("forcePathStyleAddressing", "true"),
        ("parallelism", "1"),
    ]
}

/// Several sessions were there, the log had each masked before anything could print it, and no secret is in it.
fn assert_renewed_and_masked(world: &World, job: &JobResult) {
    assert!(job.first().usage.wall > SESSION * 2, "it was too quick to need others");
    let sessions = world.iam.sessions();
    assert!(sessions.len() >= 3, "{} sessions", sessions.len());
    let commands = job.first().commands.iter().filter(|command| command.is("task", "setsecret"));
    let masked: Vec<&str> = commands.map(|command| command.data.as_str()).collect();
    for session in &sessions {
        assert!(masked.contains(&session.key.secret.as_str()), "…{} is not masked", session.key.id);
        let token = session.key.session_token.as_deref().unwrap();
        assert!(masked.contains(&token), "the token of …{} is not masked", session.key.id);
    }
    for token in world.azure_devops.issued_tokens() {
        assert!(masked.contains(&token.as_str()), "an OIDC token is not masked");
    }
    world.secrets().assert_none_in(job);
}

#[test]
fn an_upload_outlives_its_sessions() {
    let world = world();
    let bucket = world.bucket("renewed");
    let names = ["a", "b", "c", "d"];
    for name in names {
        fs::write(world.agent.sources().join(name), name).unwrap();
        world.gateway.fail("s3", &format!("PUT /{bucket}/{name}"), Fault::slow(REQUEST));
    }
    // Begun and completed through the SDK, sent below it.
    fs::write(world.agent.sources().join("big.bin"), vec![7; 20 << 20]).unwrap();
    world.gateway.fail("s3", &format!("PUT /{bucket}/big.bin"), Fault::slow(REQUEST).times(3));
    let job = world.step(&inputs("s3Upload", &bucket));
    assert_succeeds(&job);
    for name in names {
        assert_eq!(world.seed().object(&bucket, name, &[]).unwrap().content, name.as_bytes());
    }
    assert_eq!(world.seed().object(&bucket, "big.bin", &[]).unwrap().content.len(), 20 << 20);
    assert_renewed_and_masked(&world, &job);
}

#[test]
fn a_download_outlives_its_sessions() {
    let world = world();
    let bucket = world.bucket("renewed-down");
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    for name in names {
        world.seed().put_object(&bucket, name, name.as_bytes(), &[]);
        world.gateway.fail("s3", &format!("GET /{bucket}/{name}"), Fault::slow(REQUEST));
    }
    let mut inputs = inputs("s3Download", &bucket);
    inputs.push(("targetFolder", "out"));
    let job = world.step(&inputs);
    assert_succeeds(&job);
    for name in names {
        assert_eq!(fs::read(world.agent.sources().join("out").join(name)).unwrap(), name.as_bytes());
    }
    assert_renewed_and_masked(&world, &job);
}

#[test]
fn when_there_are_no_others_the_step_ends_and_says_why() {
    let world = world();
    let bucket = world.bucket("not-renewed");
    for name in ["a", "b", "c", "d"] {
        fs::write(world.agent.sources().join(name), name).unwrap();
        world.gateway.fail("s3", &format!("PUT /{bucket}/{name}"), Fault::slow(SESSION / 2));
    }
    let step = inputs("s3Upload", &bucket);
    let job = std::thread::scope(|scope| {
        let running = scope.spawn(|| world.step(&step));
        while world.iam.sessions().is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let refusal = Fault::error(403, "AccessDenied", "the role was taken away").times(1000);
        world.gateway.fail("sts", "AssumeRoleWithWebIdentity", refusal);
        running.join().unwrap()
    });
    crate::assert_fails(&job, &["files did not arrive", "no credentials", "the role was taken away"]);
    world.secrets().assert_none_in(&job);
}
