//! How a step becomes a process: program, environment, folder.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use uuid::Uuid;

use super::connection::system_connection;
use super::environment::{self, Environment};
use super::plan::Planned;
use super::process::Program;
use super::step::Action;
use super::variables::Variables;
use super::{Agent, TaskInput, expand};

/// Everything that a launch needs beside the step.
pub(super) struct Launch<'a> {
    pub(super) agent: &'a Agent,
    pub(super) variables: &'a Variables,
    pub(super) prepended: &'a [String],
    /// The job's own token.
    pub(super) token: &'a str,
}

impl Launch<'_> {
    /// The program of a step, or of its post-job half.
    pub(super) fn program(&self, planned: &Planned, is_post_job: bool, watches_machine: bool) -> Program {
        let machine = machine(self.agent);
        let expanded = |text: &str| expand::with(text, self.variables, &machine);
        let env =
            planned.step.env.iter().map(|(name, value)| (name.trim().to_owned(), expanded(value.trim())));
        let mut environment = environment::begin(&machine, env.collect(), self.variables);
        let (program, arguments, directory) = match &planned.step.action {
            Action::Task { .. } => {
                self.add_task_environment(&mut environment, planned, &machine);
                (node(), vec![program_of(planned, is_post_job).into_os_string()], self.agent.sources())
            }
            Action::Script { text, working_directory, .. } => {
                let url = self.agent.azure_devops.collection_url();
                environment.insert("ENDPOINT_URL_SYSTEMVSSCONNECTION".into(), url);
                let file = self.agent.temp().join(format!("{}.sh", Uuid::new_v4()));
                // With a full disk the script still runs: it is the steps of the task that are looked at.
                let written = std::fs::write(&file, expanded(text));
                let folder = working_directory.as_deref().map(expanded).unwrap_or_default();
                let mut arguments: Vec<OsString> = vec!["--noprofile".into(), "--norc".into()];
                match written {
                    Ok(()) => arguments.push(file.into_os_string()),
                    Err(_) => {
                        let _ = std::fs::remove_file(&file);
                        arguments.extend(["-c".into(), expanded(text).into()]);
                    }
                }
                ("bash".into(), arguments, self.agent.sources().join(folder))
            }
        };
        environment::prepend_path(&mut environment, self.prepended);
        let cancel = planned.step.cancel.clone().filter(|_| !is_post_job);
        let timeout = planned.step.timeout;
        let user = self.agent.user;
        Program { program, arguments, environment, directory, timeout, cancel, user, watches_machine }
    }

    /// The inputs that the pipeline gives a task.
    pub(super) fn given(&self, action: &Action) -> Vec<(String, String)> {
        let Action::Task { inputs, .. } = action else { return Vec::new() };
        let machine = machine(self.agent);
        let expanded = |value: &String| expand::with(value, self.variables, &machine);
        inputs.iter().map(|(name, value)| (name.clone(), expanded(value))).collect()
    }

    /// Secrets, inputs, connections and task variables, which only tasks get.
    fn add_task_environment(&self, environment: &mut Environment, planned: &Planned, machine: &Environment) {
        environment::add_secrets(environment, self.variables);
        let mut inputs = planned.inputs.clone();
        for (name, value) in &mut inputs {
            *value = expand::with(value, self.variables, machine);
            if planned.task.as_ref().and_then(|task| task.input(name)).is_some_and(TaskInput::is_path) {
                *value = rooted(&self.agent.sources(), value);
            }
        }
        environment::add_inputs(environment, &inputs);
        let referenced = planned.references(&inputs);
        for connection in self.agent.connections.iter().filter(|known| referenced.contains(&known.id)) {
            environment.extend(connection.environment());
        }
        let url = self.agent.azure_devops.collection_url();
        environment.extend(system_connection(&url, self.token));
        environment::add_task_variables(environment, &planned.task_variables);
    }
}

/// What every process starts with: nothing of this machine but `PATH`.
fn machine(agent: &Agent) -> Environment {
    let mut environment = Environment::from([
        ("PATH".into(), std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into())),
        ("HOME".into(), agent.root().join("home").display().to_string()),
        ("USER".into(), "azure".into()),
        ("LANG".into(), "C.UTF-8".into()),
    ]);
    environment.extend(agent.machine.iter().cloned());
    environment
}

/// `CAUSEWAY_NODE`, or the one on `PATH`.
fn node() -> OsString {
    std::env::var_os("CAUSEWAY_NODE").unwrap_or_else(|| "node".into())
}

fn program_of(planned: &Planned, is_post_job: bool) -> PathBuf {
    let task = planned.task.as_ref().expect("a planned task");
    task.post_job_program().filter(|_| is_post_job).unwrap_or_else(|| task.main_program())
}

/// A `filePath` input below the sources, without `.` and `..`. An empty one becomes the sources folder itself
/// (`BuildJobExtension.GetRootedPath`).
fn rooted(sources: &Path, value: &str) -> String {
    let mut path = PathBuf::new();
    for part in sources.join(value).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                path.pop();
            }
            other => path.push(other),
        }
    }
    let slash = if value.ends_with('/') && path.parent().is_some() { "/" } else { "" };
    format!("{}{slash}", path.display())
}
