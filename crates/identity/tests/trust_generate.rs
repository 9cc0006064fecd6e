//! Generated policies: what they let in, and that each format can be read by what reads it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]

mod trust_support;

use std::io::Write;
use std::process::{Command, Stdio};

use causeway_identity::trust::{
    Decision, Format, GeneratedTrust, Policy, TrustedIdentity, TrustedRole, evaluate, generate, remarks,
};
use causeway_types::RoleArn;
use proptest::prelude::*;
use serde_json::{Value, json};
use trust_support::{AUD, HOST, ORGANIZATION, SUB, claims, claims_of, request_of};

const CONNECTION: &str = "64171687-7a59-4fce-b2c8-823278dcf176";
const TENANT: &str = "ff882432-09b0-437b-bd22-ca13c0037ded";

fn role(arn: &str) -> TrustedRole {
    TrustedRole::from(&arn.parse::<RoleArn>().unwrap())
}

fn for_subject(subject: &str) -> GeneratedTrust {
    let identity = TrustedIdentity::of_claims(&claims_of(subject));
    generate(&[identity], &role("arn:aws:iam::123456789012:role/deploy"))
}

fn for_both() -> GeneratedTrust {
    let old = TrustedIdentity::of_names(ORGANIZATION, "contoso", "shop", "aws-prod").unwrap();
    let new = TrustedIdentity::of_entra(TENANT, ORGANIZATION, CONNECTION).unwrap();
    generate(&[old, new], &role("arn:aws:iam::123456789012:role/team/deploy"))
}

fn lets_in(trust: &GeneratedTrust, claims: &causeway_identity::Claims) -> bool {
    let policy = Policy::parse(&trust.policy().to_string()).unwrap();
    let request = request_of(claims);
    assert!(remarks(&policy, &request).is_empty());
    matches!(evaluate(&policy, &request), Decision::Granted { .. })
}

#[test]
fn a_token_gets_the_policy_that_lets_it_in_and_no_other() {
    let trust = for_subject(SUB);
    assert!(lets_in(&trust, &claims_of(SUB)));
    for other in ["sc://contoso/shop/aws-dev", "sc://contoso/Shop/aws-prod", "p://contoso/shop/aws-prod"] {
        assert!(!lets_in(&trust, &claims_of(other)), "{other}");
    }
    let other_audience = json!({ "iss": format!("https://{HOST}"), "sub": SUB, "aud": "api://other" });
    assert!(!lets_in(&trust, &claims(&other_audience)));
}

#[test]
fn signs_with_a_meaning_in_policies_stand_for_themselves() {
    for subject in [
        "sc://contoso/shop/${aws:username}",
        "sc://contoso/shop/*",
        "sc://contoso/shop/${*}",
        "sc://contoso/shop/a?",
    ] {
        let trust = for_subject(subject);
        assert!(lets_in(&trust, &claims_of(subject)), "{subject}");
        assert!(!lets_in(&trust, &claims_of("sc://contoso/shop/aws")), "{subject}");
    }
}

#[test]
fn both_issuers_get_a_provider_and_a_statement_each() {
    let trust = for_both();
    let providers: Vec<_> = trust.providers().map(|provider| provider.url.as_str()).collect();
    assert_eq!(
        providers,
        [format!("https://{HOST}"), format!("https://login.microsoftonline.com/{TENANT}/v2.0")]
    );
    assert_eq!(trust.policy()["Statement"].as_array().unwrap().len(), 2);
    assert!(lets_in(&trust, &claims_of(SUB)));
    let subject = format!(
        "/eid1/c/pub/t/MiSI_7AJe0O9IsoTwAN97Q/a/rISbSSETf0KqFyZ8ppdXmA/sc/{ORGANIZATION}/{CONNECTION}"
    );
    let entra = |audience: &str, more: Value| {
        let mut token = json!({ "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "sub": subject, "aud": audience });
        token.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims(&token)
    };
    assert!(lets_in(&trust, &entra(AUD, json!({}))));
    let azp = json!({ "azp": "499b84ac-1321-427f-aa17-267ca6975798" });
    assert!(lets_in(&trust, &entra("fb60f99c-7a34-4190-8149-302f77469936", azp)));
    assert!(!lets_in(&trust, &entra("api://other", json!({}))));
}

#[test]
fn the_audience_of_a_token_with_azp_is_its_azp() {
    let token = claims(&json!({ "iss": format!("https://{HOST}"), "sub": SUB, "aud": "x", "azp": "y" }));
    let trust =
        generate(&[TrustedIdentity::of_claims(&token)], &role("arn:aws:iam::123456789012:role/deploy"));
    assert_eq!(trust.providers().next().unwrap().audiences, ["y"]);
    assert!(lets_in(&trust, &token));
}

#[test]
fn json_holds_the_parameters_of_both_calls_and_can_be_checked_again() {
    let text = for_both().write(Format::Json);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        document["OpenIDConnectProviders"][0],
        json!({ "Url": format!("https://{HOST}"), "ClientIDList": [AUD] })
    );
    assert_eq!(document["Role"]["RoleName"], "deploy");
    assert_eq!(document["Role"]["Path"], "/team/");
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.role().unwrap().as_str(), "arn:aws:iam::123456789012:role/team/deploy");
    assert!(matches!(evaluate(&policy, &request_of(&claims_of(SUB))), Decision::Granted { .. }));
}

