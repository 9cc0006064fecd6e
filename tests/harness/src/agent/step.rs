use std::time::Duration;

use super::Outcome;
use super::variables::Variable;

/// A job: its variables and its steps.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// What the pipeline sets.
    pub variables: Vec<Variable>,
    /// What it does, in order.
    pub steps: Vec<Step>,
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

/// The conditions that need nothing but how the job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `succeeded()`, the default.
    Succeeded,
    /// `failed()`.
    Failed,
    /// `succeededOrFailed()`.
    SucceededOrFailed,
    /// `always()`.
    Always,
}

impl Condition {
    /// Reads one; `None` for expressions that are not known here.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.to_lowercase().split_whitespace().collect();
        Some(match text.as_str() {
            "" | "succeeded()" => Self::Succeeded,
            "failed()" => Self::Failed,
            "succeededorfailed()" => Self::SucceededOrFailed,
            "always()" | "true" => Self::Always,
            _ => return None,
        })
    }

    pub(super) fn holds(self, job: Outcome) -> bool {
        let succeeded = matches!(job, Outcome::Succeeded | Outcome::SucceededWithIssues);
        match self {
            Self::Succeeded => succeeded,
            Self::Failed => job == Outcome::Failed,
            Self::SucceededOrFailed => succeeded || job == Outcome::Failed,
            Self::Always => true,
        }
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
