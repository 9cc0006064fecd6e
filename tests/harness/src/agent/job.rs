use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::apply::{Running, Shared};
use super::launch::Launch;
use super::plan::{JobError, Planned, plan, referenced};
use super::process::{Ended, Program};
use super::step::{Action, Job};
use super::variables::Variable;
use super::{Connection, Host, JobResult, Outcome, StepResult, TaskFolder, Usage, expand, orphans, system};
use crate::azure_devops::{AzureDevOps, JobTicket, RegisteredConnection};

/// An agent with its installed tasks, for one organization.
#[derive(Debug)]
pub struct Agent {
    /// The organization that it works for.
    pub azure_devops: AzureDevOps,
    /// The installed tasks.
    pub tasks: Vec<TaskFolder>,
    /// The service connections of the project.
    pub connections: Vec<Connection>,
    /// The environment that every step inherits, beside `PATH`, `HOME` and the like.
    pub machine: Vec<(String, String)>,
    /// Whether the server sends `System.OidcRequestUri`; older ones do not.
    pub sends_oidc_request_uri: bool,
    /// What its jobs belong to.
    pub host: Host,
    /// The user that steps run as, if not this one: `None`, or set by [`Agent::run_as`].
    pub(super) user: Option<u32>,
    folder: Arc<TempDir>,
}

impl Agent {
    /// An agent without tasks and connections, in a folder of its own.
    #[must_use]
    pub fn new(azure_devops: AzureDevOps) -> Self {
        let folder = Arc::new(TempDir::with_prefix("causeway-agent-").expect("a folder for the agent"));
        for below in ["_work/_temp", "_work/_tool", "_work/1/s", "_work/1/a", "_work/1/b", "home", "agent"] {
            std::fs::create_dir_all(folder.path().join(below)).expect("the agent's folders");
        }
        Self {
            azure_devops,
            tasks: Vec::new(),
            connections: Vec::new(),
            machine: Vec::new(),
            sends_oidc_request_uri: true,
            host: Host::Build,
            user: None,
            folder,
        }
    }

    /// Adds a service connection, and makes it known to the organization.
    pub fn add_connection(&mut self, connection: Connection) {
        let (id, name, kind) = (connection.id, connection.name.clone(), connection.kind.clone());
        self.azure_devops.register(RegisteredConnection { id, name, kind });
        self.connections.push(connection);
    }

    /// The folder above all of its folders.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// `Build.SourcesDirectory`.
    #[must_use]
    pub fn sources(&self) -> PathBuf {
        self.root().join("_work/1/s")
    }

    /// `Agent.TempDirectory`.
    #[must_use]
    pub fn temp(&self) -> PathBuf {
        self.root().join("_work/_temp")
    }

