//! Moves files to and from a sink server over TLS, side by side with peers.

mod client;
mod faults;
mod load;
mod measure;
mod sink;

use std::path::{Path, PathBuf};

use client::{Client, Way};
use load::{LOADS, Load};
use measure::{Usage, median, run};
use sink::{Behaviour, Sink};

/// Measured runs of each client and load, in turn.
const RUNS: usize = 5;
/// What the sink waits before each answer.
const LATENCY_MS: u32 = 20;

/// `scripts/bench s3 [LOAD...]`, or `scripts/bench s3 faults`, `scripts/bench s3 scale`.
pub(crate) fn main(arguments: &[String]) {
    let bench = Bench::new();
    match arguments.first().map(String::as_str) {
        Some("faults") => faults::faults(&bench),
        Some("scale") => faults::scale(&bench),
        _ => bench.compare(arguments),
    }
}

/// Where programs and files are.
pub(crate) struct Bench {
    root: PathBuf,
    sink: PathBuf,
    folder: tempfile::TempDir,
    runs: usize,
}

/// What came of one client with one load.
struct Row {
    client: Client,
    usages: Vec<Usage>,
    sink_cpu: Vec<f64>,
    connections: Vec<f64>,
}

impl Bench {
    fn new() -> Self {
        let root = causeway_harness::world::workspace();
        let sink = std::env::var_os("SINK_BIN")
            .map_or_else(|| root.join("target/release/causeway-sink"), PathBuf::from);
        assert!(sink.exists(), "{} is missing: scripts/bench builds it", sink.display());
        // In memory where there is room: a disk's pauses would be measured instead.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let runs = std::env::var("BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
        Self { root, sink, folder: folder.expect("a temp folder"), runs }
    }

    fn compare(&self, names: &[String]) {
        println!("{} runs in turn, medians; TLS, {LATENCY_MS} ms a request", self.runs);
        println!(
            "| load | client | wall s | CPU s | peak MiB | connections | wall against s5cmd | CPU against s5cmd | server CPU s |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for load in LOADS.iter().filter(|load| names.is_empty() || names.iter().any(|name| name == load.name))
        {
            let source = load.make(self.folder.path());
            self.print(load, &self.measure(load, &source));
            std::fs::remove_dir_all(&source).expect("the load");
        }
    }

    fn measure(&self, load: &Load, source: &Path) -> Vec<Row> {
        let wanted = std::env::var("BENCH_CLIENTS").unwrap_or_default();
        let is_wanted =
            |client: Client| wanted.is_empty() || wanted.split(',').any(|name| name == client.name());
        let clients = [Client::Causeway, Client::S5cmd, Client::AwsCli, Client::Boto3];
        let row = |client| Row { client, usages: Vec::new(), sink_cpu: Vec::new(), connections: Vec::new() };
        let installed =
            clients.into_iter().filter(|client| client.program(&self.root).is_some() && is_wanted(*client));
        let mut rows: Vec<Row> = installed.map(row).collect();
        for number in 0..self.runs {
            for row in &mut rows {
                // Python takes half a minute for what the others do in a second; once is enough to see that.
                let is_slow = matches!(row.client, Client::AwsCli | Client::Boto3);
                if number == 0 || !is_slow {
                    self.measure_once(load, source, row);
                }
            }
        }
        rows
    }

    fn measure_once(&self, load: &Load, source: &Path, row: &mut Row) {
        let objects = load.objects();
        let behaviour = Behaviour {
            latency_ms: LATENCY_MS,
            objects: (load.way == Way::Down).then_some(objects.as_str()),
            ..Behaviour::default()
        };
        let sink = Sink::start(&self.sink, behaviour);
        let target = self.folder.path().join("target");
        std::fs::create_dir_all(&target).expect("the target");
        let folder = if load.way == Way::Up { source } else { &target };
        let usage = run(row.client.name(), &mut row.client.command(&self.root, &sink, load.way, folder));
        let ended = sink.end();
        if load.way == Way::Down {
            load.check(&target);
        } else {
            assert_eq!(ended.count("objects"), load.count, "{}: not everything arrived", row.client.name());
        }
        row.connections.push(ended.count("connections") as f64);
        row.sink_cpu.push(ended.cpu);
        row.usages.push(usage);
        std::fs::remove_dir_all(&target).expect("the target");
    }

    fn print(&self, load: &Load, rows: &[Row]) {
        let peer = rows.iter().find(|row| row.client == Client::S5cmd);
        for row in rows {
            let of = |row: &Row, figure: fn(&Usage) -> f64| median(row.usages.iter().map(figure).collect());
            let wall: fn(&Usage) -> f64 = |usage| usage.wall.as_secs_f64();
            let cpu: fn(&Usage) -> f64 = |usage| usage.cpu.as_secs_f64();
            let ratio = |figure: fn(&Usage) -> f64| {
                peer.map_or("-".to_owned(), |peer| format!("{:.1}", of(peer, figure) / of(row, figure)))
            };
            println!(
                "| {} | {} | {:.2} | {:.2} | {:.0} | {:.0} | {} | {} | {:.2} |",
                load.title,
                row.client.name(),
                of(row, wall),
                of(row, cpu),
                of(row, |usage| usage.peak_bytes as f64) / f64::from(1 << 20),
                median(row.connections.clone()),
                ratio(wall),
                ratio(cpu),
                median(row.sink_cpu.clone()),
            );
        }
    }
}
