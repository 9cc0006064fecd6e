/// A refusal, with the status, code and sentence that AWS would send.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct StsError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl StsError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn invalid_action(action: &str) -> Self {
        Self::new(400, "InvalidAction", format!("Could not find operation {action} for version 2011-06-15"))
    }

    pub(super) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    pub(super) fn expired_token(message: impl Into<String>) -> Self {
        Self::new(400, "ExpiredTokenException", message)
    }

    pub(super) fn invalid_identity_token(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidIdentityToken", message)
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// The session of a signed request is over.
    pub(super) fn expired_session() -> Self {
        Self::new(403, "ExpiredToken", "The security token included in the request is expired")
    }

    /// The access key is unknown, or its session token is missing or another's.
    pub(super) fn invalid_client() -> Self {
        Self::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    }

    pub(crate) fn missing_authentication() -> Self {
        Self::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
    }

    /// The signature's time is too far from AWS's.
    pub(crate) fn skewed(service: &str, signed: &str, now: &str, is_ahead: bool) -> Self {
        let message = if is_ahead {
            format!("Signature not yet current: {signed} is still later than {now} ({now} + 5 min.)")
        } else {
            format!("Signature expired: {signed} is now earlier than {now} ({now} - 5 min.)")
        };
        match service {
            "s3" => Self::new(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            ),
            "sts" => Self::new(403, "SignatureDoesNotMatch", message),
            _ => Self::new(400, "InvalidSignatureException", message),
        }
    }

    pub(crate) fn signature_does_not_match() -> Self {
        Self::new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        )
    }
}
