use std::fmt;

use super::explain;
use super::pattern::Pattern;
use super::policy::{Actions, Effect, Policy, Statement};
use super::request::Request;
use super::truth::Truth;

/// The only action that a token is presented for.
pub(super) const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// What a trust policy says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Granted {
        /// The statement that allows it, such as `Statement[0] (Pipelines)`.
        by: String,
    },
    /// A statement denies it, or none allows it.
    Denied {
        /// For each statement that denies it, or could have allowed it, what decides.
        why: Vec<Finding>,
    },
    /// It depends on something that is not known here. Never a grant by guess.
    Undecided {
        /// On what, by statement.
        why: Vec<Finding>,
    },
}

/// What is to be said of one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The statement, such as `Statement[0] (Pipelines)`; empty if it is about the whole policy.
    pub statement: String,
    /// The words.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.statement.as_str() {
            "" => formatter.write_str(&self.text),
            statement => write!(formatter, "{statement}: {}", self.text),
        }
    }
}

/// Decides as IAM does (IAM User Guide, "Policy evaluation logic"): by default denied, a statement that fits allows it,
/// and an explicit Deny that fits outweighs every Allow.
#[must_use]
pub fn evaluate(policy: &Policy, request: &Request) -> Decision {
    let verdict = |statement: &Statement| statement.fits(request, policy.variables);
    let of = |effect: Effect| policy.statements.iter().filter(move |statement| statement.effect == effect);
    let denying: Vec<_> = of(Effect::Deny).map(|statement| (statement, verdict(statement))).collect();
    let hit = denying.iter().filter(|(_, truth)| *truth == Truth::Yes);
    let why: Vec<_> = hit.map(|(statement, _)| explain::denial(statement, request)).collect();
    if !why.is_empty() {
        return Decision::Denied { why };
    }
    let allowing: Vec<_> = of(Effect::Allow).map(|statement| (statement, verdict(statement))).collect();
    let granting = allowing.iter().find(|(_, truth)| *truth == Truth::Yes);
    let open = match granting {
        Some(_) => open_questions(&denying),
        None => open_questions(&allowing),
    };
    match granting {
        _ if !open.is_empty() => Decision::Undecided { why: open },
        Some((statement, _)) => Decision::Granted { by: statement.name.clone() },
        None => Decision::Denied { why: explain::refusals(policy, request) },
    }
}

fn open_questions(verdicts: &[(&Statement, Truth)]) -> Vec<Finding> {
    let open = |(statement, truth): &(&Statement, Truth)| match truth {
        Truth::Unknown(about) => Some(Finding {
            statement: statement.name.clone(),
            text: format!("it depends on {}, not known here", about.join(" and ")),
        }),
        _ => None,
    };
    verdicts.iter().filter_map(open).collect()
}

impl Statement {
    /// Principal and action and every condition ("IAM JSON policy elements: Condition": operators and keys are joined
    /// by AND).
    pub(super) fn fits(&self, request: &Request, variables: bool) -> Truth {
        let tests = self.tests.iter().map(|test| test.holds(request, variables));
        let parts = [self.principals.cover(request), Truth::from(self.actions.cover(ACTION))];
        Truth::all(parts.into_iter().chain(tests))
    }
}

impl Actions {
    /// "IAM JSON policy elements: Action": prefix and name are case-insensitive, `*` and `?` are wildcards.
    pub(super) fn cover(&self, action: &str) -> bool {
        let covered =
            self.patterns.iter().any(|text| Pattern::with_wildcards(text).matches_ignoring_case(action));
        covered != self.excepted
    }
}
