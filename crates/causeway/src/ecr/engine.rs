//! A container engine, through the docker command line.

use std::process::Stdio;

use anyhow::{Context, Result, anyhow};
use causeway_agent::Console;
use causeway_registry::Digest;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::LoginFiles;
use crate::child::{Felled, prepare};
use crate::step::Step;

/// Lines of docker's output that an error repeats.
const REPEATED: usize = 5;

/// docker, with login files of this step. The login stands in them, never in an argument.
pub(crate) struct Engine<'a> {
    step: &'a Step,
    files: &'a LoginFiles,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(step: &'a Step, files: &'a LoginFiles) -> Self {
        Self { step, files }
    }

    /// `docker tag`.
    pub(crate) async fn tag(&self, source: &str, target: &str) -> Result<()> {
        self.run(&["tag", source, target]).await.map(drop)
    }

    /// `docker push`; answers the digest if docker names it.
    pub(crate) async fn push(&self, image: &str) -> Result<Option<Digest>> {
        self.run(&["push", image]).await.map(|lines| digest_in(&lines))
    }

    /// `docker pull`; answers the digest if docker names it.
    pub(crate) async fn pull(&self, image: &str) -> Result<Option<Digest>> {
        self.run(&["pull", image]).await.map(|lines| digest_in(&lines))
    }

    /// `docker rmi`.
    pub(crate) async fn remove(&self, image: &str) -> Result<()> {
        self.run(&["rmi", image]).await.map(drop)
    }

    async fn run(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let console = self.step.console();
        console.info(&format!("docker {}", arguments.join(" ")));
        let mut child = self.command(arguments).spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => anyhow!(
                "there is no docker on this machine (PATH). Without one, build the image as an archive or OCI layout and set imageSource to archive or ociLayout; ecrPull writes an OCI layout when archivePath is set"
            ),
            _ => anyhow!(error).context("docker could not be started"),
        })?;
        // It may have started others: plugins, helpers for logins, podman's conmon.
        let felled = Felled::when_dropped(&child);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (status, out, err) = tokio::join!(child.wait(), shown(out, console), shown(err, console));
        let status = status.context("docker")?;
        felled.spare();
        if status.success() {
            return Ok(out);
        }
        Err(failure(arguments[0], &out, &err))
    }

    /// Programs get nothing of what the agent hands to tasks alone: inputs, connections, secret variables.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        prepare(&mut command);
        for name in self.step.environment().private_names() {
            command.env_remove(name);
        }
        command.env("DOCKER_CONFIG", self.files.docker_folder()).env_remove("DOCKER_AUTH_CONFIG");
        // What is called docker may be podman.
        command.env("REGISTRY_AUTH_FILE", self.files.containers_file());
        command
    }
}

/// Prints what comes, line by line, and keeps it.
async fn shown(output: Option<impl AsyncRead + Unpin>, console: &Console) -> Vec<String> {
    let mut kept = Vec::new();
    let Some(output) = output else { return kept };
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if !text.is_empty() {
            console.info(&text);
            kept.push(text);
        }
        line.clear();
    }
    kept
}

fn failure(verb: &str, out: &[String], err: &[String]) -> anyhow::Error {
    let said = if err.is_empty() { out } else { err };
    let last = said[said.len().saturating_sub(REPEATED)..].join("; ");
    let advice = if last.contains("immutable") {
        ". The repository's tags are immutable: push another tag, or make the repository's tags mutable"
    } else if last.contains("docker daemon") || last.contains("docker API") {
        ". Without an engine, build the image as an archive or OCI layout and set imageSource to archive or ociLayout"
    } else {
        ""
    };
    anyhow!("docker {verb} failed: {last}{advice}")
}

/// `latest: digest: sha256:… size: 528` of push, `Digest: sha256:…` of pull; podman says neither.
fn digest_in(lines: &[String]) -> Option<Digest> {
    let lines = lines.iter().rev().filter(|line| line.to_ascii_lowercase().contains("digest:"));
    lines.flat_map(|line| line.split_whitespace()).find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_found_in_dockers_words() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for line in [format!("1.0: digest: {digest} size: 528"), format!("Digest: {digest}")] {
            let lines = ["a1b2: Pushed".to_owned(), line, "Status: done".to_owned()];
            assert_eq!(digest_in(&lines).unwrap().as_str(), digest);
        }
        assert!(digest_in(&["digest: none".to_owned()]).is_none());
    }
}
