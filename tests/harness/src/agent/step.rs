use std::time::Duration;

use super::Outcome;
use super::variables::{Variable, Variables};
use crate::expression::{Context, Expression, Status};

/// A job: its variables and its steps.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// What the pipeline sets.
    pub variables: Vec<Variable>,
    /// What it does, in order.
    pub steps: Vec<Step>,
    /// Whether the environments and command lines of all other processes are looked at too, for the search for secrets.
    pub watches_machine: bool,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// `name:`, by which output variables are reached.
    pub name: Option<String>,
    /// `displayName:`.
    pub display_name: Option<String>,
    /// `condition:`.
    pub condition: Condition,
    /// `continueOnError:`.
    pub continue_on_error: bool,
    /// `env:`.
    pub env: Vec<(String, String)>,
    /// `retryCountOnTaskFailure:`.
    pub retries: u32,
    /// Ends a step that hangs, and fails it.
    pub timeout: Duration,
    /// Cancels the job while this step runs: SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL.
    pub cancel: Option<Cancel>,
    /// What it runs.
    pub action: Action,
}

/// When a job is cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancel {
    /// So long after the step began.
    After(Duration),
    /// As soon as the step writes a line with this in it.
    At(String),
    /// Not the agent: somebody sends SIGTERM to the step's process so long after it began.
    Terminated(Duration),
    /// Not the agent: everything of the step is ended by SIGKILL so long after it began, as by a machine without memory.
    Killed(Duration),
}

/// What a step runs.
#[derive(Debug, Clone)]
pub enum Action {
    /// `task:` with its `inputs:`.
    Task {
        /// Name and major version, such as `Causeway@1`.
        reference: String,
        /// The inputs that the step gives, with macros.
        inputs: Vec<(String, String)>,
    },
    /// `script:` or `bash:`, run by bash.
    Script {
        /// The script, with macros.
        text: String,
        /// `workingDirectory:`; the sources by default.
        working_directory: Option<String>,
        /// `failOnStderr:`.
        fail_on_stderr: bool,
    },
}

/// A step's `condition:`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `succeeded()`, the default.
    Succeeded,
    /// `failed()`.
    Failed,
    /// `succeededOrFailed()`.
    SucceededOrFailed,
    /// `always()`.
    Always,
    /// Any other expression; it stands in the place of `succeeded()`.
    When(Expression),
}

impl Condition {
    /// Reads one.
    ///
    /// # Errors
    /// What in it is not known here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let short: String = text.to_lowercase().split_whitespace().collect();
        Ok(match short.as_str() {
            "" | "succeeded()" => Self::Succeeded,
            "failed()" => Self::Failed,
            "succeededorfailed()" => Self::SucceededOrFailed,
            "always()" | "true" => Self::Always,
            _ => Self::When(Expression::parse(text)?),
        })
    }

    pub(super) fn holds(&self, job: Outcome, variables: &Variables) -> bool {
        let stand = Stand { job, variables };
        match self {
            Self::Succeeded => stand.is(Status::Succeeded),
            Self::Failed => stand.is(Status::Failed),
            Self::SucceededOrFailed => stand.is(Status::SucceededOrFailed),
            Self::Always => true,
            Self::When(expression) => expression.holds(&stand).unwrap_or_else(|error| panic!("condition: {error}")),
        }
    }
}

/// What a step's condition can ask for.
struct Stand<'a> {
    job: Outcome,
    variables: &'a Variables,
}

impl Stand<'_> {
    fn is(&self, status: Status) -> bool {
        let succeeded = matches!(self.job, Outcome::Succeeded | Outcome::SucceededWithIssues);
        match status {
            Status::Succeeded => succeeded,
            Status::Failed => self.job == Outcome::Failed,
            Status::SucceededOrFailed => succeeded || self.job == Outcome::Failed,
            Status::Always => true,
            Status::Canceled => self.job == Outcome::Canceled,
        }
    }
}

impl Context for Stand<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.value(name).map(str::to_owned)
    }

    fn dependency(&self, path: &[String]) -> Result<Option<String>, String> {
        Err(format!("a step knows no {}: map it to a variable of the job", path.join(".")))
    }

    fn status(&self, function: Status, of: &[String]) -> Result<bool, String> {
        if of.is_empty() { Ok(self.is(function)) } else { Err("a step's condition names no jobs".to_owned()) }
    }
}

impl Step {
    /// A task step.
    #[must_use]
    pub fn task(reference: &str, inputs: &[(&str, &str)]) -> Self {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::of(Action::Task { reference: reference.to_owned(), inputs })
    }

    /// A script step.
    #[must_use]
    pub fn script(text: &str) -> Self {
        Self::of(Action::Script { text: text.to_owned(), working_directory: None, fail_on_stderr: false })
    }

    /// The same with a name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The same under a condition.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = condition;
        self
    }

    /// The same with an environment variable.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, but the job is cancelled while it runs.
    #[must_use]
    pub fn cancelled(mut self, cancel: Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    fn of(action: Action) -> Self {
        Self {
            name: None,
            display_name: None,
            condition: Condition::Succeeded,
            continue_on_error: false,
            env: Vec::new(),
            retries: 0,
            timeout: Duration::from_secs(120),
            cancel: None,
            action,
        }
    }
}
