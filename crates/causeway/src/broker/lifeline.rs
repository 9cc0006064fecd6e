//! How the agent's end-of-job sweep reaches a broker that nobody can look into.
//!
//! When a job ends, the agent ends every process whose environment carries the job's `VSTS_PROCESS_LOOKUP_ID`; on Linux it
//! reads `/proc/<pid>/environ`. A broker is closed to that (see [`crate::protection`]). So it has a child that is not, knows
//! nothing and only waits: when that child is ended, the broker ends.

use std::io::Read;
use std::process::{ExitCode, Stdio};

use causeway_agent::Environment;
use tokio::process::{Child, Command};

const MARK: &str = "VSTS_PROCESS_LOOKUP_ID";

/// The name of the subcommand that waits.
pub(super) const COMMAND: &str = "broker-lifeline";

/// The waiting child: ends with the broker, because its standard input ends.
pub(crate) fn hold() -> ExitCode {
    let mut nothing = [0; 1];
    while matches!(std::io::stdin().read(&mut nothing), Ok(1)) {}
    ExitCode::SUCCESS
}

/// The waiting child, where there is one to have: where the agent's sweep does not reach the broker itself.
pub(super) struct Lifeline(Option<Child>);

impl Lifeline {
    pub(super) fn throw(environment: &Environment) -> Self {
        let mark = environment.get(MARK).filter(|_| cfg!(target_os = "linux"));
        Self(mark.and_then(|mark| {
            Command::new(std::env::current_exe().ok()?)
                .arg(COMMAND)
                .env_clear()
                .env(MARK, mark)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .ok()
        }))
    }

    /// Waits until the agent ends the job's processes; for ever where there is no child.
    pub(super) async fn cut(&mut self) {
        let Some(child) = &mut self.0 else { return std::future::pending().await };
        // `wait` would close the pipe that keeps it waiting.
        let _pipe = child.stdin.take();
        let _ = child.wait().await;
    }

    /// Ends it. Whoever ended the broker shall not find it among the job's processes any more.
    pub(super) async fn end(self) {
        if let Some(mut child) = self.0 {
            let _ = child.kill().await;
        }
    }
}
