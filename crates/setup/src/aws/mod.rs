//! IAM of one account: the OIDC providers, and the roles that trust them.

mod observe;
mod write;

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use causeway_types::{AccountId, ServiceError, TooManyRequests, account_of_arn};
use serde_json::Value;

pub use observe::observe;

/// A client for one account.
#[derive(Debug, Clone)]
pub struct AwsAccount {
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
}

/// Whose credentials these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The ARN of the user or session.
    pub arn: String,
    /// Its account.
    pub account: Option<AccountId>,
}

/// What an account has of what matters here.
#[derive(Debug, Clone, Default)]
pub struct AccountState {
    /// The providers by ARN.
    pub providers: BTreeMap<String, Provider>,
    /// The ARNs of every provider that is there.
    pub all_providers: Vec<String>,
    /// Roles by name: those that the file names, and those that trust one of the providers.
    pub roles: BTreeMap<String, RoleState>,
}

/// An OIDC provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provider {
    /// Its audiences.
    pub audiences: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A role as IAM has it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleState {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its trust policy.
    pub trust: Value,
    /// The longest session, in seconds.
    pub max_session_seconds: u32,
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its inline policies.
    pub policies: BTreeMap<String, Value>,
    /// The ARNs of its managed policies.
    pub managed_policies: Vec<String>,
    /// The names of instance profiles that it is in.
    pub instance_profiles: Vec<String>,
}

impl AwsAccount {
    /// A client with the credentials of this configuration.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let iam = aws_sdk_iam::config::Builder::from(config).retry_classifier(TooManyRequests).build();
        let sts = aws_sdk_sts::config::Builder::from(config).retry_classifier(TooManyRequests).build();
        Self { iam: aws_sdk_iam::Client::from_conf(iam), sts: aws_sdk_sts::Client::from_conf(sts) }
    }

    /// Whose credentials these are.
    ///
    /// # Errors
    /// [`ServiceError`] when AWS does not take them.
    pub async fn caller(&self) -> Result<Caller, ServiceError> {
        let sent = self.sts.get_caller_identity().send().await;
        let answer = sent.map_err(|error| ServiceError::new("GetCallerIdentity", &error))?;
        let arn = answer.arn().unwrap_or_default().to_owned();
        Ok(Caller { account: account_of_arn(&arn), arn })
    }
}

impl RoleState {
    /// Whether a set-up made it.
    #[must_use]
    pub fn is_made_by(&self, setup: &str) -> bool {
        self.tags.get(crate::SETUP_TAG).is_some_and(|tag| tag == setup)
    }

    /// Whether its trust policy names the provider.
    #[must_use]
    pub fn trusts(&self, provider_arn: &str) -> bool {
        statements(&self.trust).any(|statement| {
            let principal = &statement["Principal"];
            texts(&principal["Federated"]).any(|arn| arn == provider_arn)
        })
    }
}

impl Provider {
    /// Whether a set-up, this one or another, made it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.tags.get(crate::MANAGED_BY.0).is_some_and(|tag| tag == crate::MANAGED_BY.1)
    }
}

/// The statements of a policy, which may be one alone.
pub(crate) fn statements(policy: &Value) -> impl Iterator<Item = &Value> {
    match &policy["Statement"] {
        Value::Array(items) => items.iter().collect::<Vec<_>>(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
    .into_iter()
}

/// One text or several.
pub(crate) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
        Value::String(text) => vec![text.as_str()],
        _ => Vec::new(),
    }
    .into_iter()
}
