//! What is refused when a policy is read, and the place that the message names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]

mod trust_support;

use causeway_identity::trust::Policy;
use serde_json::json;
use trust_support::{ACTION, ARN, HOST, allow};

/// A right statement, written out: some of the mistakes cannot be made with a JSON library.
fn with(statement: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"*"}},{statement}]}}"#
    )
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let rest = r#""Effect":"Allow","Principal":"*","Action":"sts:*""#;
    for (text, message) in [
        (
            with(&format!(r#"{{{rest},"Condition":{{"StringEquls":{{}}}}}}"#)),
            "Statement[1].Condition.StringEquls: there is no such condition operator; is StringEquals meant?",
        ),
        (
            with(&format!(r#"{{{rest},"Condition":{{"NullIfExists":{{}}}}}}"#)),
            "Statement[1].Condition.NullIfExists: Null stands alone",
        ),
        (
            with(&format!(r#"{{{rest},"Condition":{{"StringEquals":{{"a:b":{{}}}}}}}}"#)),
            "Statement[1].Condition.StringEquals.a:b: an object where text is expected",
        ),
        (
            with(&format!(r#"{{{rest},"Condition":{{"StringEquals":{{"a:b":["x",[]]}}}}}}"#)),
            "Statement[1].Condition.StringEquals.a:b[1]: a list where text is expected",
        ),
        (
            with(&format!(r#"{{{rest},"Condition":{{"StringEquals":"x"}}}}"#)),
            "Statement[1].Condition.StringEquals: text where an object is expected",
        ),
        (
            with(&format!(r#"{{{rest},"Condition":[]}}"#)),
            "Statement[1].Condition: a list where an object is expected",
        ),
        (
            with(&format!(r#"{{{rest},"Condition":{{"DateLessThan":{{"aws:CurrentTime":"soon"}}}}}}"#)),
            "Statement[1].Condition.DateLessThan.aws:CurrentTime: \"soon\" is not a date",
        ),
        (with(&format!(r#"{{{rest},"Condition":{{"NumericEquals":{{"a:b":"one"}}}}}}"#)), "is not a number"),
        (
            with(&format!(r#"{{{rest},"Condition":{{"IpAddress":{{"aws:SourceIp":"10.0.0.0/33"}}}}}}"#)),
            "is not an IP address or range",
        ),
        (
            with(&format!(r#"{{{rest},"Condition":{{"Null":{{"a:b":"yes"}}}}}}"#)),
            "\"yes\" is not true or false",
        ),
        (
            with(&format!(
                r#"{{{rest},"Condition":{{"StringEquals":{{"a:b":"x"}},"StringEquals":{{"a:c":"y"}}}}}}"#
            )),
            "Statement[1].Condition.StringEquals: it stands here twice",
        ),
        (
            with(&format!(r#"{{{rest},"Condition":{{"StringEquals":{{"a:b":"x","a:b":"y"}}}}}}"#)),
            "Statement[1].Condition.StringEquals.a:b: it stands here twice",
        ),
        (with(&format!(r#"{{{rest},"Effect":"Deny"}}"#)), "Statement[1].Effect: it stands here twice"),
        (
            with(&format!(r#"{{{rest},"Resource":"*"}}"#)),
            "Statement[1].Resource: a trust policy names no resource",
        ),
        (
            with(&format!(r#"{{{rest},"Conditions":{{}}}}"#)),
            "Statement[1].Conditions: a statement has no such element",
        ),
        (with(&format!(r#"{{{rest},"NotAction":"x"}}"#)), "Statement[1].NotAction: it excludes Action"),
        (
            with(&format!(r#"{{{rest},"NotPrincipal":"*"}}"#)),
            "Statement[1].NotPrincipal: AWS takes no NotPrincipal in a trust policy",
        ),
        (
            with(r#"{"Effect":"Allow","NotPrincipal":{"Federated":"x"},"Action":"*"}"#),
            "Statement[1].NotPrincipal: AWS takes no NotPrincipal in a trust policy",
        ),
        (
            with(r#"{"Effect":"allow","Principal":"*","Action":"*"}"#),
            "Statement[1].Effect: \"allow\" is neither Allow nor Deny",
        ),
        (with(r#"{"Effect":"Allow","Action":"*"}"#), "Statement[1].Principal: it is missing"),
        (with(r#"{"Effect":"Allow","Principal":"*"}"#), "Statement[1].Action: it is missing"),
        (with(r#"{"Principal":"*","Action":"*"}"#), "Statement[1].Effect: it is missing"),
        (
            with(r#"{"Effect":"Allow","Principal":{"Federation":"x"},"Action":"*"}"#),
            "Statement[1].Principal.Federation: there is no such type of principal",
        ),
        (
            with(r#"{"Effect":"Allow","Principal":"vstoken.dev.azure.com","Action":"*"}"#),
            "stands without its type",
        ),
        (
            with(r#"{"Effect":"Allow","Principal":{},"Action":"*"}"#),
            "Statement[1].Principal: it names nobody",
        ),
        (with("7"), "Statement[1]: a number or boolean where an object is expected"),
        (
            r#"{"Version":"2012-10-18","Statement":[]}"#.into(),
            "Version: \"2012-10-18\" is neither 2012-10-17 nor 2008-10-17",
        ),
        (r#"{"Version":"2012-10-17"}"#.into(), "Statement: it is missing"),
        (r#"{"Statement":[]}"#.into(), "Statement: it is empty"),
        (r#"{"Statements":[]}"#.into(), "Statements: a policy has no such element"),
        (r#"{"Statement":[{}],"Statement":[]}"#.into(), "Statement: it stands here twice"),
        ("[]".into(), "the policy: a list where an object is expected"),
        (String::new(), "the policy is not JSON"),
        ("resource \"aws_iam_role\" {}".into(), "the policy is not JSON"),
        ("%7B%22".into(), "the policy is not JSON"),
        ("%FF".into(), "the policy is not JSON"),
        ("[".repeat(100_000), "the policy is not JSON"),
    ] {
        let error = Policy::parse(&text).unwrap_err().to_string();
        assert!(error.contains(message), "\"{message}\" is missing in: {error}");
    }
}

#[test]
fn get_role_output_names_its_role() {
    let document = json!({ "Version": "2012-10-17", "Statement": allow(json!({})) });
    let output = json!({ "Role": {
        "Path": "/",
        "RoleName": "deploy",
        "Arn": "arn:aws:iam::123456789012:role/deploy",
        "AssumeRolePolicyDocument": document,
        "MaxSessionDuration": 3600,
    } });
    let policy = Policy::parse(&output.to_string()).unwrap();
    assert_eq!(policy.role().unwrap().as_str(), "arn:aws:iam::123456789012:role/deploy");
    assert_eq!(policy.federated_principals().collect::<Vec<_>>(), [ARN]);
}

#[test]
fn everything_that_iam_takes_is_taken() {
    let text = json!({
        "Version": "2012-10-17",
        "Id": "trust",
        "Statement": {
            "Sid": "All",
            "Effect": "Allow",
            "Principal": { "AWS": ["123456789012"], "Service": "ec2.amazonaws.com", "Federated": ARN },
            "Action": [ACTION, "sts:TagSession"],
            "Condition": {
                "ForAllValues:StringLikeIfExists": { format!("{HOST}:amr"): ["a", "b"] },
                "Bool": { "aws:SecureTransport": true },
                "NumericLessThan": { "aws:EpochTime": 1_900_000_000 },
            },
        },
    });
    assert!(Policy::parse(&text.to_string()).is_ok());
}
