use super::super::operator::{Comparison, Order, SetOperator};
use super::super::policy::Test;
use super::super::request::{CLAIM_KEYS, Request, Value};
use super::super::truth::Truth;
use super::difference::{difference, of_pattern};
use super::principal::of_hosts;
use super::quoted;

/// Why a request does not meet a test.
pub(super) fn failure(test: &Test, request: &Request, variables: bool) -> String {
    let name = short(&test.key, request);
    if test.operator.comparison == Comparison::Null {
        return match request.value(&test.key) {
            Value::Present([_, ..]) => format!("{name} is there, the policy wants it absent (Null)"),
            _ => format!("{}; the policy wants it to be there (Null)", absence(&test.key, request)),
        };
    }
    match request.value(&test.key) {
        Value::Present(found @ [_, ..]) => mismatch(test, name, found, request, variables),
        _ => format!("{}, the policy wants {}", absence(&test.key, request), wish(test)),
    }
}

/// `sub` for the token's own key, else the key as it stands.
pub(super) fn short<'a>(key: &'a str, request: &Request) -> &'a str {
    request.own_claim(key).unwrap_or(key)
}

fn mismatch(test: &Test, name: &str, found: &[String], request: &Request, variables: bool) -> String {
    // With ForAllValues the values that fit say nothing.
    let failing = |value: &&String| test.holds_for_one(value, request, variables) == Truth::No;
    let value = found.iter().find(failing).unwrap_or(&found[0]);
    let all = match test.operator.set {
        Some(SetOperator::ForAllValues) if found.len() > 1 => " among its values",
        _ => "",
    };
    let hint = if test.operator.negated { None } else { hint(test, value, request, variables) };
    let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{name} is \"{value}\"{all}, the policy {}{hint}", verb(test))
}

fn verb(test: &Test) -> String {
    match test.operator.negated {
        true => format!("wants anything but {}", quoted(&test.values)),
        false => format!("wants {}", wish(test)),
    }
}

fn wish(test: &Test) -> String {
    let values = quoted(&test.values);
    let order = |order: Order, words: [&str; 4]| match order {
        Order::Equal => values.clone(),
        Order::Less => format!("{} {values}", words[0]),
        Order::LessOrEqual => format!("{} {values}", words[1]),
        Order::Greater => format!("{} {values}", words[2]),
        Order::GreaterOrEqual => format!("{} {values}", words[3]),
    };
    match test.operator.comparison {
        Comparison::Date(of) => order(of, ["before", "at or before", "after", "at or after"]),
        Comparison::Number(of) => order(of, ["less than", "at most", "more than", "at least"]),
        Comparison::Ip => format!("an address in {values}"),
        _ => values,
    }
}

/// What differs, for the value that comes nearest.
fn hint(test: &Test, found: &str, request: &Request, variables: bool) -> Option<String> {
    let of_one = |wanted: &String| match test.operator.comparison {
        Comparison::Text => {
            let wanted = test.pattern(wanted, request, variables).ok()?.to_string();
            difference(found, &wanted)
        }
        Comparison::TextIgnoringCase => difference(&found.to_lowercase(), &wanted.to_lowercase()),
        Comparison::Like => of_pattern(found, &test.pattern(wanted, request, variables).ok()?),
        _ => None,
    };
    let mut hints: Vec<String> = test.values.iter().filter_map(of_one).collect();
    let nearest = hints.iter().position(|hint| hint.contains("case differs")).unwrap_or(0);
    (nearest < hints.len()).then(|| hints.swap_remove(nearest))
}

/// Why a request has no such key.
fn absence(key: &str, request: &Request) -> String {
    let provider = request.provider();
    let Some((prefix, claim)) = key.rsplit_once(':') else {
        return format!("{key} is no condition key: it lacks the provider (\"{provider}:{key}\")");
    };
    if request.own_claim(key).is_some() {
        return absent_claim(claim, request);
    }
    if ["aws", "sts"].contains(&prefix.to_lowercase().as_str()) {
        return format!("a request with an OIDC token has no {key}");
    }
    if prefix.eq_ignore_ascii_case(&format!("https://{provider}")) {
        return format!("the key \"{key}\" has https:// in it: AWS's key is \"{provider}:{claim}\"");
    }
    format!("the key \"{key}\" is not of this token's provider {provider} ({})", of_hosts(prefix, provider))
}

fn absent_claim(claim: &str, request: &Request) -> String {
    let known = CLAIM_KEYS.iter().any(|key| key.eq_ignore_ascii_case(claim));
    let in_token = request.claims().all().any(|(name, _)| name.eq_ignore_ascii_case(claim));
    match (known, in_token) {
        (true, _) => format!("the token has no {claim}"),
        (false, true) => format!(
            "{claim} stands in the token, but AWS makes no condition key of it (only of {})",
            CLAIM_KEYS.join(", ")
        ),
        (false, false) => format!("AWS knows no condition key {claim} for this provider"),
    }
}
