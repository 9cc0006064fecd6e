//! After a job the agent ends every process that carries the job's `VSTS_PROCESS_LOOKUP_ID` (`JobExtension.cs`).

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// Ends the processes that a job left running; their command lines.
pub(super) fn end_those_of(lookup_id: &str) -> Vec<String> {
    let mark = format!("VSTS_PROCESS_LOOKUP_ID={lookup_id}");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| carries(*pid, &mark)).filter_map(end).collect()
}

fn carries(pid: i32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
}

fn end(pid: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    kill_process(Pid::from_raw(pid)?, Signal::KILL).ok()?;
    Some(String::from_utf8_lossy(&line).replace('\0', " ").trim_end().to_owned())
}
