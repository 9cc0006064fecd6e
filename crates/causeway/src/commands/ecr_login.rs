use std::path::PathBuf;

use anyhow::{Context, Result};
use async_trait::async_trait;
use causeway_registry::{DockerConfig, authorize};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::files;
use crate::state::{DockerLogin, State};
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "ecrLogin";

/// Logs docker and its kin in to the account's own registry, in a configuration folder of this job.
struct EcrLogin {
    /// Whether the post-job step takes the login back.
    logout: bool,
    /// Where the new configuration folder goes.
    temp: PathBuf,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    Ok(Box::new(EcrLogin { logout: step.inputs().flag("logout", true)?, temp: step.temp_directory()? }))
}

#[async_trait]
impl Command for EcrLogin {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        let login = authorize(&signed_in.config).await?;
        console.mask(&login.password);
        console.mask(&login.basic);

        let mut config = match users_docker_folder(step) {
            Some(folder) => DockerConfig::copy_of(&folder).context("the docker configuration in use")?,
            None => DockerConfig::empty(),
        };
        config.add_login(&login);
        let folder = files::fresh_path(&self.temp, "");
        let receipt = config.save(&folder)?;
        if self.logout {
            let mut state = State::load(step)?;
            state.docker_logins.push(DockerLogin { folder: folder.clone(), receipt });
            state.save(step)?;
        }
        let host = login.host.as_str();
        console.set_variable("DOCKER_CONFIG", &folder.display().to_string());
        console.set_output("registry", host);
        step.summary().fact("Logged in to", host);
        console.info(&format!(
            "Logged in to {host}; later steps of this job have DOCKER_CONFIG={}",
            folder.display()
        ));
        Ok(())
    }
}

/// The configuration that docker would use now: `DOCKER_CONFIG`, else `.docker` in the home folder.
fn users_docker_folder(step: &Step) -> Option<PathBuf> {
    let environment = step.environment();
    let home = || environment.get("HOME").or_else(|| environment.get("USERPROFILE"));
    environment
        .get("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(home()?).join(".docker")))
}
