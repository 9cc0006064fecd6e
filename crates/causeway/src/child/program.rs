use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};
use tokio_util::sync::CancellationToken;

use super::environment::ChildEnvironment;
use super::tree;

/// How long a cancelled step gives its program; less than the agent gives the step.
pub(crate) const WIND_DOWN: Duration = tree::LONGEST_END;

/// A program to run to its end.
pub(crate) struct Program {
    /// What messages call it.
    pub(crate) described: String,
    /// Its file.
    pub(crate) file: PathBuf,
    /// Its arguments. They are the user's own.
    pub(crate) arguments: Vec<OsString>,
    /// A command line for `cmd`, which has quoting rules of its own, in place of the arguments.
    pub(crate) raw_arguments: Option<OsString>,
    /// Where it runs; the step's own folder when `None`.
    pub(crate) folder: Option<PathBuf>,
    /// Whether a word on standard error is a failure.
    pub(crate) fail_on_standard_error: bool,
}

impl Program {
    /// Runs it. It writes to the step's own output, so the agent sees each line when it is written, logging commands included.
    ///
    /// # Errors
    /// When it does not start, ends with another exit code than 0, wrote to standard error where that counts, or was cancelled.
    pub(crate) async fn run(&self, environment: &ChildEnvironment, cancel: &CancellationToken) -> Result<()> {
        let mut child = self.spawn(environment)?;
        let (leader, errors) = (child.id(), child.stderr.take());
        let ended = async { tokio::join!(child.wait(), forward(errors)) };
        let ended = tokio::select! {
            ended = ended => Some(ended),
            () = cancel.cancelled() => None,
            never = tree::reap(leader) => match never {},
        };
        let Some((status, wrote)) = ended else {
            tree::end(&mut child).await;
            bail!("{} was cancelled", self.described);
        };
        self.judge(status.context("its end could not be waited for")?)?;
        if wrote {
            bail!("{} wrote to standard error, and failOnStandardError is set", self.described);
        }
        Ok(())
    }

    fn spawn(&self, environment: &ChildEnvironment) -> Result<Child> {
        let mut command = Command::new(&self.file);
        command.args(&self.arguments).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(line) = &self.raw_arguments {
            #[cfg(windows)]
            command.raw_arg(line);
            #[cfg(not(windows))]
            command.arg(line);
        }
        if self.fail_on_standard_error {
            command.stderr(Stdio::piped());
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        environment.apply(&mut command);
        tree::prepare(&mut command);
        command.spawn().with_context(|| format!("{} could not be started", self.file.display()))
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        if let Some(code) = status.code() {
            bail!("{} ended with exit code {code}", self.described);
        }
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            bail!("{} was ended by signal {signal}", self.described);
        }
        bail!("{} ended in an unknown way", self.described)
    }
}

/// Passes standard error on as it comes; whether there was any.
async fn forward(errors: Option<ChildStderr>) -> bool {
    let Some(mut errors) = errors else { return false };
    let mut out = tokio::io::stderr();
    let mut buffer = vec![0; 8192];
    let mut wrote = false;
    while let Ok(length @ 1..) = errors.read(&mut buffer).await {
        wrote = true;
        let _ = out.write_all(&buffer[..length]).await;
        let _ = out.flush().await;
    }
    wrote
}
