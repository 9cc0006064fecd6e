use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use causeway_agent::{InputError, Inputs};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::Command;
use super::run_program::Work;
use crate::child::{SHELLS, Shell, WIND_DOWN, split_words};
use crate::files;
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "script";

/// Runs a script of the user's with the step's credentials in its environment.
struct Script(Work);

#[derive(Clone, Copy)]
enum Source {
    FilePath,
    Inline,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    let source =
        inputs.choice("scriptType", &[("filePath", Source::FilePath), ("inline", Source::Inline)])?;
    let shell = inputs.choice("shell", &SHELLS)?.flatten();
    let arguments = split(&inputs, "arguments")?;
    let (file, shell, text) = match source.unwrap_or(Source::FilePath) {
        Source::FilePath => {
            let file = script_file(&inputs)?;
            let shell = shell.unwrap_or_else(|| Shell::for_file(&file));
            (file, shell, None)
        }
        Source::Inline => {
            let text = inputs.verbatim("inlineScript").filter(|text| !text.trim().is_empty());
            let text =
                text.ok_or(InputError::Missing { name: "inlineScript", context: " with scriptType inline" })?;
            let shell = shell.unwrap_or_else(Shell::for_text);
            let file = files::fresh_path(&step.temp_directory()?, shell.ending());
            (file, shell, Some(SecretString::from(shell.file_text(text))))
        }
    };
    let mut program = shell.program(&file, &arguments).context("input shell")?;
    program.folder = folder(&inputs, text.is_none().then_some(file.as_path()))?;
    program.fail_on_standard_error = inputs.flag("failOnStandardError", false)?;
    let script = text.map(|text| (file, text));
    Ok(Box::new(Script(Work { program, script, refresh: inputs.flag("refresh", false)? })))
}

/// An empty input of this type reaches a task as the folder of the sources.
fn script_file(inputs: &Inputs<'_>) -> Result<PathBuf> {
    let given = inputs.required_with("filePath", " with scriptType filePath")?;
    let file = PathBuf::from(given);
    if file.is_dir() {
        bail!(InputError::invalid("filePath", given, "this is a folder; give the file of the script"));
    }
    if !file.is_file() {
        bail!(InputError::invalid("filePath", given, "there is no such file"));
    }
    Ok(file)
}

/// The words of an input.
pub(super) fn split(inputs: &Inputs<'_>, name: &'static str) -> Result<Vec<String>> {
    let text = inputs.text(name).unwrap_or_default();
    let unclosed = || InputError::invalid(name, text, "a quotation mark is not closed");
    Ok(split_words(text).ok_or_else(unclosed)?)
}

/// `workingDirectory` where it is given; else the script file's own folder, unless `disableAutoCwd` says no.
pub(super) fn folder(inputs: &Inputs<'_>, script: Option<&Path>) -> Result<Option<PathBuf>> {
    let disabled = script.is_some() && inputs.flag("disableAutoCwd", false)?;
    if let Some(given) = inputs.text("workingDirectory") {
        let folder = PathBuf::from(given);
        if !folder.is_dir() {
            bail!(InputError::invalid("workingDirectory", given, "there is no such folder"));
        }
        return Ok(Some(folder));
    }
    let beside = script.and_then(Path::parent).filter(|folder| !disabled && !folder.as_os_str().is_empty());
    Ok(beside.map(Path::to_owned))
}

#[async_trait]
impl Command for Script {
    fn name(&self) -> &'static str {
        NAME
    }

    fn winds_down(&self) -> bool {
        true
    }

    fn wind_down_time(&self) -> Duration {
        WIND_DOWN
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, cancel: &CancellationToken) -> Result<()> {
        self.0.run(step, signed_in, cancel).await
    }
}