    /// Lets steps run as another user, who may write in the work folder and nowhere else: not in the home folder, not in
    /// the task's. Only root can; `false` when this is not root, and nothing is changed but the rights.
    ///
    /// # Panics
    /// When the rights cannot be changed.
    pub fn run_as(&mut self, user: u32) -> bool {
        let is_root = rustix::process::geteuid().is_root();
        self.user = is_root.then_some(user);
        let mut readable = vec![self.root().to_owned(), self.root().join("home")];
        readable.extend(self.tasks.iter().map(|task| task.path.clone()));
        for folder in readable {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o555);
            std::fs::set_permissions(folder, mode).expect("the folder's mode");
        }
        self.give_away(&self.root().join("_work"));
        is_root
    }

    /// Makes the steps' user the owner of a folder and of all that is in it.
    fn give_away(&self, folder: &Path) {
        let Some(user) = self.user else { return };
        std::os::unix::fs::chown(folder, Some(user), Some(user)).expect("the folder's owner");
        for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
            match entry.file_type().expect("a type") {
                kind if kind.is_dir() => self.give_away(&entry.path()),
                _ => {
                    std::os::unix::fs::lchown(entry.path(), Some(user), Some(user)).expect("the file's owner")
                }
            }
        }
    }

    /// Runs a job to its end. The temp folder is emptied before it, but not after it, so that a test can look at
    /// what the post-job steps leave.
    ///
    /// # Errors
    /// When the server or the agent would not begin such a job.
    pub fn run(&self, job: &Job) -> Result<JobResult, JobError> {
        let mut planned = plan(self, job)?;
        let mut ticket = JobTicket::new(referenced(&planned));
        ticket.hub = self.host.hub().to_owned();
        let mut shared = self.begin(job, &ticket);
        self.azure_devops.begin_job(ticket.clone());
        let mut steps = Vec::new();
        let mut outcome = Outcome::Succeeded;
        let mut before_post_job = None;
        for (index, is_post_job) in order(&planned) {
            if is_post_job && before_post_job.is_none() {
                before_post_job = Some(snapshot(&self.temp()));
            }
            shared.variables.set(Variable::public("Agent.JobStatus", &format!("{outcome:?}")));
            let run =
                Run { is_post_job, job: outcome, token: &ticket.token, watches_machine: job.watches_machine };
            let result = self.run_step(&mut planned[index], &run, &mut shared);
            if result.outcome != Outcome::Skipped {
                outcome = Outcome::merged(Some(outcome), result.outcome);
            }
            steps.push(result);
        }
        let orphans =
            orphans::end_those_of(shared.variables.value("VSTS_PROCESS_LOOKUP_ID").unwrap_or_default());
        self.azure_devops.end_job(ticket.job);
        let variables = expand::variables(&shared.variables);
        let before_post_job = before_post_job.unwrap_or_else(|| snapshot(&self.temp()));
        Ok(JobResult { outcome, steps, variables, orphans, folder: self.folder.clone(), before_post_job })
    }

    /// Empties the temp folder, sets the first variables and masks what the server marks as secret.
    fn begin(&self, job: &Job, ticket: &JobTicket) -> Shared {
        let temp = self.temp();
        std::fs::remove_dir_all(&temp)
            .and_then(|()| std::fs::create_dir(&temp))
            .expect("an empty temp folder");
        let mut shared = Shared::default();
        self.give_away(&temp);
        let system = system::variables(&self.azure_devops, ticket, self.root(), self.host);
        for variable in system.into_iter().chain(job.variables.iter().cloned()) {
            if variable.secret {
                shared.masker.add_job_secret(&variable.value);
            }
            if self.sends_oidc_request_uri || variable.name != "System.OidcRequestUri" {
                shared.variables.set(variable);
            }
        }
        for connection in self.connections.iter().filter(|known| ticket.connections.contains(&known.id)) {
            connection.parameters.iter().for_each(|(_, value)| shared.masker.add(value));
        }
        shared
    }

    fn run_step(&self, planned: &mut Planned, run: &Run<'_>, shared: &mut Shared) -> StepResult {
        let is_post_job = run.is_post_job;
        let mut result = blank(planned, is_post_job);
        let variables = expand::variables(&shared.variables);
        if !is_post_job && !planned.step.condition.holds(run.job, &variables) {
            return result;
        }
        result.outcome = Outcome::Succeeded;
        let prepended = shared.prepended.clone();
        let launch = Launch { agent: self, variables: &variables, prepended: &prepended, token: run.token };
        let program = launch.program(planned, is_post_job, run.watches_machine);
        result.inputs = launch.given(&planned.step.action);
        let fails_on_stderr = matches!(planned.step.action, Action::Script { fail_on_stderr: true, .. });
        let mut running = Running {
            shared,
            task: planned.task.as_ref(),
            task_variables: &mut planned.task_variables,
            result,
            completed: None,
            refused: false,
        };
        let attempts = if is_post_job { 1 } else { planned.step.retries + 1 };
        for _ in 0..attempts {
            attempt(&mut running, &program, fails_on_stderr);
            if running.result.outcome != Outcome::Failed {
                break;
            }
        }
        let mut result = running.result;
        if planned.task.is_none() {
            // The agent's own file; it goes when the agent cleans the temp folder.
            program.arguments.last().and_then(|script| std::fs::remove_file(script).ok());
        }
        if result.outcome == Outcome::Failed && planned.step.continue_on_error && !is_post_job {
            result.outcome = Outcome::SucceededWithIssues;
        }
        result
    }
}

