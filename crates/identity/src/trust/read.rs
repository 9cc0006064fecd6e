use aws_sdk_iam::Client;
use aws_sdk_iam::config::Builder;
use aws_types::SdkConfig;
use causeway_types::{RoleArn, ServiceError, TooManyRequests};

use super::{Policy, PolicyError};

/// Why a role's own trust policy is not known.
#[derive(Debug, thiserror::Error)]
pub enum ReadPolicyError {
    /// IAM does not hand it out.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// IAM did, and it cannot be judged.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// The trust policy that a role has now (`GetRole`, which needs `iam:GetRole`). The role must be in the account of the
/// configuration's credentials.
///
/// # Errors
/// [`ReadPolicyError`].
pub async fn read_policy(config: &SdkConfig, role: &RoleArn) -> Result<Policy, ReadPolicyError> {
    let client = Client::from_conf(Builder::from(config).retry_classifier(TooManyRequests).build());
    let answer = client.get_role().role_name(role.name()).send().await;
    let answer = answer.map_err(|error| ServiceError::new("GetRole", &error))?;
    let document = answer.role.and_then(|role| role.assume_role_policy_document).unwrap_or_default();
    Ok(Policy::parse(&document)?)
}
