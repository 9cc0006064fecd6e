//! A process with everything that it has started.

use std::convert::Infallible;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

/// After SIGINT, the time that a program has to put things in order; it gets SIGTERM then.
const AFTER_INTERRUPT: Duration = Duration::from_millis(6500);
/// After SIGTERM; then everything is ended by force, still before the agent does so, 10 seconds after its own SIGINT.
const AFTER_TERMINATE: Duration = Duration::from_secs(2);

/// All of it together.
pub(super) const LONGEST_END: Duration = Duration::from_secs(9);

/// Prepares a program that is about to start so that its tree can be found later: it leads a group of its own, and on Linux
/// what it leaves behind becomes a child of this process.
pub(crate) fn prepare(command: &mut Command) {
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
    #[cfg(not(unix))]
    let _ = command;
}

/// A tree that is ended by force as soon as nobody waits for it any more. On Windows the leader alone is, by
/// [`Command::kill_on_drop`].
pub(crate) struct Felled {
    leader: Option<i32>,
}

impl Felled {
    /// Of a program that was prepared with [`prepare`].
    pub(crate) fn when_dropped(child: &Child) -> Self {
        Self { leader: child.id().and_then(|id| i32::try_from(id).ok()) }
    }

    /// It has ended by itself.
    pub(crate) fn spare(mut self) {
        self.leader = None;
    }
}

impl Drop for Felled {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader {
            signal_all(leader, rustix::process::Signal::KILL);
        }
        #[cfg(not(unix))]
        let _ = self.leader;
    }
}

/// How often [`reap`] looks.
#[cfg(target_os = "linux")]
const LOOK: Duration = Duration::from_secs(1);

/// Takes leave, for ever, of what the program `leader` left behind and has ended since. Nobody else does: this process is
/// its parent now (`PR_SET_CHILD_SUBREAPER`), and an ended process that nobody waits for keeps its place among those that
/// the machine can hold.
pub(super) async fn reap(leader: Option<u32>) -> Infallible {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Pid, WaitOptions, getpid, waitpid};
        let leader = leader.and_then(|id| i32::try_from(id).ok());
        loop {
            tokio::time::sleep(LOOK).await;
            let own = children(getpid().as_raw_nonzero().get());
            for id in own.into_iter().filter(|id| Some(*id) != leader && is_zombie(*id)) {
                let _ = waitpid(Pid::from_raw(id), WaitOptions::NOHANG);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = leader;
        std::future::pending().await
    }
}

/// Ends it and all that it has started: asks, asks again, then forces.
#[cfg(unix)]
pub(super) async fn end(child: &mut Child) {
    use rustix::process::Signal;
    let Some(leader) = child.id().and_then(|id| i32::try_from(id).ok()) else { return };
    signal_all(leader, Signal::INT);
    wait_for_leader(child, AFTER_INTERRUPT).await;
    // Shells let what runs in the background ignore SIGINT.
    if signal_all(leader, Signal::TERM) {
        wait_for_all(child, leader, AFTER_TERMINATE).await;
        signal_all(leader, Signal::KILL);
    }
    let _ = child.wait().await;
}

#[cfg(unix)]
async fn wait_for_leader(child: &mut Child, longest: Duration) {
    let _ = tokio::time::timeout(longest, child.wait()).await;
}

#[cfg(unix)]
async fn wait_for_all(child: &mut Child, leader: i32, longest: Duration) {
    let end = Instant::now() + longest;
    while Instant::now() < end {
        let _ = child.try_wait();
        if !any_left(leader) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(unix)]
fn any_left(leader: i32) -> bool {
    use rustix::process::{Pid, test_kill_process_group};
    let group = Pid::from_raw(leader).is_some_and(|leader| test_kill_process_group(leader).is_ok());
    group || descendants().iter().any(|process| !process.is_zombie)
}

/// Signals the group and every descendant; whether anybody is left to hear it.
#[cfg(unix)]
fn signal_all(leader: i32, signal: rustix::process::Signal) -> bool {
    use rustix::process::{Pid, getpgid, kill_process, kill_process_group};
    let group = Pid::from_raw(leader);
    let mut heard = group.is_some_and(|group| kill_process_group(group, signal).is_ok());
    for process in descendants().into_iter().filter(|process| !process.is_zombie) {
        let Some(id) = Pid::from_raw(process.id) else { continue };
        // Once is enough: a second SIGINT means "at once" to many programs.
        if getpgid(Some(id)).ok() != group {
            heard |= kill_process(id, signal).is_ok();
        }
    }
    heard
}

#[cfg(unix)]
struct Process {
    id: i32,
    is_zombie: bool,
}

/// Everything below this process (`/proc/<pid>/task/<tid>/children`, proc(5)); nothing where there is no such file.
#[cfg(unix)]
fn descendants() -> Vec<Process> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let mut found: Vec<Process> = Vec::new();
    let mut to_visit = vec![own];
    while let Some(parent) = to_visit.pop() {
        for id in children(parent) {
            found.push(Process { id, is_zombie: is_zombie(id) });
            to_visit.push(id);
        }
    }
    found
}

#[cfg(unix)]
fn children(parent: i32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let of_thread = |thread: std::fs::DirEntry| {
        std::fs::read_to_string(thread.path().join("children")).unwrap_or_default()
    };
    let listed: Vec<String> = threads.map(of_thread).collect();
    listed.iter().flat_map(|ids| ids.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
}

/// The state is the first letter after the program's name, which stands in parentheses (proc(5), `stat`).
#[cfg(unix)]
fn is_zombie(id: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with(['Z', 'X']))
}

/// On Windows the console has told the program of the cancellation already; then the tree is ended (`taskkill /T`).
#[cfg(not(unix))]
pub(super) async fn end(child: &mut Child) {
    if tokio::time::timeout(AFTER_INTERRUPT, child.wait()).await.is_ok() {
        return;
    }
    let ended = Instant::now();
    if let Some(id) = child.id() {
        let mut kill = Command::new("taskkill");
        kill.args(["/T", "/F", "/PID", &id.to_string()]);
        kill.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        let _ = tokio::time::timeout(AFTER_TERMINATE, kill.status()).await;
    }
    let _ = tokio::time::timeout(AFTER_TERMINATE.saturating_sub(ended.elapsed()), child.kill()).await;
}
