use causeway_agent::Console;
use causeway_identity::{
    AccessKey, Claims, Observer, OidcToken, RoleRequest, Session, TokenRequestError, TokenSource,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::failure;

/// Masks what of a key is secret.
pub(crate) fn mask_key(console: &Console, key: &AccessKey) {
    console.mask(&key.secret);
    if let Some(token) = &key.session_token {
        console.mask(token);
    }
}

/// Tells the log what happens while an identity is resolved, and masks each secret the moment it arrives.
pub(crate) struct Log<'a> {
    console: &'a Console,
    claims: bool,
    then: Option<&'a (dyn Fn(&Claims) + Sync)>,
}

impl<'a> Log<'a> {
    /// With `claims`, what a token claims is told in full.
    pub(crate) fn new(console: &'a Console, claims: bool) -> Self {
        Self { console, claims, then: None }
    }

    /// The same, and `then` hears the claims before anybody is asked what they are good for.
    pub(crate) fn with(self, then: &'a (dyn Fn(&Claims) + Sync)) -> Self {
        Self { then: Some(then), ..self }
    }

    /// Tells what this job's token would claim, for a step that does not use it. Not having one is no failure here.
    pub(crate) async fn tell_claims_of(
        &self,
        tokens: Result<&impl TokenSource, &TokenRequestError>,
    ) -> Option<Claims> {
        let tokens = match tokens {
            Ok(tokens) => tokens,
            Err(error) => {
                self.console.info(&format!("This job can get no OIDC token: {error}."));
                return None;
            }
        };
        match tokens.token().await {
            Ok(token) => {
                self.token_received(&token);
                Some(token.claims().clone())
            }
            Err(error) => {
                self.console
                    .info(&format!("This job got no OIDC token. {}", failure::describe(&error.into())));
                None
            }
        }
    }

    fn tell(&self, claims: &Claims) {
        let line = |name: &str, value: &str| self.console.info(&format!("  {name:<13} {value}"));
        self.console.info("OIDC token of this job:");
        line("issuer", &claims.issuer);
        line("subject", claims.subject.as_str());
        line("audience", &claims.audience);
        if claims.aws_audience() != claims.audience {
            line("azp", &format!("{} (AWS takes this for the audience)", claims.aws_audience()));
        }
        line("organization", claims.organization_id().unwrap_or("(not in the token)"));
        line("expires", &claims.expires_at.map_or_else(|| "(not in the token)".to_owned(), utc));
    }
}

impl Observer for Log<'_> {
    fn token_received(&self, token: &OidcToken) {
        self.console.mask(token.secret());
        if self.claims {
            self.tell(token.claims());
        } else {
            self.console.debug(&format!("OIDC token for {}", token.claims().subject));
        }
        if let Some(then) = self.then {
            then(token.claims());
        }
    }

    fn key_received(&self, key: &AccessKey) {
        mask_key(self.console, key);
    }

    fn role_assumed(&self, role: &RoleRequest, session: &Session) {
        let until = session.expires_at.map(|seconds| format!(", until {}", utc(seconds))).unwrap_or_default();
        self.console.info(&format!("Assumed {} as session {}{until}", role.arn, role.session_name));
    }
}

/// A point in time as people write it down: `2026-11-21T08:30:00Z`.
pub(crate) fn utc(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{seconds} seconds after 1970"))
}
