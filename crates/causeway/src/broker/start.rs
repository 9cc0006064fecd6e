use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use causeway_agent::Environment;
use causeway_identity::Session;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use super::handover::Handover;
use crate::child::ChildEnvironment;
use crate::profile::ProfileName;

/// How long a broker may take to be ready.
const START_TIME: Duration = Duration::from_secs(30);

/// A broker to start.
pub(crate) struct Launch<'a> {
    /// The copy of this program in the job's folder, where the socket goes too.
    pub(crate) program: &'a Path,
    /// The step's environment: what the broker signs in with.
    pub(crate) environment: &'a Environment,
    /// The credentials to begin with.
    pub(crate) session: &'a Session,
    /// The profile to serve.
    pub(crate) profile: &'a ProfileName,
    /// With one, credentials are also served over HTTP to who knows it.
    pub(crate) endpoint_token: Option<&'a SecretString>,
    /// Whether the credentials are renewed.
    pub(crate) refresh: bool,
}

/// Starts the broker process and waits until it serves; the address of its HTTP endpoint, if it has one.
///
/// It holds nothing of the step: own session, no output. Its environment has no secrets; those go over a pipe.
///
/// # Errors
/// When it does not start; the reason is its own.
pub(crate) async fn start(launch: &Launch<'_>) -> Result<Option<String>> {
    let mut child = spawn(launch)?;
    let ready = tokio::time::timeout(START_TIME, hand_over(&mut child, launch)).await;
    let ready = ready.unwrap_or_else(|_| bail!("it was not ready after {} seconds", START_TIME.as_secs()));
    if ready.is_err() {
        let _ = child.kill().await;
    }
    ready.context("the process that holds the credentials for later steps could not be started")
}

fn spawn(launch: &Launch<'_>) -> Result<Child> {
    let mut command = Command::new(launch.program);
    command
        .args(["broker", "--profile", launch.profile.as_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    ChildEnvironment::without_secrets(launch.environment).apply(&mut command);
    #[cfg(windows)]
    {
        const DETACHED_PROCESS: u32 = 0x8;
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
    }
    command.spawn().with_context(|| format!("{} could not be started", launch.program.display()))
}

async fn hand_over(child: &mut Child, launch: &Launch<'_>) -> Result<Option<String>> {
    let handover = Handover::new(launch.environment, launch.session, launch.endpoint_token, launch.refresh);
    let mut input = child.stdin.take().context("no standard input")?;
    let output = child.stdout.take().context("no standard output")?;
    input.write_all(handover.to_text()?.expose_secret().as_bytes()).await?;
    drop(input);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).await?;
    let answer: Value = serde_json::from_str(&line).ok().context("it ended at once")?;
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        bail!("{error}");
    }
    Ok(answer.get("url").and_then(Value::as_str).map(str::to_owned))
}
