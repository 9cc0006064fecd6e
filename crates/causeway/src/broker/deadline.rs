use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use causeway_agent::Job;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::offer::at;

/// For a job whose token does not say when it ends: the longest that a job on a Microsoft-hosted agent may run is six hours,
/// and jobs without a limit are seen to.
const WITHOUT_END: Duration = Duration::from_secs(48 * 3600);

/// When the job's own token ends, which is after the job's timeout: nothing can be renewed from then on.
pub(super) fn of_job(job: Job<'_>, now: SystemTime) -> SystemTime {
    let longest = now + WITHOUT_END;
    let end = job.token().and_then(|token| expiry(token.expose_secret())).unwrap_or(longest);
    if end > now { end.min(now + 4 * WITHOUT_END) } else { longest }
}

/// The `exp` of a JSON web token (RFC 7519, 4.1.4).
fn expiry(token: &str) -> Option<SystemTime> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    at(claims.get("exp")?.as_i64()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_agent::Environment;

    #[test]
    fn the_jobs_token_says_when_the_job_must_be_over() {
        let now = at(1_000_000).unwrap();
        let end = |token: &str| {
            let environment =
                Environment::from_pairs([("ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN", token)]);
            of_job(Job::new(&environment), now)
        };
        let token = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(end(&token(r#"{"exp":1003600}"#)), at(1_003_600).unwrap());
        for without in [token("{}"), token(r#"{"exp":5}"#), "opaque".to_owned(), String::new()] {
            assert_eq!(end(&without), now + WITHOUT_END, "{without}");
        }
    }
}
