use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::broker;
use crate::failure;
use crate::profile::{JobFolder, ProfileName};
use crate::state::State;
use crate::step::Step;

/// The post-job step: removes what the main step left. A problem is a warning: the job's result stands.
pub(crate) fn run() -> ExitCode {
    let step = Step::from_agent();
    match State::load(&step) {
        Ok(state) => {
            for problem in remove(&step, &state) {
                step.console().warning(&failure::describe(&problem));
            }
        }
        Err(error) => step.console().warning(&failure::describe(&error)),
    }
    if step.console().is_broken() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Removes everything, whatever fails on the way.
fn remove(step: &Step, state: &State) -> Vec<anyhow::Error> {
    let logins = state.docker_logins.iter().map(|login| {
        within_temp(step, &login.folder)?;
        causeway_registry::remove_logins(&login.folder, &login.receipt)?;
        step.console()
            .info(&format!("Logged out of {}", login.receipt.hosts().collect::<Vec<_>>().join(", ")));
        Ok(())
    });
    let files = state.files.iter().map(|file| {
        within_temp(step, file)?;
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} could not be removed", file.display()))
            }
            _ => Ok(()),
        }
    });
    let mut problems: Vec<anyhow::Error> = logins.chain(files).filter_map(Result::err).collect();
    problems.extend(forget_credentials(step, state).err());
    problems
}

/// What was handed to later steps: nobody gives credentials any more, and nothing leads to them.
fn forget_credentials(step: &Step, state: &State) -> Result<()> {
    for name in &state.variables {
        step.console().set_variable(name, "");
    }
    if !state.job_folder {
        return Ok(());
    }
    let folder = JobFolder::of(&step.temp_directory()?);
    let ended = state.profiles.iter().map(|name| broker::end(&folder, &ProfileName::read(name)?));
    let ended: Vec<Result<()>> = ended.collect();
    folder.remove_if_unused()?;
    ended.into_iter().collect()
}

/// The state comes through a variable that scripts of the job could set too: only the job's temp folder is touched.
fn within_temp(step: &Step, path: &Path) -> Result<()> {
    let temp = step.temp_directory()?;
    let inside = path.starts_with(&temp)
        && !path.components().any(|part| matches!(part, std::path::Component::ParentDir));
    ensure!(inside, "{} lies outside the job's temp folder and is left alone", path.display());
    Ok(())
}
