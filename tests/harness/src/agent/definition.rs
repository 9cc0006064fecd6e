use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// An installed task: its folder and what its `task.json` says.
#[derive(Debug, Clone)]
pub struct TaskFolder {
    /// Where it lies.
    pub path: PathBuf,
    definition: Definition,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    name: String,
    version: Value,
    #[serde(default)]
    inputs: Vec<TaskInput>,
    #[serde(default)]
    output_variables: Vec<OutputVariable>,
    execution: Value,
    #[serde(default, rename = "postjobexecution")]
    post_job: Value,
}

/// An input as `task.json` declares it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskInput {
    /// Its name.
    pub name: String,
    /// Its type, such as `string` or `connectedService:AWS`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Other names that YAML may use.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it is when a step does not give it.
    #[serde(default)]
    default_value: Value,
}

#[derive(Debug, Clone, Deserialize)]
struct OutputVariable {
    name: String,
}

impl TaskInput {
    /// Whether its value names a service connection.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        self.kind.to_lowercase().starts_with("connectedservice:")
    }

    /// Whether the agent makes its value an absolute path.
    pub(super) fn is_path(&self) -> bool {
        self.kind.eq_ignore_ascii_case("filePath")
    }

    pub(super) fn default_text(&self) -> String {
        match &self.default_value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}

impl TaskFolder {
    /// Reads the task in a folder.
    ///
    /// # Panics
    /// When there is no `task.json` that an agent could use.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let file = path.join("task.json");
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let definition = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Self { path: path.to_owned(), definition }
    }

    /// The task's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// Whether YAML's `name@1` means this task.
    #[must_use]
    pub fn answers_to(&self, reference: &str) -> bool {
        let (name, version) = reference.split_once('@').unwrap_or((reference, ""));
        let major = match &self.definition.version["Major"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        name.eq_ignore_ascii_case(&self.definition.name) && version.split('.').next() == Some(major.as_str())
    }

    /// The declared inputs.
    #[must_use]
    pub fn inputs(&self) -> &[TaskInput] {
        &self.definition.inputs
    }

    /// The input that a step's key means: a name or an alias, in any case.
    #[must_use]
    pub fn input(&self, key: &str) -> Option<&TaskInput> {
        let mut inputs = self.inputs().iter();
        inputs.find(|input| {
            input.name.eq_ignore_ascii_case(key)
                || input.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(key))
        })
    }

    pub(super) fn declares_output(&self, name: &str) -> bool {
        self.definition.output_variables.iter().any(|output| output.name.eq_ignore_ascii_case(name))
    }

    /// The program that node runs for the step itself.
    pub(super) fn main_program(&self) -> PathBuf {
        self.program(&self.definition.execution).expect("task.json has a Node handler under execution")
    }

    /// The program that node runs after the job.
    pub(super) fn post_job_program(&self) -> Option<PathBuf> {
        self.program(&self.definition.post_job)
    }

    /// The agent prefers the newest handler that it knows; all of ours run under the node at hand.
    fn program(&self, handlers: &Value) -> Option<PathBuf> {
        let handler =
            ["Node24", "Node20_1", "Node20", "Node16"].iter().find_map(|name| handlers.get(name))?;
        Some(self.path.join(handler["target"].as_str()?))
    }
}
