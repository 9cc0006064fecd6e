use std::time::{SystemTime, UNIX_EPOCH};

use causeway_types::{RoleArn, ServiceErrorKind};

use crate::access_key::AccessKey;
use crate::azure_devops::TokenError;
use crate::claims::Claims;
use crate::plan::{PlanError, RoleRequest};
use crate::sts::StsError;

/// Why there are no credentials. `Display` says what failed and why; [`IdentityError::hint`] what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The plan does not hold together.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A federated plan was carried out without anything to get tokens from.
    #[error("there is nothing to get an OIDC token from")]
    NoTokenSource,
    /// Azure DevOps gave no token.
    #[error("no OIDC token for this job: {0}")]
    Token(#[source] TokenError),
    /// The machine has no credentials of its own.
    #[error("the agent's machine has no AWS credentials of its own: {reason}")]
    NoAgentCredentials {
        /// The SDK's words.
        reason: String,
    },
    /// STS did not give a role for a token.
    #[error("role {role} could not be assumed with the job's OIDC token: {failure}")]
    AssumeWithToken {
        /// The role.
        role: RoleArn,
        /// What the token claims.
        claims: Box<Claims>,
        /// How long a session was asked for, in seconds.
        seconds: i32,
        /// What STS answered.
        failure: StsFailure,
    },
    /// STS did not give a role for a key.
    #[error("role {role} could not be assumed with {with}: {failure}")]
    Assume {
        /// The role.
        role: RoleArn,
        /// What it was asked for with, in words: a key, or the session of the role before it.
        with: String,
        /// Whether an external ID was sent.
        external_id: bool,
        /// How long a session was asked for, in seconds.
        seconds: i32,
        /// What STS answered.
        failure: StsFailure,
    },
    /// STS did not say whose the key is.
    #[error("AWS did not confirm access key …{key_end}: {failure}")]
    Caller {
        /// The last four characters of the access key id: enough to find it, and no more than that.
        key_end: String,
        /// What STS answered.
        failure: StsFailure,
    },
}

/// What STS answered: its own refusal, or an answer without what it must hold.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct StsFailure(StsError);

impl StsFailure {
    /// AWS's error code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.0 {
            StsError::Service(error) => error.code(),
            StsError::Incomplete { .. } => None,
        }
    }

    fn kind(&self) -> Option<ServiceErrorKind> {
        match &self.0 {
            StsError::Service(error) => Some(error.kind()),
            StsError::Incomplete { .. } => None,
        }
    }

    fn says(&self, word: &str) -> bool {
        match &self.0 {
            StsError::Service(error) => error.message().contains(word),
            StsError::Incomplete { .. } => false,
        }
    }
}

impl IdentityError {
    pub(crate) fn assume_with_token(role: &RoleRequest, claims: &Claims, error: StsError) -> Self {
        Self::AssumeWithToken {
            role: role.arn.clone(),
            claims: Box::new(claims.clone()),
            seconds: role.duration.seconds(),
            failure: StsFailure(error),
        }
    }

    pub(crate) fn assume(role: &RoleRequest, with: &str, error: StsError) -> Self {
        Self::Assume {
            role: role.arn.clone(),
            with: with.to_owned(),
            external_id: role.external_id.is_some(),
            seconds: role.duration.seconds(),
            failure: StsFailure(error),
        }
    }

    pub(crate) fn caller(key: &AccessKey, error: StsError) -> Self {
        Self::Caller { key_end: key.id_end(), failure: StsFailure(error) }
    }

    /// What the reader can change, and where.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Plan(_) | Self::NoTokenSource => None,
            Self::Token(error) => Some(error.hint().to_owned()),
            Self::NoAgentCredentials { .. } => Some(
                "Give a connection, set the AWS.* pipeline variables, or give the agent's machine an instance or task role"
                    .to_owned(),
            ),
            Self::AssumeWithToken { role, claims, seconds, failure } => {
                common_hint(failure, *seconds).or_else(|| token_hint(role, claims, failure))
            }
            Self::Assume { role, external_id, seconds, failure, .. } => {
                common_hint(failure, *seconds).or_else(|| role_hint(role, *external_id, failure))
            }
            Self::Caller { failure, .. } => common_hint(failure, 0).or_else(|| key_hint(failure)),
        }
    }
}

