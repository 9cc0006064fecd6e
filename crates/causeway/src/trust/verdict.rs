use causeway_identity::trust::{Decision, Finding, Policy, Request, evaluate, remarks};

/// What a policy says to a request, in lines for a reader.
pub(crate) struct Verdict {
    decision: Decision,
    remarks: Vec<Finding>,
}

impl Verdict {
    pub(crate) fn of(policy: &Policy, request: &Request) -> Self {
        Self { decision: evaluate(policy, request), remarks: remarks(policy, request) }
    }

    pub(crate) fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The answer, then a line for each statement, then what the policy leaves open.
    pub(crate) fn lines(&self) -> Vec<String> {
        let (answer, why) = match &self.decision {
            Decision::Granted { by } => (format!("The policy lets this token in ({by})."), [].as_slice()),
            Decision::Denied { why } => ("The policy does not let this token in:".to_owned(), why.as_slice()),
            Decision::Undecided { why } => {
                ("Whether the policy lets this token in cannot be told here:".to_owned(), why.as_slice())
            }
        };
        let why = why.iter().map(|finding| format!("  {finding}"));
        let remarks = self.remarks.iter().map(|remark| format!("Mind: {remark}."));
        std::iter::once(answer).chain(why).chain(remarks).collect()
    }

    /// The same in one sentence for AWS's refusal, about the policy in `file`.
    pub(crate) fn sentence(&self, file: &str) -> String {
        let why = |why: &[Finding]| why.iter().map(Finding::to_string).collect::<Vec<_>>().join("; ");
        match &self.decision {
            Decision::Granted { by } => format!(
                "The policy in {file} would let this token in ({by}), so the role has another one: compare it with the output of aws iam get-role"
            ),
            Decision::Denied { why: all } => format!("The policy in {file} does not let it in: {}", why(all)),
            Decision::Undecided { why: all } => {
                format!("Whether the policy in {file} lets it in cannot be told here: {}", why(all))
            }
        }
    }
}
