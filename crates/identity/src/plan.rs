use causeway_types::{Region, RoleArn};

use crate::access_key::AccessKey;
use crate::session::{ExternalId, SessionDuration, SessionName};

/// Who to begin as.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// A token of the [`crate::TokenSource`], exchanged for the first role.
    Federated,
    /// A given access key.
    AccessKey(AccessKey),
    /// What this machine has: environment, shared profile, container or instance metadata, in the SDK's order.
    Agent,
}

/// A role to become, and how.
#[derive(Debug, Clone)]
pub struct RoleRequest {
    /// The role.
    pub arn: RoleArn,
    /// What its session is called.
    pub session_name: SessionName,
    /// What its trust policy may ask for.
    pub external_id: Option<ExternalId>,
    /// How long its session lasts.
    pub duration: SessionDuration,
}

/// A checked way from nothing to credentials: begin as somebody, then become each role with the one before it.
#[derive(Debug, Clone)]
pub struct IdentityPlan {
    pub(crate) region: Region,
    pub(crate) authentication: Authentication,
    pub(crate) roles: Vec<RoleRequest>,
}

/// A plan that AWS could not carry out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A token alone gives no credentials.
    #[error(
        "OIDC gives credentials only for a role, and no role is named: give one in the connection or in input roleArn"
    )]
    FederatedWithoutRole,
    /// STS takes no external ID with a web identity.
    #[error(
        "an external ID is given for role {role}, which is assumed with an OIDC token: AWS takes none there (AssumeRoleWithWebIdentity); clear externalId"
    )]
    ExternalIdWithFederation {
        /// The role.
        role: RoleArn,
    },
    /// Role and region lie in different worlds.
    #[error(
        "role {role} belongs to partition {role_partition} but region {region} to {region_partition}: give a region of the role's partition in input regionName"
    )]
    ForeignPartition {
        /// The role.
        role: RoleArn,
        /// The role's partition.
        role_partition: &'static str,
        /// The region.
        region: Region,
        /// The region's partition.
        region_partition: &'static str,
    },
}

impl IdentityPlan {
    /// Checks what can be checked without asking AWS.
    ///
    /// # Errors
    /// [`PlanError`] says what does not go together.
    pub fn new(
        region: Region,
        authentication: Authentication,
        roles: Vec<RoleRequest>,
    ) -> Result<Self, PlanError> {
        if matches!(authentication, Authentication::Federated) {
            let first = roles.first().ok_or(PlanError::FederatedWithoutRole)?;
            if first.external_id.is_some() {
                return Err(PlanError::ExternalIdWithFederation { role: first.arn.clone() });
            }
        }
        let partition = region.partition().id();
        if let Some(role) = roles.iter().find(|role| role.arn.partition() != partition) {
            return Err(PlanError::ForeignPartition {
                role: role.arn.clone(),
                role_partition: role.arn.partition(),
                region_partition: partition,
                region,
            });
        }
        Ok(Self { region, authentication, roles })
    }

    /// The region whose STS is asked, and in which the credentials are to be used.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Who to begin as.
    #[must_use]
    pub fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// The roles in the order in which they are assumed.
    #[must_use]
    pub fn roles(&self) -> &[RoleRequest] {
        &self.roles
    }
}
