use super::quote::quoted;
use super::{GeneratedTrust, Grant, OidcProvider};
use crate::trust::evaluate::ACTION;

/// A template with `AWS::IAM::OIDCProvider`, whose `Ref` is its ARN, and `AWS::IAM::Role`.
pub(super) fn write(trust: &GeneratedTrust) -> String {
    let mut text = String::from(
        "AWSTemplateFormatVersion: \"2010-09-09\"
# An account has one provider per issuer: where it exists, add the audience there and name its ARN below.
# A role with a name of its own needs the capability CAPABILITY_NAMED_IAM.
Resources:\n",
    );
    for provider in trust.providers() {
        text += &format!(
            "  {}:\n    Type: AWS::IAM::OIDCProvider\n    Properties:\n      Url: {}\n      ClientIdList:\n{}",
            name(provider),
            quoted(&provider.url),
            list(&provider.audiences, 8)
        );
    }
    text += &format!(
        "  AzurePipelinesRole:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName: {}\n",
        quoted(&trust.role.name)
    );
    if trust.role.path != "/" {
        text += &format!("      Path: {}\n", quoted(&trust.role.path));
    }
    text += "      AssumeRolePolicyDocument:\n        Version: \"2012-10-17\"\n        Statement:\n";
    text.extend(trust.grants.iter().map(statement));
    text
}

fn statement(grant: &Grant) -> String {
    let [audience, subject] = grant.keys().map(|key| quoted(&key));
    let audiences = match grant.provider.audiences.as_slice() {
        [one] => format!(" {}\n", quoted(one)),
        several => format!("\n{}", list(several, 18)),
    };
    format!(
        "          - Effect: Allow
            Principal:
              Federated:
                Ref: {}
            Action: {ACTION}
            Condition:
              StringEquals:
                {audience}:{audiences}                {subject}: {}\n",
        name(&grant.provider),
        quoted(&grant.subject()),
    )
}

fn list(values: &[String], indent: usize) -> String {
    values.iter().map(|value| format!("{:indent$}- {}\n", "", quoted(value))).collect()
}

fn name(provider: &OidcProvider) -> &'static str {
    if provider.is_entra() { "AzureDevOpsEntraProvider" } else { "AzureDevOpsProvider" }
}
