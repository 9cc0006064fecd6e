//! Why a statement does not let a token in, in words.

mod condition;
mod difference;
mod principal;
mod remark;
mod subject;

use super::evaluate::{ACTION, Finding};
use super::policy::{Effect, Policy, Statement};
use super::principal::Kind;
use super::request::Request;
use super::truth::Truth;

pub use remark::remarks;

/// An explicit Deny that fits.
pub(super) fn denial(statement: &Statement, request: &Request) -> Finding {
    let tests: Vec<String> =
        statement.tests.iter().map(|test| format!("{} {}", test.operator_name, test.key)).collect();
    let met = match tests.as_slice() {
        [] => "without any condition".to_owned(),
        tests => format!("its conditions are met ({})", tests.join(", ")),
    };
    let text = format!(
        "an explicit Deny applies to {}: {met}; a Deny outweighs every Allow",
        request.claims().subject
    );
    Finding { statement: statement.name.clone(), text }
}

/// What is wrong with each statement that could have allowed the request.
pub(super) fn refusals(policy: &Policy, request: &Request) -> Vec<Finding> {
    let allowing = || policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let mut candidates: Vec<&Statement> = allowing().filter(|statement| could_allow(statement)).collect();
    if candidates.is_empty() {
        candidates = allowing().collect();
    }
    if candidates.is_empty() {
        let text = "no statement allows anything: a request that nothing allows is denied".to_owned();
        return vec![Finding { statement: String::new(), text }];
    }
    candidates.into_iter().flat_map(|statement| refusal(statement, policy, request)).collect()
}

/// Statements for EC2 or for users and roles say nothing of tokens.
fn could_allow(statement: &Statement) -> bool {
    let names_a_provider = statement
        .principals
        .named
        .iter()
        .any(|(kind, name)| matches!(kind, Kind::Federated | Kind::Everyone) || name == "*");
    names_a_provider || statement.actions.cover(ACTION)
}

fn refusal(statement: &Statement, policy: &Policy, request: &Request) -> Vec<Finding> {
    let finding = |text: String| Finding { statement: statement.name.clone(), text };
    let mut findings = Vec::new();
    let principal_fits = statement.principals.cover(request) != Truth::No;
    if !principal_fits {
        findings.push(finding(principal::mismatch(&statement.principals, request)));
    }
    if !statement.actions.cover(ACTION) {
        findings.push(finding(missing_action(statement)));
    }
    // With another provider the keys are another provider's too: that is the same mistake once more.
    if principal_fits {
        let failing =
            statement.tests.iter().filter(|test| test.holds(request, policy.variables) == Truth::No);
        findings.extend(failing.map(|test| finding(condition::failure(test, request, policy.variables))));
    }
    findings
}

fn missing_action(statement: &Statement) -> String {
    let listed = statement.actions.patterns.join(", ");
    if statement.actions.excepted {
        return format!("NotAction {listed} leaves {ACTION} out");
    }
    let hint = match listed.as_str() {
        "sts:AssumeRole" => " (sts:AssumeRole is for users and roles; a token needs its own action)",
        _ => "",
    };
    format!("the action {ACTION} is missing, the policy has {listed}{hint}")
}

/// `"a"`, `"a" or "b"`, and no more than a reader takes in.
fn quoted(values: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = values.iter().take(SHOWN).map(|value| format!("\"{value}\"")).collect();
    match values.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} or one of {more} more", shown.join(", ")),
        _ if shown.is_empty() => "nothing (an empty list)".to_owned(),
        _ => shown.join(" or "),
    }
}
