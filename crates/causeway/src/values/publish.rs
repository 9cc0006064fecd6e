use std::path::PathBuf;

use anyhow::Result;
use causeway_agent::{Console, Masked};
use causeway_secrets::SecretContent;
use secrecy::{ExposeSecret, SecretString};

use super::names::{is_an_output, is_reserved};
use super::{Settings, Value, check_names};
use crate::files;
use crate::state::State;
use crate::step::Step;

/// The longest text that Windows takes in an environment variable.
const WINDOWS_LIMIT: usize = 32_000;

/// Masks what is secret, writes the file that was asked for, and sets the variables.
pub(crate) fn publish(step: &Step, settings: &Settings, values: Vec<Value>) -> Result<()> {
    let console = step.console();
    // A JSON value is masked whole and, below, each of its values by itself.
    values.iter().filter(|value| value.secret).for_each(|value| drop(mask(console, &value.content)));
    let values = settings.divide(values);
    let masked: Vec<Option<Masked>> =
        values.iter().map(|value| value.secret.then(|| mask(console, &value.content))).collect();
    check_names(values.iter().map(|value| (value.origin.as_str(), value.variable.as_str())))?;
    warn_of_reserved(console, &values);
    let publisher = Publisher { step, settings };
    let files = publisher.files(&values)?;
    if let Some(file) = &settings.file {
        file.write(step, &values)?;
    }
    for ((value, masked), file) in values.iter().zip(masked).zip(files) {
        publisher.set(value, masked.as_ref(), file)?;
    }
    Ok(())
}

/// Bytes are masked in base64, and where they are text, line by line too.
fn mask(console: &Console, content: &SecretContent) -> Masked {
    if let (SecretContent::Binary(_), Ok(text)) = (content, String::from_utf8(content.bytes())) {
        console.mask(&SecretString::from(text));
    }
    console.mask(content.text_or_base64())
}

fn warn_of_reserved(console: &Console, values: &[Value]) {
    let names: Vec<&str> =
        values.iter().map(|value| value.variable.as_str()).filter(|name| is_reserved(name)).collect();
    if !names.is_empty() {
        console.warning(&format!(
            "Azure Pipelines keeps variables that begin with endpoint, input, secret, path or securefile from tasks and scripts: {}. Give them another name, with name=VARIABLE or a name transform.",
            names.join(", ")
        ));
    }
    let names: Vec<&str> =
        values.iter().map(|value| value.variable.as_str()).filter(|name| is_an_output(name)).collect();
    if !names.is_empty() {
        console.warning(&format!(
            "These are names of the task's own output variables, so Azure Pipelines sets them as <step>.<name> only: {}. Give them another name, with name=VARIABLE or a name transform.",
            names.join(", ")
        ));
    }
}

/// A value that no variable holds, and why.
struct AsFile {
    path: PathBuf,
    reason: &'static str,
}

struct Publisher<'a> {
    step: &'a Step,
    settings: &'a Settings,
}

impl Publisher<'_> {
    /// Where the values go that no variable can hold. The post-job step is told of all files before the first is
    /// written.
    fn files(&self, values: &[Value]) -> Result<Vec<Option<AsFile>>> {
        let reasons: Vec<Option<&'static str>> = values.iter().map(|value| self.obstacle(value)).collect();
        let users = self.settings.file.as_ref();
        if users.is_none() && reasons.iter().all(Option::is_none) {
            return Ok(reasons.iter().map(|_| None).collect());
        }
        if let Some(file) = users {
            file.check(values)?;
        }
        let folder = self.step.temp_directory()?;
        let file = |reason| AsFile { path: files::fresh_path(&folder, ".secret"), reason };
        let files: Vec<Option<AsFile>> = reasons.into_iter().map(|reason| reason.map(file)).collect();
        let mut state = State::load(self.step)?;
        state.files.extend(files.iter().flatten().map(|file| file.path.clone()));
        state.files.extend(users.filter(|file| file.path.starts_with(&folder)).map(|file| file.path.clone()));
        state.save(self.step)?;
        Ok(files)
    }

    /// Why the value cannot be in a variable, if it cannot.
    fn obstacle(&self, value: &Value) -> Option<&'static str> {
        let text = value.content.text_or_base64().expose_secret();
        match &value.content {
            SecretContent::Binary(_) if !self.settings.base64 => Some("is binary"),
            _ if text.contains('\0') => Some("holds a NUL character, which no environment can hold"),
            _ if value.secret && text.contains(['\r', '\n']) => {
                Some("has several lines, which the agent takes in no secret variable")
            }
            _ if cfg!(windows) && text.len() > WINDOWS_LIMIT => {
                Some("is longer than a variable may be on Windows")
            }
            _ => None,
        }
    }

    fn set(&self, value: &Value, masked: Option<&Masked>, file: Option<AsFile>) -> Result<()> {
        let console = self.step.console();
        let Value { origin, variable, .. } = value;
        self.step.summary().variable(origin, variable);
        if let Some(AsFile { path, reason }) = file {
            files::write_private(&path, &value.content.bytes())?;
            console.set_variable(variable, &path.display().to_string());
            console.info(&format!(
                "{origin} {reason}: it is in a file until the job ends, and variable {variable} holds the file's path"
            ));
            if self.settings.outputs {
                console.warning(&format!(
                    "{origin} {reason}, so there is no output variable {variable}: its file exists in this job only."
                ));
            }
            return Ok(());
        }
        let kind = match masked {
            Some(masked) => {
                console.set_secret_variable(variable, masked)?;
                if self.settings.outputs {
                    console.set_secret_output(variable, masked)?;
                }
                "secret variable"
            }
            None => {
                let text = value.content.text_or_base64().expose_secret();
                console.set_variable(variable, text);
                if self.settings.outputs {
                    console.set_output(variable, text);
                }
                "variable"
            }
        };
        let also = if self.settings.outputs { " (also as output)" } else { "" };
        console.info(&format!("{origin} -> {kind} {variable}{also}"));
        Ok(())
    }
}
