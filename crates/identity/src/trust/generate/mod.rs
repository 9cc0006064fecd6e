//! The OIDC provider and the trust policy that a token needs.

mod cloudformation;
mod json;
mod quote;
mod subject;
mod terraform;

use causeway_types::{AccountId, RoleArn};
use serde_json::{Value, json};

pub use subject::{InvalidTrustedIdentity, TrustedIdentity};

use super::evaluate::ACTION;

/// How to write it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The parameters of `CreateOpenIDConnectProvider` and `CreateRole`.
    Json,
    /// Resources of the provider `hashicorp/aws`.
    Terraform,
    /// A template in YAML.
    CloudFormation,
}

/// The role that is to trust the identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedRole {
    partition: String,
    account: AccountId,
    path: String,
    name: String,
}

impl TrustedRole {
    /// The role of an ARN.
    #[must_use]
    pub fn of_arn(arn: &RoleArn) -> Self {
        let resource = arn.as_str().split_once(":role").map_or("/", |(_, path)| path);
        let path = resource.strip_suffix(arn.name()).unwrap_or("/");
        Self {
            partition: arn.partition().to_owned(),
            account: arn.account().clone(),
            path: path.to_owned(),
            name: arn.name().to_owned(),
        }
    }

    fn arn(&self) -> String {
        format!("arn:{}:iam::{}:role{}{}", self.partition, self.account, self.path, self.name)
    }
}

impl From<&RoleArn> for TrustedRole {
    fn from(arn: &RoleArn) -> Self {
        Self::of_arn(arn)
    }
}

/// An OIDC provider, as `CreateOpenIDConnectProvider` takes it.
///
/// It has no thumbprint: "This parameter is optional. If it is not included, IAM will retrieve and use the top
/// intermediate certificate authority (CA) thumbprint" (IAM API Reference, "CreateOpenIDConnectProvider"), and an
/// issuer whose certificate comes from a CA in AWS's own library, as those of Azure DevOps and Entra do, is verified
/// by that library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcProvider {
    /// The issuer, with `https://`.
    pub url: String,
    /// Its audiences ("client IDs").
    pub audiences: Vec<String>,
}

impl OidcProvider {
    /// The issuer as condition keys and ARNs name it.
    fn host(&self) -> &str {
        self.url.strip_prefix("https://").unwrap_or(&self.url)
    }

    fn is_entra(&self) -> bool {
        !self.host().starts_with("vstoken.dev.azure.com/")
    }
}

/// What [`generate`] wrote, to be shown in a [`Format`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedTrust {
    role: TrustedRole,
    grants: Vec<Grant>,
}

/// One provider and who may come through it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    provider: OidcProvider,
    subject: String,
}

/// Writes a trust policy that lets exactly these identities assume the role, one statement each, and the providers
/// that their tokens come through.
#[must_use]
pub fn generate(identities: &[TrustedIdentity], role: &TrustedRole) -> GeneratedTrust {
    let grants = identities.iter().map(|identity| Grant {
        provider: OidcProvider { url: identity.issuer.clone(), audiences: identity.audiences.clone() },
        subject: identity.subject.clone(),
    });
    GeneratedTrust { role: role.clone(), grants: grants.collect() }
}

impl GeneratedTrust {
    /// The providers that the role's account needs, each issuer once.
    pub fn providers(&self) -> impl Iterator<Item = &OidcProvider> {
        let earlier = |at: usize, url: &str| self.grants[..at].iter().any(|grant| grant.provider.url == url);
        let new = move |(at, grant): &(usize, &Grant)| !earlier(*at, &grant.provider.url);
        self.grants.iter().enumerate().filter(new).map(|(_, grant)| &grant.provider)
    }

    /// The trust policy as IAM takes it.
    #[must_use]
    pub fn policy(&self) -> Value {
        let statements: Vec<Value> = self.grants.iter().map(|grant| self.statement(grant)).collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    /// The whole text in one of the formats, with a line feed at its end.
    #[must_use]
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Json => json::write(self),
            Format::Terraform => terraform::write(self),
            Format::CloudFormation => cloudformation::write(self),
        }
    }

    fn statement(&self, grant: &Grant) -> Value {
        let [audience, subject] = grant.keys();
        json!({
            "Effect": "Allow",
            "Principal": { "Federated": self.provider_arn(&grant.provider) },
            "Action": ACTION,
            "Condition": { "StringEquals": { audience: grant.audience(), subject: grant.subject() } },
        })
    }

    fn provider_arn(&self, provider: &OidcProvider) -> String {
        format!("arn:{}:iam::{}:oidc-provider/{}", self.role.partition, self.role.account, provider.host())
    }
}

impl Grant {
    /// The condition keys of audience and subject.
    fn keys(&self) -> [String; 2] {
        ["aud", "sub"].map(|claim| format!("{}:{claim}", self.provider.host()))
    }

    fn audience(&self) -> Value {
        match self.provider.audiences.as_slice() {
            [one] => json!(one),
            several => json!(several),
        }
    }

    /// The subject as a value of a condition, where `${` would begin a policy variable ("${$} - use where you need a $
    /// (dollar sign) character", IAM User Guide, "IAM policy elements: Variables and tags").
    fn subject(&self) -> String {
        self.subject.replace("${", "${$}{")
    }
}
