use serde_json::{Value, json};

use super::GeneratedTrust;
use super::quote::escape_unseen;

/// Parameters of `CreateOpenIDConnectProvider`, and the role in the form in which `GetRole` answers it.
pub(super) fn write(trust: &GeneratedTrust) -> String {
    let providers: Vec<Value> = trust
        .providers()
        .map(|provider| json!({ "Url": provider.url, "ClientIDList": provider.audiences }))
        .collect();
    let document = json!({
        "OpenIDConnectProviders": providers,
        "Role": {
            "Path": trust.role.path,
            "RoleName": trust.role.name,
            "Arn": trust.role.arn(),
            "AssumeRolePolicyDocument": trust.policy(),
        },
    });
    escape_unseen(&format!("{document:#}\n"))
}
