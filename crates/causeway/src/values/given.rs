use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use causeway_agent::InputError;
use secrecy::{ExposeSecret, SecretString};

use crate::step::Step;

/// A text that the user gave, and whether it stands in the pipeline's YAML for all to read.
pub(crate) struct GivenText {
    pub(crate) text: SecretString,
    pub(crate) literal: bool,
}

/// A value to store, as the user gave it.
pub(crate) enum GivenValue {
    Text(GivenText),
    /// The content of a file, byte for byte.
    File(Vec<u8>),
}

/// The value in one of two inputs: a text, or the path of a file.
pub(crate) fn read_value(step: &Step, text: &'static str, file: &'static str) -> Result<GivenValue> {
    let path = path_input(step, file);
    match (step.inputs().verbatim(text), path) {
        (Some(_), Some(_)) => bail!("give input {text} or input {file}, not both"),
        (None, None) => bail!("input {text} or input {file} is required"),
        (Some(given), None) => Ok(GivenValue::Text(GivenText {
            literal: !holds_secret(step, given),
            text: SecretString::from(given),
        })),
        (None, Some(path)) => {
            if path.is_dir() {
                bail!(InputError::invalid(
                    file,
                    &path.display().to_string(),
                    "this is a folder; give a file"
                ));
            }
            let content = std::fs::read(&path);
            content
                .map(GivenValue::File)
                .with_context(|| format!("input {file}: {} could not be read", path.display()))
        }
    }
}

impl GivenValue {
    /// The value as text.
    pub(crate) fn into_text(self, file: &'static str) -> Result<GivenText> {
        match self {
            Self::Text(text) => Ok(text),
            Self::File(bytes) => {
                let text = String::from_utf8(bytes).ok();
                let text = text.with_context(|| format!("input {file}: the file is not text in UTF-8"))?;
                Ok(GivenText { text: SecretString::from(text), literal: false })
            }
        }
    }
}

impl GivenText {
    /// Warns of a value that everybody reads who reads the pipeline.
    pub(crate) fn warn_if_literal(&self, step: &Step, input: &str) {
        if self.literal {
            step.console().warning(&format!(
                "The value in input {input} comes from no secret variable, so it can be read in the pipeline or its log. Put it into a secret variable, $(name), or into a file."
            ));
        }
    }
}

/// A `filePath` input. The agent makes an empty one the folder that it starts in (`BuildJobExtension.GetRootedPath`).
pub(super) fn path_input(step: &Step, name: &'static str) -> Option<PathBuf> {
    let path = PathBuf::from(step.inputs().text(name)?);
    let folders = ["Build.SourcesDirectory", "System.DefaultWorkingDirectory", "System.ArtifactsDirectory"];
    let is_given =
        |variable: &str| step.variables().public(variable).is_none_or(|folder| Path::new(folder) != path);
    folders.into_iter().all(is_given).then_some(path)
}

/// Whether a secret variable of the job stands in the text: the agent hands each to a task as `SECRET_<NAME>`.
fn holds_secret(step: &Step, text: &str) -> bool {
    step.environment().with_prefix("SECRET_").any(|(_, secret)| {
        let secret = SecretString::from(secret);
        !secret.expose_secret().is_empty() && text.contains(secret.expose_secret())
    })
}
