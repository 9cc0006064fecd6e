//! The evaluator against a table of policies and claims. Each part of `trust_table/cases.json` names the page that its
//! rules come from.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]

use std::time::{Duration, UNIX_EPOCH};

use causeway_identity::Claims;
use causeway_identity::trust::{Decision, Finding, Policy, Request, evaluate};
use serde_json::{Map, Value, json};

const HOST: &str = "vstoken.dev.azure.com/11111111-2222-3333-4444-555555555555";
const ARN: &str =
    "arn:aws:iam::123456789012:oidc-provider/vstoken.dev.azure.com/11111111-2222-3333-4444-555555555555";
const SUB: &str = "sc://contoso/shop/aws-prod";
const AUD: &str = "api://AzureADTokenExchange";

#[test]
fn the_evaluator_agrees_with_the_table() {
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (is, says) = judged(case);
        let expected = case["says"].as_str().unwrap_or_default();
        if is != case["is"] || !says.contains(expected) {
            wrong.push(format!("{}: {is}: {says}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_stands_below_its_source() {
    let all: Vec<Value> = serde_json::from_str(include_str!("trust_table/cases.json")).unwrap();
    assert!(all[0]["section"].is_string());
    for case in all.iter().filter(|case| case["section"].is_null()) {
        assert!(case["name"].is_string() && case["is"].is_string(), "{case}");
    }
}

#[test]
fn url_encoding_and_get_role_output_change_nothing() {
    for case in cases() {
        let text = policy(&case).to_string();
        let decided = |text: &str| {
            let policy = Policy::parse(text).unwrap();
            evaluate(&policy, &request(&case))
        };
        let expected = decided(&text);
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let role = |document: Value| json!({ "Role": { "Arn": "arn:aws:iam::123456789012:role/x", "AssumeRolePolicyDocument": document } });
        for form in [
            encoded.clone(),
            format!("\u{feff}\n{text}\n"),
            Value::from(text.clone()).to_string(),
            role(policy(&case)).to_string(),
            role(Value::from(encoded)).to_string(),
            role(Value::from(text)).to_string(),
        ] {
            assert_eq!(decided(&form), expected, "{}", case["name"]);
        }
    }
}

/// `granted`, `denied` or `undecided`, and the words.
fn judged(case: &Value) -> (&'static str, String) {
    let policy = Policy::parse(&policy(case).to_string()).unwrap();
    let words = |why: Vec<Finding>| why.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n");
    match evaluate(&policy, &request(case)) {
        Decision::Granted { by } => ("granted", by),
        Decision::Denied { why } => ("denied", words(why)),
        Decision::Undecided { why } => ("undecided", words(why)),
    }
}

fn cases() -> Vec<Value> {
    let table = include_str!("trust_table/cases.json")
        .replace("$HOST", HOST)
        .replace("$ARN", ARN)
        .replace("$SUB", SUB)
        .replace("$AUD", AUD);
    let all: Vec<Value> = serde_json::from_str(&table).unwrap();
    all.into_iter().filter(|case| case["section"].is_null()).collect()
}

/// The case's statements; what they leave out is what a right statement has.
fn policy(case: &Value) -> Value {
    let statements: Vec<Value> = match case["statements"].as_array() {
        Some(statements) => statements.iter().map(statement).collect(),
        None => vec![statement(&json!({ "Condition": case["condition"] }))],
    };
    match case.get("version").unwrap_or(&json!("2012-10-17")) {
        Value::Null => json!({ "Statement": statements }),
        version => json!({ "Version": version, "Statement": statements }),
    }
}

fn statement(partial: &Value) -> Value {
    let mut whole = json!({
        "Effect": "Allow",
        "Principal": { "Federated": ARN },
        "Action": "sts:AssumeRoleWithWebIdentity",
    });
    let fields = whole.as_object_mut().unwrap();
    let mut partial = partial.as_object().unwrap().clone();
    if let Some(removed) = partial.remove("REMOVE") {
        fields.remove(removed.as_str().unwrap());
    }
    fields.extend(partial);
    whole
}

fn request(case: &Value) -> Request {
    let mut claims: Map<String, Value> = Map::new();
    claims.insert("iss".into(), format!("https://{HOST}").into());
    claims.insert("sub".into(), SUB.into());
    claims.insert("aud".into(), AUD.into());
    claims.extend(case["claims"].as_object().cloned().unwrap_or_default());
    let claims = Claims::from_json(Value::Object(claims).to_string().as_bytes()).unwrap();
    let account = "123456789012".parse().unwrap();
    // 2026-11-21T08:30:00Z
    let now = UNIX_EPOCH + Duration::from_secs(1_795_249_800);
    let context = case["context"].as_object().cloned().unwrap_or_default();
    context.iter().fold(Request::new(&claims, "aws", &account, now), |request, (key, value)| {
        request.with(key, [value.as_str().unwrap()])
    })
}