#[test]
fn terraform_is_laid_out_as_terraform_does() {
    let text = for_subject(SUB).write(Format::Terraform);
    assert_eq!(
        text,
        format!(
            r#"# An account has one provider per issuer: where it exists, add the audience there and name its ARN below.
resource "aws_iam_openid_connect_provider" "azure_devops" {{
  url            = "https://{HOST}"
  client_id_list = ["{AUD}"]
}}

resource "aws_iam_role" "azure_pipelines" {{
  name = "deploy"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [
      {{
        Effect    = "Allow"
        Principal = {{ Federated = aws_iam_openid_connect_provider.azure_devops.arn }}
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = {{
          StringEquals = {{
            "{HOST}:aud" = "{AUD}"
            "{HOST}:sub" = "{SUB}"
          }}
        }}
      }},
    ]
  }})
}}
"#
        )
    );
    let nasty = for_subject("sc://contoso/a \"b\" \\ ${c} %{d}/##vso[x]\u{200b}😀\u{8}\u{7f}");
    for trust in [for_both(), for_subject(SUB), nasty] {
        format_check(&trust.write(Format::Terraform));
    }
}

/// `terraform fmt -check` where there is a terraform: it parses the text, and finds nothing to move.
fn format_check(text: &str) {
    let Ok(mut terraform) = Command::new("terraform")
        .args(["fmt", "-check", "-diff", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        return;
    };
    terraform.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = terraform.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&said));
}

#[test]
fn cloudformation_is_yaml_with_the_same_policy() {
    for trust in [for_subject(SUB), for_both()] {
        let document: Value = serde_saphyr::from_str(&trust.write(Format::CloudFormation)).unwrap();
        assert_eq!(with_arns(&document), trust.policy());
        for provider in trust.providers() {
            let written = resources(&document)
                .find(|resource| resource["Properties"]["Url"] == provider.url.as_str())
                .expect("a provider for each issuer");
            assert_eq!(written["Type"], "AWS::IAM::OIDCProvider");
            assert_eq!(written["Properties"]["ClientIdList"], json!(provider.audiences));
            assert!(written["Properties"]["ThumbprintList"].is_null());
        }
    }
}

fn resources(document: &Value) -> impl Iterator<Item = &Value> {
    document["Resources"].as_object().unwrap().values()
}

/// The role's policy with each `Ref` replaced by the ARN that CloudFormation puts there.
fn with_arns(document: &Value) -> Value {
    let mut policy =
        document["Resources"]["AzurePipelinesRole"]["Properties"]["AssumeRolePolicyDocument"].clone();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let name = statement["Principal"]["Federated"]["Ref"].as_str().unwrap().to_owned();
        let url = document["Resources"][name]["Properties"]["Url"].as_str().unwrap().to_owned();
        let host = url.strip_prefix("https://").unwrap();
        statement["Principal"]["Federated"] =
            json!(format!("arn:aws:iam::123456789012:oidc-provider/{host}"));
    }
    policy
}

#[test]
fn other_partitions_and_paths_keep_their_own() {
    let identity = TrustedIdentity::of_claims(&claims_of(SUB));
    let trust = generate(&[identity], &role("arn:aws-us-gov:iam::123456789012:role/a/b/deploy"));
    let principal = &trust.policy()["Statement"][0]["Principal"]["Federated"];
    assert!(principal.as_str().unwrap().starts_with("arn:aws-us-gov:iam::123456789012:oidc-provider/"));
    assert!(trust.write(Format::Terraform).contains("  path = \"/a/b/\"\n"));
    assert!(trust.write(Format::CloudFormation).contains("      Path: \"/a/b/\"\n"));
}

proptest! {
    #[test]
    fn every_subject_is_let_in_by_its_own_policy_in_every_format(
        name in "(\\PC|[$%{}\"\\\\#*?\u{200b}\u{8}\n]){0,20}",
    ) {
        let subject = format!("sc://contoso/shop/{name}");
        let token = claims_of(&subject);
        let trust = for_subject(&subject);
        prop_assert!(lets_in(&trust, &token));
        let json = trust.write(Format::Json);
        let template = trust.write(Format::CloudFormation);
        let policy = Policy::parse(&json).unwrap();
        let granted = matches!(evaluate(&policy, &request_of(&token)), Decision::Granted { .. });
        prop_assert!(granted);
        let document: Value = serde_saphyr::from_str(&template).unwrap();
        prop_assert_eq!(with_arns(&document), trust.policy());
        for text in [json, template, trust.write(Format::Terraform)] {
            prop_assert!(!text.contains("##"), "{}", text);
        }
    }
}
