//! The words of whole answers: what a reader sees for the mistakes that are made most.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]

mod trust_support;

use causeway_identity::trust::remarks;
use serde_json::json;
use trust_support::{ARN, AUD, HOST, SUB, allow, claims, policy, request, request_of, said};

#[test]
fn the_example_of_every_guide_with_one_letter_wrong() {
    let condition = json!({ "StringEquals": { format!("{HOST}:aud"): AUD, format!("{HOST}:sub"): "sc://contoso/Shop/aws-prod" } });
    assert_eq!(
        said(&policy(vec![allow(condition)]), &request()),
        [
            r#"Statement[0]: sub is "sc://contoso/shop/aws-prod", the policy wants "sc://contoso/Shop/aws-prod" (case differs)"#
        ]
    );
}

#[test]
fn every_failing_condition_of_a_statement_is_told_at_once() {
    let condition = json!({
        "StringEquals": { format!("{HOST}:aud"): "sts.amazonaws.com" },
        "StringLike": { format!("{HOST}:sub"): ["sc://contoso/store/*", "sc://contoso/web/*"] },
    });
    assert_eq!(
        said(&policy(vec![allow(condition)]), &request()),
        [
            r#"Statement[0]: aud is "api://AzureADTokenExchange", the policy wants "sts.amazonaws.com""#,
            r#"Statement[0]: sub is "sc://contoso/shop/aws-prod", the policy wants "sc://contoso/store/*" or "sc://contoso/web/*" (it fails at "shop/aws-prod", where the pattern goes on with "store/*")"#,
        ]
    );
}

#[test]
fn each_statement_for_a_token_is_told_and_others_are_left_out() {
    let service = json!({ "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" });
    let mut other = allow(json!({}));
    other["Principal"] = json!({ "Federated": ARN.replace("123456789012", "210987654321") });
    other["Sid"] = json!("OtherAccount");
    let third = allow(json!({ "StringEquals": { format!("https://{HOST}:sub"): SUB } }));
    assert_eq!(
        said(&policy(vec![service, other, third]), &request()),
        [
            format!(
                r#"Statement[1] (OtherAccount): the token comes through the OIDC provider "{ARN}", the policy trusts "{}" (the account differs: the provider must be in the role's own account 123456789012)"#,
                ARN.replace("123456789012", "210987654321")
            ),
            format!(
                r#"Statement[2]: the key "https://{HOST}:sub" has https:// in it: AWS's key is "{HOST}:sub", the policy wants "{SUB}""#
            ),
        ]
    );
}

#[test]
fn an_explicit_deny_and_an_open_question_say_what_they_rest_on() {
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "sts:*", "Sid": "NoProd", "Condition": { "StringLike": { format!("{HOST}:sub"): "*-prod" } } });
    assert_eq!(
        said(&policy(vec![allow(json!({})), deny]), &request()),
        [format!(
            "Statement[1] (NoProd): an explicit Deny applies to {SUB}: its conditions are met (StringLike {HOST}:sub); a Deny outweighs every Allow"
        )]
    );
    let open = allow(
        json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" }, "Bool": { "aws:SecureTransport": "true" } }),
    );
    assert_eq!(
        said(&policy(vec![open]), &request()),
        [
            "Statement[0]: it depends on condition key aws:SourceIp and condition key aws:SecureTransport, not known here"
        ]
    );
}

#[test]
fn the_old_policy_and_the_new_issuer() {
    let token = claims(&json!({
        "iss": "https://login.microsoftonline.com/ff882432-09b0-437b-bd22-ca13c0037ded/v2.0",
        "sub": "/eid1/c/pub/t/MiSI_7AJe0O9IsoTwAN97Q/a/rISbSSETf0KqFyZ8ppdXmA/sc/0ca3ddd9-f0b0-4635-a98c-5866526961b6/64171687-7a59-4fce-b2c8-823278dcf176",
        "aud": AUD,
    }));
    let old = policy(vec![allow(json!({ "StringEquals": { format!("{HOST}:sub"): SUB } }))]);
    assert_eq!(
        said(&old, &request_of(&token)),
        [format!(
            r#"Statement[0]: the token comes through the OIDC provider "arn:aws:iam::123456789012:oidc-provider/login.microsoftonline.com/ff882432-09b0-437b-bd22-ca13c0037ded/v2.0", the policy trusts "{ARN}" (another issuer: {HOST} there, the token's is login.microsoftonline.com/ff882432-09b0-437b-bd22-ca13c0037ded/v2.0)"#
        )]
    );
}

#[test]
fn what_a_policy_leaves_open_is_remarked() {
    let remarked = |condition| {
        let policy = policy(vec![allow(condition)]);
        remarks(&policy, &request()).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let both = json!({ "StringEquals": { format!("{HOST}:aud"): AUD, format!("{HOST}:sub"): SUB } });
    assert!(remarked(both).is_empty());
    let no_audience = remarked(json!({ "StringLike": { format!("{HOST}:sub"): "sc://contoso/shop/*" } }));
    assert_eq!(
        no_audience,
        [
            "Statement[0]: it has no condition on aud: a token for any audience of the provider can assume the role"
        ]
    );
    for open in [
        json!({}),
        json!({ "StringLike": { format!("{HOST}:sub"): "*" } }),
        json!({ "StringNotEquals": { format!("{HOST}:sub"): "x" } }),
    ] {
        assert!(remarked(open)[0].contains("no condition on sub"));
    }
}
