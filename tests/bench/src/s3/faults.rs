use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;

use super::client::{Client, Way};
use super::load::make_files;
use super::measure::{median, run};
use super::sink::{Behaviour, Sink};
use super::{Bench, LATENCY_MS};

/// 10,000 files with 5 % `SlowDown` and 2 % cut connections, against none of that; then with a file that goes away meanwhile.
pub(super) fn faults(bench: &Bench) {
    let source = bench.folder.path().join("faults");
    make_files(&source, 10_000, 4 << 10);
    let clean = Behaviour { latency_ms: LATENCY_MS, verify: true, ..Behaviour::default() };
    let faulty = Behaviour { slow_down: 0.05, reset: 0.02, ..clean };
    let (mut clean_walls, mut faulty_walls) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        clean_walls.push(upload(bench, &source, clean));
        faulty_walls.push(upload(bench, &source, faulty));
    }
    let (clean_wall, faulty_wall) = (median(clean_walls), median(faulty_walls));
    println!(
        "10,000 × 4 KiB, every object byte for byte: clean {clean_wall:.2} s, with faults {faulty_wall:.2} s: {:.2} times",
        faulty_wall / clean_wall
    );
    removed_mid_run(bench, &source, clean);
}

/// Exactly the file that is gone is missed, by its name, and the step fails.
fn removed_mid_run(bench: &Bench, source: &Path, behaviour: Behaviour<'_>) {
    let expected = describe(source);
    let last = expected.keys().next_back().expect("files");
    // Slow enough for progress to be told before the last files are read.
    let sink = Sink::start(&bench.sink, Behaviour { latency_ms: 300, ..behaviour });
    let mut command = Client::Causeway.command(&bench.root, &sink, Way::Up, source);
    let mut step = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the step");
    let mut output = BufReader::new(step.stdout.take().expect("its log"));
    let mut log = String::new();
    while !log.contains("task.setprogress") && output.read_line(&mut log).expect("a line") > 0 {}
    std::fs::remove_file(source.join(last)).expect("the last file");
    output.read_to_string(&mut log).expect("the rest");
    step.wait().expect("its end");
    let arrived = sink.end().objects;
    assert!(log.contains("task.complete result=Failed"), "the step succeeded without {last}: {log}");
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("type=error")).collect();
    assert!(errors.iter().any(|line| line.contains(last.as_str())), "{last} is not named: {errors:?}");
    let missing: Vec<&String> = expected.keys().filter(|key| !arrived.contains_key(*key)).collect();
    assert_eq!(missing, [last]);
    println!(
        "10,000 × 4 KiB, {last} removed meanwhile: the step failed, named it, and {} arrived",
        arrived.len()
    );
}

/// Uploads everything and compares what arrived, byte for byte by its checksum.
fn upload(bench: &Bench, source: &Path, behaviour: Behaviour<'_>) -> f64 {
    let sink = Sink::start(&bench.sink, behaviour);
    let usage = run("Causeway", &mut Client::Causeway.command(&bench.root, &sink, Way::Up, source));
    let ended = sink.end();
    let (arrived, expected) = (&ended.objects, describe(source));
    assert!(*arrived == expected, "{} of {} objects are right", same(arrived, &expected), expected.len());
    println!("  {:.2} s {}", usage.wall.as_secs_f64(), ended.counts());
    usage.wall.as_secs_f64()
}

fn same(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> usize {
    one.iter().filter(|(key, content)| other.get(*key) == Some(*content)).count()
}

/// Size and checksum of every file by its key, as the sink tells them.
fn describe(source: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for folder in std::fs::read_dir(source).expect("the files").flatten() {
        for file in std::fs::read_dir(folder.path()).expect("the files").flatten() {
            let content = std::fs::read(file.path()).expect("a file");
            let key = format!("{}/{}", folder.file_name().display(), file.file_name().display());
            let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &content);
            all.insert(key, format!("{} {checksum:016x}", content.len()));
        }
    }
    all
}

/// 10,000 files and 100,000, each of 1 KiB: memory and time.
pub(super) fn scale(bench: &Bench) {
    println!("| files × 1 KiB | wall s | CPU s | peak MiB |");
    println!("|---|---|---|---|");
    for count in [10_000, 100_000] {
        let source = bench.folder.path().join(format!("scale-{count}"));
        make_files(&source, count, 1 << 10);
        let mut usages = Vec::new();
        for _ in 0..bench.runs.min(3) {
            let behaviour = Behaviour { latency_ms: LATENCY_MS, ..Behaviour::default() };
            let sink = Sink::start(&bench.sink, behaviour);
            usages.push(run("Causeway", &mut Client::Causeway.command(&bench.root, &sink, Way::Up, &source)));
            assert_eq!(sink.end().count("objects"), count);
        }
        let of = |figure: fn(&super::Usage) -> f64| median(usages.iter().map(figure).collect());
        println!(
            "| {count} | {:.2} | {:.2} | {:.0} |",
            of(|usage| usage.wall.as_secs_f64()),
            of(|usage| usage.cpu.as_secs_f64()),
            of(|usage| usage.peak_bytes as f64) / f64::from(1 << 20)
        );
        std::fs::remove_dir_all(&source).expect("the files");
    }
}
