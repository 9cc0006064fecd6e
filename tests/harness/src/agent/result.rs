use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Command, Line, Outcome, Seen, Stream, Usage, Variables};

/// What `task.logissue` or the agent itself reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Whether it is an error; else a warning.
    pub is_error: bool,
    /// The message, unescaped and not masked.
    pub message: String,
}

/// How one step went.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// The name for output variables; the agent makes one up where the pipeline gives none.
    pub name: String,
    /// What the log calls it.
    pub display_name: String,
    /// Whether it is a task; else a script.
    pub is_task: bool,
    /// The inputs that the pipeline gives a task, macros expanded.
    pub inputs: Vec<(String, String)>,
    /// Whether it is the post-job half of a task.
    pub is_post_job: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The exit code of the last run; `None` when it was skipped or ended by a signal.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether a signal of [`Cancel`](super::Cancel) was sent while it ran.
    pub struck: bool,
    /// All that it wrote, not masked.
    pub lines: Vec<Line>,
    /// Its masked part of the log.
    pub log: String,
    /// Errors and warnings, in order.
    pub issues: Vec<Issue>,
    /// The logging commands that were found, in order.
    pub commands: Vec<Command>,
    /// The Markdown that it uploaded as summaries.
    pub summaries: Vec<String>,
    /// The last progress in percent.
    pub progress: Option<u8>,
    /// The command lines of its processes, as far as they were seen.
    pub command_lines: Vec<Vec<String>>,
    /// Its processes, and with [`Job::watches_machine`](super::Job::watches_machine) all others.
    pub processes: Vec<Seen>,
    /// What its processes took.
    pub usage: Usage,
}

impl StepResult {
    /// Standard output, not masked.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.written(Stream::Out)
    }

    /// Standard error, not masked.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.written(Stream::Err)
    }

    /// The messages of its errors.
    #[must_use]
    pub fn errors(&self) -> Vec<&str> {
        self.messages(true)
    }

    /// The messages of its warnings.
    #[must_use]
    pub fn warnings(&self) -> Vec<&str> {
        self.messages(false)
    }

    /// What it set a variable to, last.
    #[must_use]
    pub fn sets(&self, name: &str) -> Option<&str> {
        let mut commands = self.commands.iter().rev();
        let set = commands
            .find(|command| command.is("task", "setvariable") && command.property("variable") == Some(name));
        set.map(|command| command.data.as_str())
    }

    fn written(&self, stream: Stream) -> String {
        let lines = self.lines.iter().filter(|line| line.stream == stream);
        lines.map(|line| format!("{}\n", line.text)).collect()
    }

    fn messages(&self, errors: bool) -> Vec<&str> {
        let issues = self.issues.iter().filter(|issue| issue.is_error == errors);
        issues.map(|issue| issue.message.as_str()).collect()
    }
}

/// How a job went. Its folders live as long as this value and the agent's.
#[derive(Debug, Clone)]
pub struct JobResult {
    /// How it ended.
    pub outcome: Outcome,
    /// Its steps in the order in which they ran, post-job steps last.
    pub steps: Vec<StepResult>,
    /// The variables at the end, macros expanded.
    pub variables: Variables,
    /// The processes that it left running and the agent ended.
    pub orphans: Vec<String>,
    pub(super) folder: Arc<TempDir>,
    pub(super) before_post_job: Arc<TempDir>,
}

impl JobResult {
    /// A step by its name or display name; `post:` before it means its post-job half.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn step(&self, name: &str) -> &StepResult {
        let (name, post_job) = name.strip_prefix("post:").map_or((name, false), |name| (name, true));
        let mut steps = self.steps.iter().filter(|step| step.is_post_job == post_job);
        steps
            .find(|step| step.name == name || step.display_name == name)
            .unwrap_or_else(|| panic!("no step {name} in this job"))
    }

    /// The first step: the only one where a test runs a single command.
    ///
    /// # Panics
    /// When the job had no steps.
    #[must_use]
    pub fn first(&self) -> &StepResult {
        self.steps.first().expect("a step")
    }

    /// The whole masked log.
    #[must_use]
    pub fn log(&self) -> String {
        self.steps.iter().map(|step| step.log.as_str()).collect()
    }

    /// A variable's value, secret or not. Output variables are `step.name`.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.value(name)
    }

    /// Whether a variable is there and secret.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|variable| variable.secret)
    }

    /// The folder above all of the job's folders, as post-job left it.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// `Agent.TempDirectory`.
    #[must_use]
    pub fn temp(&self) -> PathBuf {
        self.root().join("_work/_temp")
    }

    /// A file below `Agent.TempDirectory` as it was before the post-job steps: the place of its copy.
    ///
    /// # Panics
    /// When the path is not below the temp folder.
    #[must_use]
    pub fn before_post_job(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        let below = path.strip_prefix(self.temp());
        let below =
            below.unwrap_or_else(|_| panic!("{} is not below {}", path.display(), self.temp().display()));
        self.before_post_job.path().join(below)
    }

    /// `Build.SourcesDirectory`.
    #[must_use]
    pub fn sources(&self) -> PathBuf {
        self.root().join("_work/1/s")
    }

    /// The home folder that the steps saw.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }
}
