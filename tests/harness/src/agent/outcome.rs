/// How a step or a job ended; the order is that of .NET's `TaskResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All went well.
    Succeeded,
    /// It went on after a failure, or said so itself.
    SucceededWithIssues,
    /// It failed.
    Failed,
    /// It was cancelled.
    Canceled,
    /// Its condition did not hold.
    Skipped,
}

impl Outcome {
    /// Reads what `task.complete` says; the case counts.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "Succeeded" => Self::Succeeded,
            "SucceededWithIssues" => Self::SucceededWithIssues,
            "Failed" => Self::Failed,
            "Canceled" => Self::Canceled,
            "Skipped" => Self::Skipped,
            _ => return None,
        })
    }

    /// The worse of two; what lies beyond `Failed` is final (`TaskResultUtil.MergeTaskResults`).
    pub(super) fn merged(current: Option<Self>, coming: Self) -> Self {
        match current {
            Some(current) if current > Self::Failed => current,
            Some(current) => current.max(coming),
            None => coming,
        }
    }
}
