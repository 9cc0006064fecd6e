//! Pushing to a local docker-registry, beside skopeo in the same run.
//!
//! usage: `causeway-bench-ecr [MIB] [PUSHES]`     the size of the large image (1024), and pushes under faults (50)
#![allow(clippy::print_stdout, reason = "a program for the terminal")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot be made ends here")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use causeway_harness::agent::{JobResult, Outcome};
use causeway_harness::registry::Registry;
use causeway_harness::registry::image::Layout;
use causeway_harness::world::World;
use wait4::Wait4;

const LAYERS: usize = 12;
const ROUNDS: usize = 3;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().expect("a number"));
    let (mebibytes, pushes) = (arguments.next().unwrap_or(1024), arguments.next().unwrap_or(50));
    large(mebibytes);
    faults(pushes);
}

/// One large image from an OCI layout, by turns with skopeo, into a new repository each time; then once more.
fn large(mebibytes: usize) {
    let mut world = World::with_aws();
    let registry = Registry::start(&world.account);
    world.agent.machine.extend(registry.direct_environment());
    let folder = tempfile::tempdir().expect("a temp folder");
    let layout = folder.path().join("image");
    let digest = Layout::new(&layout, 1).image(&[mebibytes * (1 << 20) / LAYERS; LAYERS]);
    println!("| {mebibytes} MiB, {LAYERS} layers, local registry over TLS | wall s | CPU s | peak MiB |");
    println!("|---|---|---|---|");
    for round in 0..ROUNDS {
        let skopeo = skopeo(&registry, &layout, &format!("skopeo-{round}"));
        row("skopeo copy", skopeo.0, skopeo.1, skopeo.2);
        let name = format!("ours-{round}");
        for what in ["ecrPush, whole step", "ecrPush again"] {
            let job = world.step(&inputs(&layout.display().to_string(), &name));
            let usage = ok(&job).first().usage;
            row(what, usage.wall, usage.cpu, usage.peak_memory);
            assert_eq!(job.variable("step.imageDigest"), Some(digest.as_str()));
            world.secrets().assert_none_in(&job);
        }
        for repository in [format!("skopeo-{round}"), name] {
            assert_eq!(registry.fetched(&format!("{repository}:latest")), Some(digest.clone()));
        }
        // Every repository has a copy of its own as long as no other has the same blobs.
        std::fs::remove_dir_all(registry.storage()).expect("the registry's files");
    }
}

fn inputs<'a>(layout: &'a str, repository: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("command", "ecrPush"),
        ("connection", "federated"),
        ("imageSource", "ociLayout"),
        ("archivePath", layout),
        ("repositoryName", repository),
    ]
}

fn ok(job: &JobResult) -> &JobResult {
    assert_eq!(job.outcome, Outcome::Succeeded, "{}", job.log());
    job
}

fn row(what: &str, wall: Duration, cpu: Duration, peak: u64) {
    let peak = peak as f64 / f64::from(1 << 20);
    println!("| {what} | {:.2} | {:.2} | {peak:.0} |", wall.as_secs_f64(), cpu.as_secs_f64());
}

/// Pushes with skopeo; answers wall and CPU time and peak memory.
fn skopeo(registry: &Registry, layout: &Path, repository: &str) -> (Duration, Duration, u64) {
    let target = format!("docker://{}/{repository}:latest", registry.host());
    let source = format!("oci:{}:1.0", layout.display());
    let mut command = Command::new("skopeo");
    command.args(["--insecure-policy", "copy", "-q", "--dest-creds"]);
    command.arg(format!("AWS:{}", registry.password())).args([&source, &target]);
    command.envs(registry.direct_environment()).env("SSL_CERT_FILE", registry.authority_file());
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().expect("skopeo");
    let used = child.wait4().expect("its end");
    assert!(used.status.success());
    (begun.elapsed(), used.rusage.utime + used.rusage.stime, used.rusage.maxrss)
}

/// Pushes of a 20 MiB image with a tenth of all requests failing in every way that the front knows.
fn faults(pushes: usize) {
    let mut world = World::with_aws();
    let registry = Registry::of(&mut world);
    let (mut whole, mut failed, mut wrong) = (0, 0, 0);
    let begun = Instant::now();
    for round in 0..pushes {
        let layout = world.agent.sources().join("image");
        let digest = Layout::new(&layout, 1000 * (round as u64 + 1)).image(&[4 << 20; 5]);
        registry.front.trouble_at_random(0.1, round as u64);
        let repository = format!("round-{round}");
        let job = world.step(&inputs("image", &repository));
        registry.front.calm();
        let arrived = registry.fetched(&format!("{repository}:latest")) == Some(digest);
        match (job.outcome, arrived) {
            (Outcome::Succeeded, true) => whole += 1,
            (Outcome::Failed, _) => {
                failed += 1;
                println!("failed: {}", job.first().errors().join("; "));
            }
            _ => wrong += 1,
        }
        world.secrets().assert_none_in(&job);
        std::fs::remove_dir_all(&layout).expect("the layout");
    }
    let seen = registry.front.seen();
    let troubles = seen.iter().filter(|seen| seen.is_trouble).count();
    println!(
        "\n{pushes} pushes of 20 MiB, {troubles} of {} requests failing: {whole} whole, {failed} failed with the reason, {wrong} wrong; {:.0} s",
        seen.len(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(wrong, 0);
}
