use super::{StsError, StsRequest};
use crate::random;

/// Who signs a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The user's ARN, or the session's.
    pub(crate) arn: String,
    /// What a trust policy names: the user's ARN, or that of the session's role.
    pub(super) principal: String,
    pub(crate) account: String,
    pub(super) id: String,
    pub(super) is_session: bool,
}

impl Caller {
    pub(super) fn user(account: &str, name: &str) -> Self {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        Self {
            principal: arn.clone(),
            arn,
            account: account.to_owned(),
            id: random::id("AIDA", 21),
            is_session: false,
        }
    }

    /// The session `name` of a role whose unique id is `role_id`.
    pub(super) fn session(role_arn: &str, role_id: &str, name: &str) -> Self {
        let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
        let (partition, account) = (parts[1], parts[4]);
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        Self {
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}"),
            principal: role_arn.to_owned(),
            account: account.to_owned(),
            id: format!("{role_id}:{name}"),
            is_session: true,
        }
    }
}

/// Answers `GetCallerIdentity`.
pub(super) fn identity(request: &StsRequest) -> Result<String, StsError> {
    let caller = request.caller()?;
    Ok(format!(
        "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
        caller.arn, caller.id, caller.account
    ))
}
