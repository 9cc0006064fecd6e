use serde_json::{Value, json};

use crate::azure_devops::AUDIENCE;

/// A trust policy for web identity tokens of an issuer with one of these subjects.
#[must_use]
pub fn federated_trust(account: &str, issuer: &str, subjects: &[String]) -> Value {
    let host = issuer.trim_start_matches("https://");
    let (audience, subject) = (format!("{host}:aud"), format!("{host}:sub"));
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": format!("arn:aws:iam::{account}:oidc-provider/{host}") },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": { audience: AUDIENCE, subject: subjects } },
        }],
    })
}

/// A trust policy for a user or role, with an external ID or without.
#[must_use]
pub fn key_trust(principal: &str, external_id: Option<&str>) -> Value {
    let condition =
        external_id.map_or_else(|| json!({}), |id| json!({ "StringEquals": { "sts:ExternalId": id } }));
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": principal },
            "Action": "sts:AssumeRole",
            "Condition": condition,
        }],
    })
}
