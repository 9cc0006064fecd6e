use anyhow::{Result, bail};
use causeway_agent::InputError;
use causeway_secrets::{SecretContent, flatten};
use secrecy::{ExposeSecret, SecretString};

use super::Value;
use super::given::path_input;
use super::output_file::{Format, OutputFile};
use crate::step::Step;

/// What `getParameters` and `getSecrets` do with what they read.
pub(crate) struct Settings {
    pub(crate) parse_json: bool,
    split_lists: bool,
    always_secret: bool,
    pub(super) base64: bool,
    pub(super) outputs: bool,
    pub(super) file: Option<OutputFile>,
}

impl Settings {
    /// The inputs that both commands have.
    pub(crate) fn read(step: &Step) -> Result<Self> {
        let inputs = step.inputs();
        let secret_modes = [("auto", false), ("always", true)];
        let formats = [("dotenv", Format::Dotenv), ("json", Format::Json)];
        let format = inputs.choice("outputFormat", &formats)?.unwrap_or(Format::Dotenv);
        let path = path_input(step, "outputFile");
        if let Some(path) = path.as_ref().filter(|path| path.is_dir()) {
            bail!(InputError::invalid(
                "outputFile",
                &path.display().to_string(),
                "this is a folder; give a file"
            ));
        }
        Ok(Self {
            parse_json: inputs.flag("parseJson", false)?,
            split_lists: false,
            always_secret: inputs.choice("secretMode", &secret_modes)?.unwrap_or(false),
            base64: false,
            outputs: inputs.flag("isOutput", false)?,
            file: path.map(|path| OutputFile { path, format }),
        })
    }

    /// With input `splitStringList`, which only parameters have.
    pub(crate) fn with_lists(self, step: &Step) -> Result<Self> {
        Ok(Self { split_lists: step.inputs().flag("splitStringList", false)?, ..self })
    }

    /// With input `binaryForm`, which only secrets have.
    pub(crate) fn with_binary(self, step: &Step) -> Result<Self> {
        let form = step.inputs().choice("binaryForm", &[("file", false), ("base64", true)])?;
        Ok(Self { base64: form.unwrap_or(false), ..self })
    }

    /// One value a variable: JSON and lists divided where that is wanted.
    pub(super) fn divide(&self, values: Vec<Value>) -> Vec<Value> {
        values
            .into_iter()
            .flat_map(|value| self.parts(value))
            .map(|part| Value { secret: part.secret || self.always_secret, ..part })
            .collect()
    }

    fn parts(&self, value: Value) -> Vec<Value> {
        let SecretContent::Text(text) = &value.content else {
            return vec![value];
        };
        if self.split_lists && value.list {
            let items = text.expose_secret().split(',').enumerate();
            return items
                .map(|(index, item)| {
                    let index = index.to_string();
                    part(&value, &index, &index, SecretString::from(item), value.secret)
                })
                .collect();
        }
        match flatten(text.expose_secret()).filter(|_| self.parse_json) {
            Some(leaves) => leaves
                .into_iter()
                // The words `true`, `false` and `null` hide nothing, and as masks they would blot out the log.
                .map(|leaf| part(&value, &leaf.name, &leaf.path, leaf.value, value.secret && !leaf.is_word))
                .collect(),
            None => vec![value],
        }
    }
}

/// The value at `path`, for a variable whose name ends with `key`.
fn part(whole: &Value, key: &str, path: &str, text: SecretString, secret: bool) -> Value {
    let prefix = if whole.variable.is_empty() { String::new() } else { format!("{}_", whole.variable) };
    Value {
        origin: format!("{} ({path})", whole.origin),
        variable: format!("{prefix}{key}"),
        content: SecretContent::Text(text),
        secret,
        list: false,
    }
}
