use super::super::evaluate::{ACTION, Finding};
use super::super::operator::Comparison;
use super::super::policy::{Effect, Policy, Statement, Test};
use super::super::principal::Kind;
use super::super::request::Request;
use super::super::truth::Truth;

/// What a policy that lets the token in leaves open: who else would get in.
#[must_use]
pub fn remarks(policy: &Policy, request: &Request) -> Vec<Finding> {
    let letting_in = policy.statements.iter().filter(|statement| {
        statement.effect == Effect::Allow
            && statement.actions.cover(ACTION)
            && statement.principals.cover(request) != Truth::No
    });
    letting_in.flat_map(|statement| of(statement, request)).collect()
}

fn of(statement: &Statement, request: &Request) -> Vec<Finding> {
    let everyone =
        statement.principals.named.iter().any(|(kind, name)| *kind == Kind::Everyone || name == "*");
    let restricts = |claim: &str| {
        let on_claim =
            |test: &&Test| request.own_claim(&test.key).is_some_and(|own| own.eq_ignore_ascii_case(claim));
        statement.tests.iter().filter(on_claim).any(is_restriction)
    };
    let open = [
        everyone.then_some("everyone is a principal: name the OIDC provider instead"),
        (!restricts("sub")).then_some(
            "it has no condition on sub: every connection and pipeline of the organization can assume the role",
        ),
        (!restricts("aud") && !restricts("oaud")).then_some(
            "it has no condition on aud: a token for any audience of the provider can assume the role",
        ),
    ];
    open.into_iter()
        .flatten()
        .map(|text| Finding { statement: statement.name.clone(), text: text.to_owned() })
        .collect()
}

/// Whether a missing or any other value would fail it.
fn is_restriction(test: &Test) -> bool {
    let operator = test.operator;
    let open = |value: &String| value.contains('*') && value.chars().all(|character| character == '*');
    operator.comparison != Comparison::Null
        && !operator.negated
        && !operator.if_exists
        && !test.values.iter().any(open)
}
