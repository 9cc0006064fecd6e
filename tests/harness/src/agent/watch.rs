//! Looks at the command lines and environments of a process, its descendants and, where asked, all others, while they run.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::Pid;

/// How often the descendants are looked at. A process that lives shorter can be missed.
const INTERVAL: Duration = Duration::from_millis(3);
/// How often when nothing new has begun for [`QUIET`]: a step that waits shall not take the CPU from the others.
const SLOW: Duration = Duration::from_millis(15);
/// After so long without a new process.
const QUIET: Duration = Duration::from_millis(300);
/// How often all others are, in intervals.
const MACHINE: usize = 40;

/// A process as it was once seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its command line.
    pub arguments: Vec<String>,
    /// Its environment as `NAME=value`; empty where it cannot be read.
    pub environment: Vec<String>,
    /// Whether it is no descendant of the step's process.
    pub is_stranger: bool,
}

pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Seen>>,
}

impl Watch {
    pub(super) fn start(root: Pid, machine: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let root = root.as_raw_nonzero().get();
        let thread = std::thread::spawn(move || {
            let mut watched = Watched::default();
            let mut round = 0;
            let mut changed = (0, Instant::now());
            while !stopped.load(Ordering::Relaxed) {
                let mut family = HashSet::new();
                watched.family(root, &mut family);
                if machine && round % MACHINE == 0 {
                    watched.others(root, &family);
                }
                round += 1;
                if watched.seen.len() > changed.0 {
                    changed = (watched.seen.len(), Instant::now());
                }
                std::thread::sleep(if changed.1.elapsed() > QUIET { SLOW } else { INTERVAL });
            }
            watched.seen
        });
        Self { stop, thread }
    }

    /// Ends the watch: every process that was seen, once for each command line.
    pub(super) fn stop(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch")
    }
}

#[derive(Default)]
struct Watched {
    /// A process that becomes another program is seen again.
    known: HashSet<(i32, Vec<u8>)>,
    seen: Vec<Seen>,
}

impl Watched {
    fn family(&mut self, pid: i32, family: &mut HashSet<i32>) {
        family.insert(pid);
        self.note(pid, false);
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
                self.family(child, family);
            }
        }
    }

    /// All processes but the harness itself, whose environment no test changes.
    fn others(&mut self, root: i32, family: &HashSet<i32>) {
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        for pid in pids.filter(|pid| *pid != own && !family.contains(pid)) {
            // One may have begun since the family was looked at.
            self.note(pid, !descends(pid, root));
        }
    }

    fn note(&mut self, pid: i32, is_stranger: bool) {
        let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else { return };
        if line.is_empty() || !self.known.insert((pid, line.clone())) {
            return;
        }
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        self.seen.push(Seen { arguments: words(&line), environment: words(&environment), is_stranger });
    }
}

/// Whether a process comes from another.
fn descends(mut pid: i32, root: i32) -> bool {
    while pid > 1 && pid != root {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        pid = parent.unwrap_or_default();
    }
    pid == root
}

/// The texts that are ended by a zero byte each.
fn words(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches('\0');
    if text.is_empty() { Vec::new() } else { text.split('\0').map(str::to_owned).collect() }
}
