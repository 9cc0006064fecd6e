use serde_json::{Map, Value, json};

use super::{providers, unmade};
use crate::file::{Account, Role, Setup};
use crate::plan::{Observed, trust};

/// A template for one account, as JSON. Service connections are none of CloudFormation's: `setup apply` or a person makes them.
#[must_use]
pub fn template(setup: &Setup, observed: &Observed, account: &Account) -> Value {
    let mut resources = Map::new();
    let mut arns: Vec<(String, Value)> = Vec::new();
    for needed in providers(setup, observed, account) {
        let arn = account.provider_arn(&needed.url);
        if needed.found.is_none() {
            let is_new = needed.url.starts_with("https://login.microsoftonline.com/");
            let name = if is_new { "EntraProvider" } else { "AzureDevOpsProvider" };
            resources.insert(
                name.to_owned(),
                json!({
                    "Type": "AWS::IAM::OIDCProvider",
                    "Properties": { "Url": needed.url, "ClientIdList": needed.audiences },
                }),
            );
            arns.push((arn, json!({ "Ref": name })));
        }
    }
    let mut parameters = Map::new();
    for role in setup.roles_of(&account.alias).filter(|role| !role.existing) {
        let mut references = arns.clone();
        for name in unmade(observed, role) {
            let parameter = format!("ConnectionId{}", logical(name));
            let pending = trust::pending_id(name).to_string();
            for identity in observed.identities(setup, name) {
                if let Some(before) = identity.subject().strip_suffix(&pending) {
                    let subject = json!({ "Fn::Sub": format!("{before}${{{parameter}}}") });
                    references.push((identity.subject().to_owned(), subject));
                    parameters.insert(
                        parameter.clone(),
                        json!({ "Type": "String", "Description": format!("The GUID of service connection {name}") }),
                    );
                }
            }
        }
        resources.insert(
            format!("Role{}", logical(role.arn.name())),
            resource(setup, observed, role, &references),
        );
    }
    let mut template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Roles that Azure Pipelines assume, by causeway setup for {} in account {}", setup.id, account.id),
    });
    if !parameters.is_empty() {
        template["Parameters"] = Value::Object(parameters);
    }
    template["Resources"] = Value::Object(resources);
    template
}

fn resource(setup: &Setup, observed: &Observed, role: &Role, references: &[(String, Value)]) -> Value {
    let (policy, _) = trust::wanted(setup, &observed.azure_devops, role);
    let policies: Vec<Value> = role
        .policies
        .iter()
        .map(|(name, document)| json!({ "PolicyName": name, "PolicyDocument": document }))
        .collect();
    let tags: Vec<Value> = role
        .tags
        .iter()
        .filter(|(key, _)| !key.starts_with("causeway:"))
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    let mut properties = json!({
        "RoleName": role.arn.name(),
        "Path": role.path,
        "Description": role.description,
        "MaxSessionDuration": role.max_session_seconds,
        "AssumeRolePolicyDocument": replaced(&policy, references),
    });
    for (name, value) in [
        ("Policies", json!(policies)),
        ("ManagedPolicyArns", json!(role.managed_policies)),
        ("Tags", json!(tags)),
    ] {
        if value.as_array().is_some_and(|items| !items.is_empty()) {
            properties[name] = value;
        }
    }
    if let Some(arn) = &role.boundary {
        properties["PermissionsBoundary"] = json!(arn);
    }
    json!({ "Type": "AWS::IAM::Role", "Properties": properties })
}

/// The document with what the template makes in the place of its texts.
fn replaced(document: &Value, references: &[(String, Value)]) -> Value {
    match document {
        Value::String(text) => references
            .iter()
            .find(|(literal, _)| literal == text)
            .map_or_else(|| document.clone(), |(_, reference)| reference.clone()),
        Value::Array(items) => items.iter().map(|item| replaced(item, references)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, value)| (key.clone(), replaced(value, references))).collect(),
        ),
        other => other.clone(),
    }
}

/// A logical id: letters and digits only.
fn logical(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            format!("{}{rest}", first.to_ascii_uppercase())
        })
        .collect()
}
