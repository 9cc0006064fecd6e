//! `command: s3Upload`, ended from outside: what stays in the bucket.

use std::fs;
use std::time::Duration;

use causeway_harness::agent::{Cancel, Outcome, Step};
use causeway_harness::gateway::Fault;
use causeway_harness::world::World;

use crate::assert_succeeds;

/// Three parts, none of which the service takes in the first run: it hangs until it is ended.
fn hanging(name: &str) -> (World, String, Step) {
    let world = World::with_aws();
    let bucket = world.bucket(name);
    fs::write(world.agent.sources().join("big.bin"), vec![7; 20 << 20]).unwrap();
    let hang = Fault::slow(Duration::from_secs(60)).times(3);
    world.gateway.fail("s3", &format!("PUT /{bucket}/big.bin"), hang);
    let step = world.causeway(&[
        ("command", "s3Upload"),
        ("connection", "federated"),
        ("bucketName", &bucket),
        ("forcePathStyleAddressing", "true"),
    ]);
    (world, bucket, step)
}

fn begun(world: &World, bucket: &str) -> usize {
    world.gateway.calls_of("s3", &format!("POST /{bucket}/big.bin")).len()
}

#[test]
fn cancelled_it_leaves_no_parts_behind() {
    let (world, bucket, step) = hanging("cancelled");
    let job = world.run(vec![step.cancelled(Cancel::After(Duration::from_secs(6)))]);
    assert_eq!(job.first().outcome, Outcome::Canceled, "{}", job.log());
    assert_eq!(begun(&world, &bucket), 1, "it had not come so far: {}", job.log());
    assert_eq!(world.seed().open_uploads(&bucket), Vec::<String>::new());
    assert!(world.seed().keys(&bucket).is_empty());
    assert!(job.first().usage.wall < Duration::from_secs(13), "it ended on its own, not by SIGKILL");
}

#[test]
fn killed_it_leaves_parts_that_the_next_run_removes_and_nobody_elses() {
    let (world, bucket, step) = hanging("killed");
    world.seed().begin_upload(&bucket, "somebody-elses.bin");
    world.seed().begin_upload(&bucket, "big.bin");
    let again = step.clone();
    let job = world.run(vec![step.cancelled(Cancel::Killed(Duration::from_secs(6)))]);
    assert_ne!(job.first().outcome, Outcome::Succeeded);
    assert_eq!(begun(&world, &bucket), 1, "it had not come so far: {}", job.log());
    assert_eq!(world.seed().open_uploads(&bucket).len(), 3);

    // Another job: the agent has emptied its temp folder meanwhile.
    let job = world.run(vec![again]);
    assert_succeeds(&job);
    assert!(job.log().contains("Removed 1 multipart uploads"), "{}", job.log());
    let mut left = world.seed().open_uploads(&bucket);
    left.sort();
    assert_eq!(left, ["big.bin", "somebody-elses.bin"], "those of others stay");
    assert_eq!(world.seed().object(&bucket, "big.bin", &[]).unwrap().content.len(), 20 << 20);
    assert!(!world.agent.root().join("_work/_causeway-s3").exists(), "no note is left");
}
