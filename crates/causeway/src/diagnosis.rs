use std::error::Error;

use causeway_identity::IdentityError;

/// An identity that failed, with what the step found out of it by itself.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct Diagnosed {
    #[source]
    error: IdentityError,
    verdict: Option<String>,
}

impl Diagnosed {
    pub(crate) fn new(error: IdentityError, verdict: Option<String>) -> Self {
        Self { error, verdict }
    }
}

/// What is to be said besides the failure itself: why, and what to change where. The one place that knows, for every
/// command.
pub(crate) fn sentences(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(diagnosed) = cause.downcast_ref::<Diagnosed>() {
        return of_identity(&diagnosed.error, diagnosed.verdict.as_deref());
    }
    of_identity(cause.downcast_ref::<IdentityError>()?, None)
}

/// AWS says in several ways that a signature's time is too far from its own.
pub(crate) fn of_clock(failure: &str) -> Option<String> {
    const SIGNS: [&str; 4] =
        ["Signature expired: ", "Signature not yet current: ", "(RequestTimeTooSkewed", "(RequestExpired"];
    SIGNS.iter().any(|sign| failure.contains(sign)).then(|| CLOCK.to_owned())
}

fn of_identity(error: &IdentityError, verdict: Option<&str>) -> Option<String> {
    let more = match refusal_of_token(error) {
        Some("AccessDenied") => Some(verdict.unwrap_or(ASK_FOR_POLICY)),
        Some("InvalidIdentityToken") => Some(ASK_FOR_PROVIDER),
        _ => None,
    };
    match (error.hint(), more) {
        (Some(hint), Some(more)) => Some(format!("{}. {more}", hint.trim_end_matches('.'))),
        (hint, more) => hint.or_else(|| more.map(str::to_owned)),
    }
}

const CLOCK: &str = "This machine's clock is wrong: AWS takes no signature that is more than five minutes from its own time. Set the clock of the agent's machine";

/// AWS gives no reason for this refusal: that is found in the role's policy.
const ASK_FOR_POLICY: &str = "A step with command: verify prints the whole policy that lets this job in, and says which condition fails when its input trustPolicyFile names the role's own policy";

const ASK_FOR_PROVIDER: &str =
    "A step with command: verify writes that provider as JSON, Terraform or CloudFormation";

/// The code with which AWS refused the token itself.
fn refusal_of_token(error: &IdentityError) -> Option<&str> {
    match error {
        IdentityError::AssumeWithToken { failure, .. } => failure.code(),
        _ => None,
    }
}
