//! What holds for every policy.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]

mod trust_support;

use causeway_identity::trust::{Decision, Policy, evaluate, remarks};
use proptest::prelude::*;
use serde_json::{Value, json};
use trust_support::{ACTION, ARN, AUD, HOST, SUB, allow, claims_of, policy, request, request_of};

/// A text with exactly one letter in the other case.
fn one_letter_swapped(text: &str, nth: usize) -> Option<String> {
    let letters: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_ascii_alphabetic()).map(|(at, _)| at).collect();
    let at = *letters.get(nth % letters.len().max(1))?;
    let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    Some(text.char_indices().map(|(here, c)| if here == at { swap(c) } else { c }).collect())
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(SUB.to_owned()),
        Just(AUD.to_owned()),
        Just("*".to_owned()),
        Just("sc://contoso/*".to_owned()),
        Just("${aws:username}".to_owned()),
        "[a-z*?$]{0,6}",
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(format!("{HOST}:sub")),
        Just(format!("{HOST}:aud")),
        Just(format!("{HOST}:amr")),
        Just("aws:SourceIp".to_owned()),
        Just("sts:ExternalId".to_owned()),
    ]
}

fn operator() -> impl Strategy<Value = String> {
    let base = prop::sample::select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "ArnLike",
        "ArnNotEquals",
    ]);
    (prop::sample::select(vec!["", "ForAnyValue:", "ForAllValues:"]), base, prop::bool::ANY)
        .prop_map(|(set, base, if_exists)| format!("{set}{base}{}", if if_exists { "IfExists" } else { "" }))
}

fn condition() -> impl Strategy<Value = Value> {
    let keys = prop::collection::btree_map(key(), prop::collection::vec(value(), 1..3), 0..3);
    prop::collection::btree_map(operator(), keys, 0..3).prop_map(|condition| json!(condition))
}

fn statement(effect: &'static str) -> impl Strategy<Value = Value> {
    let principal = prop::sample::select(vec![
        json!({ "Federated": ARN }),
        json!("*"),
        json!({ "AWS": "123456789012" }),
        json!({ "Federated": "*" }),
    ]);
    let action = prop::sample::select(vec![ACTION, "sts:*", "sts:AssumeRole"]);
    (principal, action, condition()).prop_map(move |(principal, action, condition)| {
        json!({ "Effect": effect, "Principal": principal, "Action": action, "Condition": condition })
    })
}

fn granted(statements: Vec<Value>) -> bool {
    matches!(evaluate(&policy(statements), &request()), Decision::Granted { .. })
}

fn json_value() -> impl Strategy<Value = Value> {
    let names = vec![
        "Version",
        "Statement",
        "Effect",
        "Principal",
        "Action",
        "Condition",
        "Federated",
        "AWS",
        "StringEquals",
        "Null",
        "Role",
        "AssumeRolePolicyDocument",
        "Arn",
        "NotPrincipal",
        "2012-10-17",
        "Allow",
        "Deny",
        "*",
    ];
    let word = prop_oneof![prop::sample::select(names).prop_map(str::to_owned), "\\PC{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn adding_a_deny_never_turns_a_refusal_into_a_grant(
        allows in prop::collection::vec(statement("Allow"), 1..4),
        deny in statement("Deny"),
    ) {
        let before = granted(allows.clone());
        let after = granted([allows, vec![deny]].concat());
        prop_assert!(before || !after);
    }

    #[test]
    fn an_unconditional_deny_refuses_everything(allows in prop::collection::vec(statement("Allow"), 0..3)) {
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "sts:*" });
        let decision = evaluate(&policy([allows, vec![deny]].concat()), &request());
        let denied = matches!(decision, Decision::Denied { .. });
        prop_assert!(denied);
    }

    #[test]
    fn adding_a_condition_never_turns_a_refusal_into_a_grant(
        one in condition(),
        key in key(),
        values in prop::collection::vec(value(), 1..3),
    ) {
        let mut more = one.clone();
        let operators = more.as_object_mut().unwrap();
        if !operators.contains_key("StringLike") {
            operators.insert("StringLike".to_owned(), json!({ key: values }));
            prop_assert!(granted(vec![allow(one)]) || !granted(vec![allow(more)]));
        }
    }

    #[test]
    fn changing_the_case_of_sub_under_string_equals_always_refuses(
        organization in "[a-zA-Z][a-zA-Z0-9-]{0,9}",
        project in "[a-zA-Z0-9 .]{1,10}",
        connection in "[a-zA-Z0-9 _-]{1,10}",
        nth in 0_usize..40,
    ) {
        let subject = format!("sc://{organization}/{project}/{connection}");
        let request = request_of(&claims_of(&subject));
        let wanting = |subject: &str| {
            policy(vec![allow(json!({ "StringEquals": { format!("{HOST}:sub"): subject } }))])
        };
        let right = matches!(evaluate(&wanting(&subject), &request), Decision::Granted { .. });
        prop_assert!(right);
        let swapped = one_letter_swapped(&subject, nth).unwrap();
        let Decision::Denied { why } = evaluate(&wanting(&swapped), &request) else {
            return Err(TestCaseError::fail(format!("{swapped} is let in")));
        };
        prop_assert!(why[0].text.ends_with("(case differs)"), "{}", why[0]);
    }

    #[test]
    fn a_wider_pattern_lets_in_what_a_narrow_one_does(subject in "sc://[a-c/*?]{0,8}", at in 0_usize..12) {
        let request = request_of(&claims_of(&subject));
        let like = |pattern: &str| {
            let condition = json!({ "StringLike": { format!("{HOST}:sub"): pattern } });
            matches!(evaluate(&policy(vec![allow(condition)]), &request), Decision::Granted { .. })
        };
        let cut: String = subject.chars().take(at).collect();
        prop_assert!(like(&subject));
        let wider = cut + "*";
        prop_assert!(like(&wider), "{}", wider);
    }

    #[test]
    fn no_json_breaks_reader_or_evaluator(value in json_value()) {
        for text in [value.to_string(), json!({ "Version": "2012-10-17", "Statement": value }).to_string(), json!({ "Statement": allow(value) }).to_string()] {
            if let Ok(policy) = Policy::parse(&text) {
                let _ = (evaluate(&policy, &request()), remarks(&policy, &request()));
            }
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,60}") {
        let _ = Policy::parse(&text);
        let _ = Policy::parse(&format!("%{text}"));
    }

    #[test]
    fn every_statement_that_parses_is_judged_and_refusals_are_explained(
        statements in prop::collection::vec(prop_oneof![statement("Allow"), statement("Deny")], 1..4),
    ) {
        match evaluate(&policy(statements), &request()) {
            Decision::Granted { by } => prop_assert!(by.starts_with("Statement")),
            Decision::Denied { why } | Decision::Undecided { why } => {
                prop_assert!(!why.is_empty());
                prop_assert!(why.iter().all(|finding| !finding.text.is_empty()));
            }
        }
    }
}
