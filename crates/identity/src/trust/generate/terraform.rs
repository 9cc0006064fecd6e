use super::quote::quoted_hcl;
use super::{GeneratedTrust, Grant, OidcProvider};
use crate::trust::evaluate::ACTION;

/// Resources for `hashicorp/aws`, laid out as `terraform fmt` does.
pub(super) fn write(trust: &GeneratedTrust) -> String {
    let mut text = String::from(
        "# An account has one provider per issuer: where it exists, add the audience there and name its ARN below.\n",
    );
    for provider in trust.providers() {
        text += &format!(
            "resource \"aws_iam_openid_connect_provider\" \"{}\" {{\n  url            = {}\n  client_id_list = [{}]\n}}\n\n",
            name(provider),
            quoted_hcl(&provider.url),
            list(&provider.audiences)
        );
    }
    text += &format!(
        "resource \"aws_iam_role\" \"azure_pipelines\" {{\n  name = {}\n",
        quoted_hcl(&trust.role.name)
    );
    if trust.role.path != "/" {
        text += &format!("  path = {}\n", quoted_hcl(&trust.role.path));
    }
    text += "  assume_role_policy = jsonencode({\n    Version = \"2012-10-17\"\n    Statement = [\n";
    text.extend(trust.grants.iter().map(statement));
    text += "    ]\n  })\n}\n";
    text
}

fn statement(grant: &Grant) -> String {
    let [audience, subject] = grant.keys().map(|key| quoted_hcl(&key));
    let audiences = match grant.provider.audiences.as_slice() {
        [one] => quoted_hcl(one),
        several => format!("[{}]", list(several)),
    };
    format!(
        "      {{
        Effect    = \"Allow\"
        Principal = {{ Federated = aws_iam_openid_connect_provider.{}.arn }}
        Action    = {}
        Condition = {{
          StringEquals = {{
            {audience} = {audiences}
            {subject} = {}
          }}
        }}
      }},\n",
        name(&grant.provider),
        quoted_hcl(ACTION),
        quoted_hcl(&grant.subject()),
    )
}

fn list(values: &[String]) -> String {
    values.iter().map(|value| quoted_hcl(value)).collect::<Vec<_>>().join(", ")
}

fn name(provider: &OidcProvider) -> &'static str {
    if provider.is_entra() { "azure_devops_entra" } else { "azure_devops" }
}
