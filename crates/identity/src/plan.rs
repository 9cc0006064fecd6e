use causeway_types::{AccountId, Region, RoleArn};

use crate::access_key::AccessKey;
use crate::limits::{ManagedPolicyArn, SessionPolicy, SessionTag, SourceIdentity};
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

/// A role to become, and how. [`RoleRequest::new`] asks for nothing special; the fields add to it.
#[derive(Debug, Clone)]
pub struct RoleRequest {
    /// The role.
    pub arn: RoleArn,
    /// What its session is called.
    pub session_name: SessionName,
    /// How long its session lasts.
    pub duration: SessionDuration,
    /// What its trust policy may ask for.
    pub external_id: Option<ExternalId>,
    /// Narrows what the session may do.
    pub policy: Option<SessionPolicy>,
    /// Narrow what the session may do.
    pub managed_policies: Vec<ManagedPolicyArn>,
    /// Tags of the session.
    pub tags: Vec<SessionTag>,
    /// Keys of those tags that pass on to the roles assumed with this session.
    pub transitive_tag_keys: Vec<String>,
    /// Who began the chain.
    pub source_identity: Option<SourceIdentity>,
}

impl RoleRequest {
    /// A session of the shortest length, with nothing besides its name.
    #[must_use]
    pub fn new(arn: RoleArn, session_name: SessionName) -> Self {
        Self {
            arn,
            session_name,
            duration: SessionDuration::DEFAULT,
            external_id: None,
            policy: None,
            managed_policies: Vec::new(),
            tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
        }
    }

    /// The first thing in it that `AssumeRoleWithWebIdentity` has no parameter for, and what does its work there.
    fn unfit_for_token(&self) -> Option<(&'static str, &'static str)> {
        if self.external_id.is_some() {
            return Some(("an external ID", "the trust policy's condition on sub does its work"));
        }
        if !self.tags.is_empty() {
            return Some((
                "session tags",
                "AWS takes them from claims of the token only, and Azure DevOps sends none",
            ));
        }
        let source_identity = "AWS takes it from a claim of the token only, and Azure DevOps sends none";
        self.source_identity.as_ref().map(|_| ("a source identity", source_identity))
    }
}

/// A checked way from nothing to credentials: begin as somebody, then become each role with the one before it.
#[derive(Debug, Clone)]
pub struct IdentityPlan {
    pub(crate) region: Region,
    pub(crate) authentication: Authentication,
    pub(crate) roles: Vec<RoleRequest>,
    shortened: Option<SessionDuration>,
}

/// A plan that AWS could not carry out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A token alone gives no credentials.
    #[error(
        "OIDC gives credentials only for a role, and no role is named: give one in the connection or in input roleArn"
    )]
    FederatedWithoutRole,
    /// STS has no such parameter for a web identity.
    #[error(
        "role {role} is assumed with an OIDC token, and AWS takes no request for {what} there (AssumeRoleWithWebIdentity): {instead}; clear it, or give it to a role that is assumed after this one"
    )]
    NotWithToken {
        /// The role.
        role: RoleArn,
        /// What it takes not.
        what: &'static str,
        /// What does its work.
        instead: &'static str,
    },
    /// Something is asked for a role session, and no role is assumed.
    #[error(
        "{what} can only be given to a role, and no role is assumed: give one in the connection or in input roleArn, or clear it"
    )]
    NothingToApplyTo {
        /// What is asked for.
        what: &'static str,
    },
    /// Role or policy and region lie in different worlds.
    #[error(
        "{arn} belongs to partition {arn_partition} but region {region} to {region_partition}: give a region of that partition in input regionName"
    )]
    ForeignPartition {
        /// The role or policy.
        arn: String,
        /// Its partition.
        arn_partition: &'static str,
        /// The region.
        region: Region,
        /// The region's partition.
        region_partition: &'static str,
    },
}

impl IdentityPlan {
    /// Checks what can be checked without asking AWS.
    ///
    /// A session that another role's session assumes lasts one hour at most; a longer wish is shortened, and
    /// [`IdentityPlan::shortened_from`] tells so.
    ///
    /// # Errors
    /// [`PlanError`] says what does not go together.
    pub fn new(
        region: Region,
        authentication: Authentication,
        mut roles: Vec<RoleRequest>,
    ) -> Result<Self, PlanError> {
        let federated = matches!(authentication, Authentication::Federated);
        if federated {
            let first = roles.first().ok_or(PlanError::FederatedWithoutRole)?;
            if let Some((what, instead)) = first.unfit_for_token() {
                return Err(PlanError::NotWithToken { role: first.arn.clone(), what, instead });
            }
        }
        check_partitions(&region, &roles)?;
        let mut shortened = None;
        for role in roles.iter_mut().skip(1) {
            if role.duration > SessionDuration::MOST_CHAINED {
                shortened = Some(role.duration);
                role.duration = SessionDuration::MOST_CHAINED;
            }
        }
        Ok(Self { region, authentication, roles, shortened })
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

    /// The length that was asked for, where AWS gives a chained session only an hour.
    #[must_use]
    pub fn shortened_from(&self) -> Option<SessionDuration> {
        self.shortened
    }

    /// The account that the last role belongs to, known before anything is sent; `None` without roles.
    #[must_use]
    pub fn final_account(&self) -> Option<&AccountId> {
        self.roles.last().map(|role| role.arn.account())
    }
}

fn check_partitions(region: &Region, roles: &[RoleRequest]) -> Result<(), PlanError> {
    let here = region.partition().id();
    let arns = roles.iter().flat_map(|role| {
        let policies = role.managed_policies.iter().map(|policy| (policy.as_str(), policy.partition()));
        std::iter::once((role.arn.as_str(), role.arn.partition())).chain(policies)
    });
    match arns.into_iter().find(|(_, partition)| *partition != here) {
        None => Ok(()),
        Some((arn, arn_partition)) => Err(PlanError::ForeignPartition {
            arn: arn.to_owned(),
            arn_partition,
            region: region.clone(),
            region_partition: here,
        }),
    }
}
