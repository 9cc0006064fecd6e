use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// What one run of a program took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) wall: Duration,
    pub(super) cpu: Duration,
    pub(super) peak_bytes: u64,
}

/// Runs a program to its end.
///
/// # Panics
/// When it fails: a measurement of something that does not work is none.
pub(super) fn run(name: &str, command: &mut Command) -> Usage {
    let log = tempfile::NamedTempFile::new().expect("a temp file");
    let out = log.reopen().expect("the log");
    let errors = log.reopen().expect("the log");
    command.stdin(Stdio::null()).stdout(out).stderr(errors);
    let began = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
    let end = child.wait4().expect("the end of the process");
    let wall = began.elapsed();
    let text = std::fs::read_to_string(log.path()).unwrap_or_default();
    let failed = !end.status.success() || text.contains("task.complete result=Failed");
    assert!(!failed, "{name} failed: {}", &text[text.len().saturating_sub(3000)..]);
    Usage { wall, cpu: end.rusage.utime + end.rusage.stime, peak_bytes: end.rusage.maxrss }
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
