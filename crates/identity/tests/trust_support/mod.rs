//! A job's token and the request that it makes.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::time::{Duration, UNIX_EPOCH};

use causeway_identity::Claims;
use causeway_identity::trust::{Decision, Policy, Request, evaluate};
use serde_json::{Value, json};

pub(crate) const ORGANIZATION: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const HOST: &str = "vstoken.dev.azure.com/11111111-2222-3333-4444-555555555555";
pub(crate) const ARN: &str =
    "arn:aws:iam::123456789012:oidc-provider/vstoken.dev.azure.com/11111111-2222-3333-4444-555555555555";
pub(crate) const SUB: &str = "sc://contoso/shop/aws-prod";
pub(crate) const AUD: &str = "api://AzureADTokenExchange";
pub(crate) const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

pub(crate) fn claims_of(subject: &str) -> Claims {
    claims(&json!({ "iss": format!("https://{HOST}"), "sub": subject, "aud": AUD }))
}

pub(crate) fn claims(json: &Value) -> Claims {
    Claims::from_json(json.to_string().as_bytes()).unwrap()
}

pub(crate) fn request_of(claims: &Claims) -> Request {
    let now = UNIX_EPOCH + Duration::from_secs(1_795_249_800);
    Request::new(claims, "aws", &"123456789012".parse().unwrap(), now)
}

pub(crate) fn request() -> Request {
    request_of(&claims_of(SUB))
}

pub(crate) fn allow(condition: Value) -> Value {
    json!({ "Effect": "Allow", "Principal": { "Federated": ARN }, "Action": ACTION, "Condition": condition })
}

pub(crate) fn policy(statements: Vec<Value>) -> Policy {
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string()).unwrap()
}

/// The words of a decision, a line each.
pub(crate) fn said(policy: &Policy, request: &Request) -> Vec<String> {
    match evaluate(policy, request) {
        Decision::Granted { by } => vec![format!("granted by {by}")],
        Decision::Denied { why } | Decision::Undecided { why } => {
            why.iter().map(ToString::to_string).collect()
        }
    }
}
