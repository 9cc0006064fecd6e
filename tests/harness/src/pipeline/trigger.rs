use crate::agent::Variable;

/// What began a run: the variables that the server sets for it.
#[derive(Debug, Clone, Default)]
pub struct Trigger {
    pub(super) variables: Vec<Variable>,
}

impl Trigger {
    /// A push to a branch, such as `main` or `feat/cart`.
    #[must_use]
    pub fn push(branch: &str) -> Self {
        Self::of(&format!("refs/heads/{branch}"), branch.rsplit('/').next().unwrap_or(branch), "IndividualCI")
    }

    /// A pull request from a branch to another: the checked-out branch is the merge of both.
    #[must_use]
    pub fn pull_request(source: &str, target: &str) -> Self {
        Self::of("refs/pull/42/merge", "merge", "PullRequest")
            .with("System.PullRequest.PullRequestId", "42")
            .with("System.PullRequest.SourceBranch", &format!("refs/heads/{source}"))
            .with("System.PullRequest.TargetBranch", &format!("refs/heads/{target}"))
            .with("System.PullRequest.TargetBranchName", target)
    }

    /// The same with a variable that is set when the run is queued.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push(Variable::public(name, value));
        self
    }

    /// The same with a secret variable of the pipeline.
    #[must_use]
    pub fn with_secret(mut self, name: &str, value: &str) -> Self {
        self.variables.push(Variable::secret(name, value));
        self
    }

    fn of(branch: &str, name: &str, reason: &str) -> Self {
        Self::default()
            .with("Build.SourceBranch", branch)
            .with("Build.SourceBranchName", name)
            .with("Build.Reason", reason)
    }
}