/// What does not depend on how the role was asked for.
fn common_hint(failure: &StsFailure, seconds: i32) -> Option<String> {
    if failure.says("DurationSeconds") || failure.says("MaxSessionDuration") {
        return Some(format!(
            "{seconds} seconds are more than the role allows: lower durationSeconds (or variable aws.rolecredential.maxduration), or raise the role's maximum session duration; a role assumed by another role gets one hour at most"
        ));
    }
    match (failure.code(), failure.kind()?) {
        (Some("RegionDisabledException"), _) => Some(
            "Switch STS on for this region in the account's settings, or give another regionName".to_owned(),
        ),
        (_, ServiceErrorKind::Unreachable | ServiceErrorKind::TimedOut) => Some(
            "Check the agent's network, proxy and certificates, and that regionName is a region that exists"
                .to_owned(),
        ),
        (_, ServiceErrorKind::Throttled | ServiceErrorKind::Unavailable) => {
            Some("AWS went on answering so through all retries; run the step again".to_owned())
        }
        _ => None,
    }
}

fn token_hint(role: &RoleArn, claims: &Claims, failure: &StsFailure) -> Option<String> {
    let provider = claims.provider();
    let principal = format!("arn:{}:iam::{}:oidc-provider/{provider}", role.partition(), role.account());
    match failure.code()? {
        "AccessDenied" => Some(format!(
            "The role's trust policy must allow sts:AssumeRoleWithWebIdentity to {principal} where {provider}:sub is \"{}\" and {provider}:aud is \"{}\"; upper and lower case count",
            claims.subject,
            claims.aws_audience()
        )),
        "InvalidIdentityToken" if failure.says("audience") => Some(format!(
            "Account {} has the OIDC provider {principal}, but not for this audience: add {} to its audiences (client IDs)",
            role.account(),
            claims.aws_audience()
        )),
        "InvalidIdentityToken" if failure.says("verification key") => Some(format!(
            "AWS could not read the keys of {}; run the step again, and if it goes on, compare the provider's address with the token's issuer letter by letter",
            claims.issuer
        )),
        "InvalidIdentityToken" => Some(format!(
            "Account {} needs an IAM OIDC provider for {} with the audience {}",
            role.account(),
            claims.issuer,
            claims.aws_audience()
        )),
        "ExpiredTokenException" => Some(expired_hint(claims)),
        "IDPCommunicationError" => {
            Some("AWS could not read the issuer's keys; run the step again".to_owned())
        }
        _ => None,
    }
}

/// A token that comes fresh from Azure DevOps and is too old for AWS: two clocks differ, and where it is the agent's the
/// token's own time tells by how much.
fn expired_hint(claims: &Claims) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let ahead =
        claims.issued_at.map(|issued| i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(issued) / 60);
    match ahead {
        Some(minutes) if minutes.abs() >= 2 => {
            let direction = if minutes > 0 { "ahead of" } else { "behind" };
            format!(
                "The token has just been made, and by its time the clock of the agent's machine is {} minutes {direction} Azure DevOps: set the clock, or run the step again",
                minutes.abs()
            )
        }
        _ => "The token has just been made: run the step again".to_owned(),
    }
}

fn role_hint(role: &RoleArn, external_id: bool, failure: &StsFailure) -> Option<String> {
    match failure.code()? {
        "AccessDenied" => Some(format!(
            "The identity that asks needs permission for sts:AssumeRole on {role}, and the role's trust policy must name it{}",
            if external_id { " and the external ID that was sent" } else { "; no external ID was sent" }
        )),
        _ => key_hint(failure),
    }
}

fn key_hint(failure: &StsFailure) -> Option<String> {
    match failure.code()? {
        "InvalidClientTokenId" => {
            Some("The access key id does not exist, is inactive, or its session token is missing or of another key".to_owned())
        }
        "SignatureDoesNotMatch" => {
            Some("The secret access key does not belong to the access key id, or the agent's clock is off".to_owned())
        }
        "ExpiredToken" | "ExpiredTokenException" => {
            Some("The session that the key belongs to is over: store a new key or use OIDC".to_owned())
        }
        "RequestExpired" => Some("Check the clock of the agent's machine".to_owned()),
        _ => None,
    }
}
