use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use causeway_registry::{DockerConfig, RegistryLogin, remove_logins};

use crate::files;
use crate::state::{DockerLogin, State};
use crate::step::Step;

/// Logins where the tools look for them: a folder for docker, a file for podman, skopeo and buildah.
pub(crate) struct LoginFiles {
    docker: (PathBuf, DockerConfig),
    containers: (PathBuf, DockerConfig),
}

impl LoginFiles {
    /// Begins with copies of what the tools use now. Nothing is written.
    pub(crate) fn prepare(step: &Step, temp: &Path, logins: &[RegistryLogin]) -> Result<Self> {
        let folder = docker_folder(step);
        let mut docker = match &folder {
            Some(folder) => DockerConfig::copy_of(folder).context("the docker configuration in use")?,
            None => DockerConfig::empty(),
        };
        let file = containers_file(step).or_else(|| Some(folder?.join("config.json")));
        let mut containers = DockerConfig::containers_copy_of(&file.unwrap_or_default())
            .context("the logins of podman and skopeo in use")?;
        for login in logins {
            docker.add_login(login);
            containers.add_login(login);
        }
        let fresh = || files::fresh_path(temp, "");
        Ok(Self { docker: (fresh(), docker), containers: (fresh(), containers) })
    }

    /// `DOCKER_CONFIG`.
    pub(crate) fn docker_folder(&self) -> &Path {
        &self.docker.0
    }

    /// `REGISTRY_AUTH_FILE`.
    pub(crate) fn containers_file(&self) -> PathBuf {
        self.containers.0.join("auth.json")
    }

    /// Tells the post-job step what there will be to take back.
    pub(crate) fn announce(&self, step: &Step) -> Result<()> {
        let mut state = State::load(step)?;
        for (folder, config) in [&self.docker, &self.containers] {
            state.docker_logins.push(DockerLogin { folder: folder.clone(), receipt: config.receipt() });
        }
        state.save(step)
    }

    /// Writes both.
    pub(crate) fn write(&self) -> Result<()> {
        for (folder, config) in [&self.docker, &self.containers] {
            config.save(folder)?;
        }
        Ok(())
    }

    /// Takes both back within the step that wrote them.
    pub(crate) fn remove(&self) -> Result<()> {
        for (folder, config) in [&self.docker, &self.containers] {
            remove_logins(folder, &config.receipt())?;
        }
        Ok(())
    }
}

/// The configuration that docker would use now: `DOCKER_CONFIG`, else `.docker` in the home folder.
fn docker_folder(step: &Step) -> Option<PathBuf> {
    let environment = step.environment();
    let home = || environment.get("HOME").or_else(|| environment.get("USERPROFILE"));
    environment
        .get("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(home()?).join(".docker")))
}

/// The file that podman and its kin would use now, where it is not docker's (containers-auth.json(5)).
fn containers_file(step: &Step) -> Option<PathBuf> {
    let environment = step.environment();
    let of_run = || Some(PathBuf::from(environment.get("XDG_RUNTIME_DIR")?).join("containers/auth.json"));
    environment.get("REGISTRY_AUTH_FILE").map(PathBuf::from).or_else(of_run).filter(|file| file.is_file())
}