/// What a step's run is part of.
struct Run<'a> {
    is_post_job: bool,
    /// How the job stands.
    job: Outcome,
    /// The job's own token.
    token: &'a str,
    watches_machine: bool,
}

/// The steps in order, and then the post-job halves in reverse, whether the step itself ran or not.
fn order(planned: &[Planned]) -> Vec<(usize, bool)> {
    let main = (0..planned.len()).map(|index| (index, false));
    let with_post_job = (0..planned.len()).rev().filter(|index| planned[*index].has_post_job());
    main.chain(with_post_job.map(|index| (index, true))).collect()
}

/// Runs the process once and judges it: what `task.complete` says, made worse by the exit code.
fn attempt(running: &mut Running, program: &Program, fails_on_stderr: bool) {
    (running.completed, running.refused) = (None, false);
    let ended = program.run(&mut |line| running.take(line));
    let mut outcome = running.completed;
    if ended.canceled {
        running.issue(true, "The operation was canceled.".into());
        outcome = Some(Outcome::Canceled);
    } else if let Some(reason) = failure(&ended, &program.program.to_string_lossy()) {
        running.issue(true, reason);
        outcome = Some(Outcome::merged(outcome, Outcome::Failed));
    }
    let wrote_to_stderr = running.result.lines.iter().any(|line| line.stream == super::Stream::Err);
    if running.refused || (fails_on_stderr && wrote_to_stderr) {
        outcome = Some(Outcome::merged(outcome, Outcome::Failed));
    }
    let result = &mut running.result;
    result.outcome = outcome.unwrap_or(Outcome::Succeeded);
    (result.exit_code, result.signal, result.usage) = (ended.code, ended.signal, ended.usage);
    result.struck |= ended.struck;
    for seen in ended.seen {
        if !seen.is_stranger && !result.command_lines.contains(&seen.arguments) {
            result.command_lines.push(seen.arguments.clone());
        }
        result.processes.push(seen);
    }
}

/// What the agent says of a process that did not end well.
fn failure(ended: &Ended, program: &str) -> Option<String> {
    match (ended.timed_out, ended.code, ended.signal) {
        (true, ..) => Some("The task has timed out.".into()),
        (false, Some(0), _) => None,
        (false, Some(code), _) => Some(format!("The process '{program}' failed with exit code {code}")),
        (false, None, signal) => {
            Some(format!("The process '{program}' ended by signal {}", signal.unwrap_or(0)))
        }
    }
}

/// A copy of the temp folder, modes kept, outside of the job's own folders.
fn snapshot(temp: &Path) -> Arc<TempDir> {
    let copy = TempDir::with_prefix("causeway-before-post-job-").expect("a folder for the copy");
    copy_below(temp, copy.path()).expect("a copy of the temp folder");
    Arc::new(copy)
}

fn copy_below(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()? {
            kind if kind.is_dir() => {
                std::fs::create_dir(&target)?;
                copy_below(&entry.path(), &target)?;
            }
            kind if kind.is_file() => drop(std::fs::copy(entry.path(), target)?),
            _ => {}
        }
    }
    Ok(())
}

fn blank(planned: &Planned, is_post_job: bool) -> StepResult {
    let prefix = if is_post_job { "Post-job: " } else { "" };
    StepResult {
        name: planned.name.clone(),
        display_name: format!("{prefix}{}", planned.display_name),
        is_task: planned.task.is_some(),
        inputs: Vec::new(),
        is_post_job,
        outcome: Outcome::Skipped,
        exit_code: None,
        signal: None,
        struck: false,
        lines: Vec::new(),
        log: String::new(),
        issues: Vec::new(),
        commands: Vec::new(),
        summaries: Vec::new(),
        progress: None,
        command_lines: Vec::new(),
        processes: Vec::new(),
        usage: Usage::default(),
    }
}
