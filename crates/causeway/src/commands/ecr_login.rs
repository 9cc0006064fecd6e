use std::path::PathBuf;

use anyhow::Result;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::ecr::{LoginFiles, Target};
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "ecrLogin";

/// Logs docker and its kin in to registries, in configuration files of this job.
struct EcrLogin {
    target: Target,
    /// Whether the post-job step takes the logins back.
    logout: bool,
    /// Where the configuration files go.
    temp: PathBuf,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    Ok(Box::new(EcrLogin {
        target: Target::read(step)?,
        logout: step.inputs().flag("logout", true)?,
        temp: step.temp_directory()?,
    }))
}

#[async_trait]
impl Command for EcrLogin {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        let logins = self.target.log_in(signed_in, console).await?;
        let files = LoginFiles::prepare(step, &self.temp, &logins)?;
        if self.logout {
            files.announce(step)?;
        }
        files.write()?;
        let docker = files.docker_folder().display().to_string();
        console.set_variable("DOCKER_CONFIG", &docker);
        console.set_variable("REGISTRY_AUTH_FILE", &files.containers_file().display().to_string());
        if let Some(first) = logins.first() {
            console.set_output("registry", first.host.as_str());
        }
        for login in &logins {
            step.summary().fact("Logged in to", login.host.as_str());
        }
        let hosts: Vec<&str> = logins.iter().map(|login| login.host.as_str()).collect();
        console.info(&format!(
            "Logged in to {}; later steps of this job have DOCKER_CONFIG={docker} and REGISTRY_AUTH_FILE",
            hosts.join(", ")
        ));
        if step.environment().get("DOCKER_AUTH_CONFIG").is_some() {
            console.warning(
                "DOCKER_AUTH_CONFIG is set: docker takes logins from it before it looks at this one. Unset it for steps that use this login.",
            );
        }
        Ok(())
    }
}
