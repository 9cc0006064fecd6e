use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::account::{AccessKey, Role};
use super::{Caller, StsError};

/// A decoded STS request and the caller whose signature held; unsigned requests have none.
#[derive(Debug)]
pub(crate) struct StsRequest {
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) caller: Option<Caller>,
}

impl StsRequest {
    /// A parameter; empty when absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub(super) fn caller(&self) -> Result<&Caller, StsError> {
        self.caller.as_ref().ok_or_else(StsError::missing_authentication)
    }

    /// A parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, StsError> {
        match self.text(name) {
            "" => {
                let field = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
                Err(StsError::validation(format!(
                    "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must \
                     not be null"
                )))
            }
            text => Ok(text),
        }
    }

    /// `RoleSessionName`, of 2 to 64 letters, digits and `_+=,.@-`.
    pub(super) fn session_name(&self) -> Result<&str, StsError> {
        let name = self.required("RoleSessionName")?;
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        if (2..=64).contains(&name.len()) && name.bytes().all(good) {
            return Ok(name);
        }
        Err(StsError::validation(format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [\\w+=,.@-]*"
        )))
    }

    /// The session's length in seconds and whether it was asked for.
    pub(super) fn duration(&self, role: &Role) -> Result<(u64, bool), StsError> {
        let text = self.text("DurationSeconds");
        if text.is_empty() {
            return Ok((3600, false));
        }
        let seconds: u64 = text.parse().unwrap_or_default();
        if !(900..=43200).contains(&seconds) {
            let (word, bound) = if seconds < 900 { ("greater", 900) } else { ("less", 43200) };
            return Err(StsError::validation(format!(
                "1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member \
                 must have value {word} than or equal to {bound}"
            )));
        }
        if seconds > role.maximum_duration {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(StsError::validation(message));
        }
        Ok((seconds, true))
    }

    /// What a session remembers of its request.
    pub(super) fn remembered(&self) -> Vec<(String, String)> {
        let mut parameters = self.parameters.clone();
        parameters.retain(|(key, _)| key != "WebIdentityToken");
        parameters
    }
}

/// `Credentials` and `AssumedRoleUser` as both calls answer them.
pub(super) fn credentials(key: &AccessKey, expires: SystemTime, caller: &Caller) -> String {
    let expires = OffsetDateTime::from(expires).replace_nanosecond(0).expect("a time");
    let expires = expires.format(&Rfc3339).expect("a time");
    format!(
        "<AssumedRoleUser><Arn>{}</Arn><AssumedRoleId>{}</AssumedRoleId></AssumedRoleUser><Credentials>\
         <AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials>",
        caller.arn,
        caller.id,
        key.id,
        key.secret,
        key.session_token.as_deref().unwrap_or_default(),
    )
}
