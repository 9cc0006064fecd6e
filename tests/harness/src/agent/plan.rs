//! What the server makes of a job before an agent gets it: tasks found, inputs checked, connections resolved.

use std::collections::HashSet;

use uuid::Uuid;

use super::step::{Action, Job, Step};
use super::variables::Variables;
use super::{Agent, TaskFolder, expand};

/// Why a job could not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The server refuses such a pipeline.
    #[error("input {input} references service connection {connection}, which could not be found")]
    UnknownConnection {
        /// The input.
        input: String,
        /// What the step says.
        connection: String,
    },
    /// No such task is installed.
    #[error("a task is missing: {0}")]
    UnknownTask(String),
    /// The task does not declare the input. The real server only warns; here a misspelt input is a broken test.
    #[error("task {task} has no input {input}")]
    UnknownInput {
        /// The task.
        task: String,
        /// The input.
        input: String,
    },
}

/// A step as the agent gets it.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) step: Step,
    /// The name for output variables.
    pub(super) name: String,
    pub(super) display_name: String,
    /// `None` for scripts.
    pub(super) task: Option<TaskFolder>,
    /// Named as in `task.json`, connections resolved to GUIDs, other macros not expanded.
    pub(super) inputs: Vec<(String, String)>,
    /// Set by this step, kept for its post-job half.
    pub(super) task_variables: Variables,
}

impl Planned {
    /// Whether it has something to do after the job.
    pub(super) fn has_post_job(&self) -> bool {
        self.task.as_ref().is_some_and(|task| task.post_job_program().is_some())
    }

    /// The connections that these values of its inputs reference.
    pub(super) fn references(&self, inputs: &[(String, String)]) -> HashSet<Uuid> {
        let Some(task) = &self.task else { return HashSet::new() };
        let connections =
            inputs.iter().filter(|(name, _)| task.input(name).is_some_and(|input| input.is_connection()));
        connections
            .flat_map(|(_, value)| value.split(','))
            .filter_map(|id| Uuid::parse_str(id.trim()).ok())
            .collect()
    }
}

/// The connections that any step references: the server sends no others, and gives tokens for no others.
pub(super) fn referenced(planned: &[Planned]) -> HashSet<Uuid> {
    planned.iter().flat_map(|planned| planned.references(&planned.inputs)).collect()
}

pub(super) fn plan(agent: &Agent, job: &Job) -> Result<Vec<Planned>, JobError> {
    let mut variables = Variables::default();
    job.variables.iter().for_each(|variable| variables.set(variable.clone()));
    let variables = expand::variables(&variables);
    let numbered = job.steps.iter().enumerate();
    numbered.map(|(index, step)| plan_step(agent, index + 1, step, &variables)).collect()
}

fn plan_step(agent: &Agent, number: usize, step: &Step, variables: &Variables) -> Result<Planned, JobError> {
    let (task, inputs) = match &step.action {
        Action::Script { .. } => (None, Vec::new()),
        Action::Task { reference, inputs } => {
            let mut tasks = agent.tasks.iter();
            let task = tasks.find(|task| task.answers_to(reference));
            let task = task.ok_or_else(|| JobError::UnknownTask(reference.clone()))?;
            (Some(task.clone()), plan_inputs(agent, task, inputs, variables)?)
        }
    };
    let kind = task.as_ref().map_or("CmdLine", TaskFolder::name);
    let name = step.name.clone().unwrap_or_else(|| format!("{kind}{number}"));
    let display_name = step.display_name.clone().unwrap_or_else(|| name.clone());
    Ok(Planned { step: step.clone(), name, display_name, task, inputs, task_variables: Variables::default() })
}

/// Defaults first, then what the step gives, trimmed; a connection's name becomes its GUID.
fn plan_inputs(
    agent: &Agent,
    task: &TaskFolder,
    given: &[(String, String)],
    variables: &Variables,
) -> Result<Vec<(String, String)>, JobError> {
    let declared = task.inputs().iter();
    let mut inputs: Vec<(String, String)> =
        declared.map(|input| (input.name.clone(), input.default_text().trim().to_owned())).collect();
    for (key, value) in given {
        let unknown = || JobError::UnknownInput { task: task.name().to_owned(), input: key.clone() };
        let input = task.input(key).ok_or_else(unknown)?;
        let mut value = value.trim().to_owned();
        if input.is_connection() && !value.is_empty() {
            let name = expand::once(&value, |name| variables.value(name).map(str::to_owned));
            let unknown = || JobError::UnknownConnection { input: key.clone(), connection: name.clone() };
            value = agent.azure_devops.find_connection(&name).ok_or_else(unknown)?.id.to_string();
        }
        if let Some(slot) = inputs.iter_mut().find(|(name, _)| *name == input.name) {
            slot.1 = value;
        }
    }
    Ok(inputs)
}
