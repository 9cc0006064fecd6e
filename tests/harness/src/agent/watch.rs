//! Looks at the command lines of a process and its descendants while they run.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::Pid;

/// How often `/proc` is read. A process that lives shorter can be missed.
const INTERVAL: Duration = Duration::from_millis(3);

pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Vec<String>>>,
}

impl Watch {
    pub(super) fn start(root: Pid) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let root = root.as_raw_nonzero().get();
        let thread = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                look(root, &mut seen);
                std::thread::sleep(INTERVAL);
            }
            seen
        });
        Self { stop, thread }
    }

    /// Ends the watch: every command line that was seen, once each.
    pub(super) fn stop(self) -> Vec<Vec<String>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch")
    }
}

fn look(pid: i32, seen: &mut Vec<Vec<String>>) {
    if let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) {
        let text = String::from_utf8_lossy(&line);
        let arguments: Vec<String> = text.trim_end_matches('\0').split('\0').map(str::to_owned).collect();
        if !line.is_empty() && !seen.contains(&arguments) {
            seen.push(arguments);
        }
    }
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for thread in threads {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children
            .split_whitespace()
            .filter_map(|child| child.parse().ok())
            .for_each(|child| look(child, seen));
    }
}
