use aws_sdk_iam::Client;
use aws_types::SdkConfig;
use causeway_types::{RoleArn, ServiceError};

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
    let answer = Client::new(config).get_role().role_name(role.name()).send().await;
    let answer = answer.map_err(|error| ServiceError::new("GetRole", &error))?;
    let document = answer.role.and_then(|role| role.assume_role_policy_document).unwrap_or_default();
    Ok(Policy::parse(&document)?)
}
