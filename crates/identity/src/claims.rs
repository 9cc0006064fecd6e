use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// An OIDC token as Azure DevOps made it, with its claims read but not verified: AWS verifies them.
#[derive(Clone)]
pub struct OidcToken {
    secret: SecretString,
    claims: Claims,
}

/// The text is not a JSON web token (RFC 7519). It is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what Azure DevOps sent is not a JSON web token")]
pub struct InvalidToken;

impl OidcToken {
    /// Reads the claims of a token.
    ///
    /// # Errors
    /// [`InvalidToken`] when it is none, or lacks `iss`, `sub` or `aud`.
    pub fn read(secret: SecretString) -> Result<Self, InvalidToken> {
        let claims = {
            let mut parts = secret.expose_secret().split('.');
            let (Some(_), Some(payload), Some(_), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(InvalidToken);
            };
            let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).map_err(|_| InvalidToken)?;
            Claims::from_json(&payload)?
        };
        Ok(Self { secret, claims })
    }

    /// The token itself.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// What it claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl fmt::Debug for OidcToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OidcToken").field("claims", &self.claims).finish_non_exhaustive()
    }
}

/// The claims of a token that a trust policy can ask for. None of them is secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: Subject,
    /// `aud`: the first where there are several.
    pub audience: String,
    /// `iat`, seconds since 1970.
    pub issued_at: Option<i64>,
    /// `exp`, seconds since 1970.
    pub expires_at: Option<i64>,
    all: Map<String, Value>,
}

impl Claims {
    /// Reads the JSON object of claims.
    ///
    /// # Errors
    /// [`InvalidToken`] when it is none, or lacks `iss`, `sub` or `aud`.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidToken> {
        let all: Map<String, Value> = serde_json::from_slice(json).map_err(|_| InvalidToken)?;
        let text = |name: &str| all.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(InvalidToken);
        let audience = match all.get("aud") {
            Some(Value::Array(several)) => several.first().and_then(Value::as_str),
            Some(one) => one.as_str(),
            None => None,
        };
        Ok(Self {
            issuer: text("iss")?,
            subject: Subject(text("sub")?),
            audience: audience.ok_or(InvalidToken)?.to_owned(),
            issued_at: all.get("iat").and_then(Value::as_i64),
            expires_at: all.get("exp").and_then(Value::as_i64),
            all,
        })
    }

    /// Every claim, by its name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.all.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The GUID of the Azure DevOps organization: the claim `org_id`, else the end of the issuer's address
    /// (`https://vstoken.dev.azure.com/{organization}`), else the part of the subject behind `/sc/`.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        let is_guid = |text: &&str| text.len() == 36 && text.split('-').count() == 5;
        let claim = self.all.get("org_id").and_then(Value::as_str);
        let issuer = self
            .issuer
            .strip_prefix("https://vstoken.dev.azure.com/")
            .map(|organization| organization.trim_end_matches('/'));
        let subject = self.subject.entra_parts().map(|(organization, _)| organization);
        claim.or(issuer).or(subject).filter(is_guid)
    }

    /// What AWS takes for the token's audience, in a provider's list as in the key `aud` of a trust policy: the claim
    /// `azp` where there is one, else `aud` (IAM User Guide, "Available keys for AWS OIDC federation"). Tokens of
    /// Microsoft Entra have an `azp`.
    #[must_use]
    pub fn aws_audience(&self) -> &str {
        let party = self.all.get("azp").and_then(Value::as_str).filter(|party| !party.is_empty());
        party.unwrap_or(&self.audience)
    }

    /// The issuer as IAM names it: without `https://` (IAM User Guide, "OIDC federation").
    #[must_use]
    pub fn provider(&self) -> &str {
        self.issuer.strip_prefix("https://").unwrap_or(&self.issuer)
    }
}

/// Who a token speaks for.
///
/// `sc://{organization}/{project}/{connection}` for a connection, `p://{organization}/{project}/{pipeline}` for a pipeline;
/// with Entra as the issuer `…/sc/{organization id}/{connection id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(String);

/// A token that speaks for somebody else than was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// A pipeline's token instead of a connection's.
    #[error("the token speaks for \"{found}\", not for the service connection that was asked for")]
    NotAConnection {
        /// The token's subject.
        found: String,
    },
    /// A connection's token, but not of this one.
    #[error("the token speaks for \"{found}\", which is not {expected}")]
    Foreign {
        /// The token's subject.
        found: String,
        /// What it should have been, in words.
        expected: String,
    },
    /// A connection's token instead of a pipeline's.
    #[error("the token speaks for \"{found}\", not for the pipeline")]
    NotAPipeline {
        /// The token's subject.
        found: String,
    },
}

impl Subject {
    /// The subject as it stands in the token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Refuses every token that is not a service connection's, of this organization and, where the subject says so,
    /// of this connection. Azure DevOps answers with the pipeline's token when it does not know the connection.
    ///
    /// # Errors
    /// [`SubjectError`] with what was found.
    pub fn check_connection(
        &self,
        organization: Option<&str>,
        connection_id: &str,
    ) -> Result<(), SubjectError> {
        let found = || self.0.clone();
        if let Some((_, connection)) = self.entra_parts() {
            if connection.eq_ignore_ascii_case(connection_id) {
                return Ok(());
            }
            return Err(SubjectError::Foreign {
                found: found(),
                expected: format!("connection {connection_id}"),
            });
        }
        let Some(path) = self.0.strip_prefix("sc://") else {
            return Err(SubjectError::NotAConnection { found: found() });
        };
        if path.split('/').filter(|part| !part.is_empty()).count() < 3 {
            return Err(SubjectError::NotAConnection { found: found() });
        }
        same_organization(path, organization).map_err(|name| SubjectError::Foreign {
            found: found(),
            expected: format!("of organization {name}"),
        })
    }

    /// Refuses every token that is not a pipeline's, of this organization.
    ///
    /// # Errors
    /// [`SubjectError`] with what was found.
    pub fn check_pipeline(&self, organization: Option<&str>) -> Result<(), SubjectError> {
        let found = || self.0.clone();
        let path =
            self.0.strip_prefix("p://").ok_or_else(|| SubjectError::NotAPipeline { found: found() })?;
        same_organization(path, organization).map_err(|name| SubjectError::Foreign {
            found: found(),
            expected: format!("of organization {name}"),
        })
    }

    /// Organization id and connection id of the newer form.
    fn entra_parts(&self) -> Option<(&str, &str)> {
        let (_, ids) = self.0.split_once("/sc/")?;
        let (organization, connection) = ids.split_once('/')?;
        (!self.0.starts_with("sc://") && !self.0.starts_with("p://")).then_some((organization, connection))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn same_organization<'a>(path: &str, organization: Option<&'a str>) -> Result<(), &'a str> {
    match organization {
        Some(name) if !path.split('/').next().unwrap_or_default().eq_ignore_ascii_case(name) => Err(name),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORGANIZATION: &str = "11111111-2222-3333-4444-555555555555";
    const CONNECTION: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

    fn token(payload: &str) -> Result<OidcToken, InvalidToken> {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        OidcToken::read(SecretString::from(format!("{}.{}.{}", part("{}"), part(payload), part("sig"))))
    }

    fn subject(text: &str) -> Subject {
        Subject(text.to_owned())
    }

    #[test]
    fn claims_are_read() {
        let token = token(&format!(
            r#"{{"iss":"https://vstoken.dev.azure.com/{ORGANIZATION}","sub":"sc://contoso/shop/aws","aud":["api://AzureADTokenExchange"],"exp":1800000000,"iat":1799999400,"x":1}}"#
        ))
        .unwrap();
        let claims = token.claims();
        assert_eq!(claims.organization_id(), Some(ORGANIZATION));
        assert_eq!(claims.provider(), format!("vstoken.dev.azure.com/{ORGANIZATION}"));
        assert_eq!(claims.audience, "api://AzureADTokenExchange");
        assert_eq!((claims.issued_at, claims.expires_at), (Some(1_799_999_400), Some(1_800_000_000)));
        assert_eq!(claims.all().count(), 6);
        assert!(!format!("{token:?}").contains(token.secret().expose_secret()));
    }

    #[test]
    fn the_newer_issuer_names_the_organization_in_the_subject() {
        let claims = Claims::from_json(
            format!(
                r#"{{"iss":"https://login.microsoftonline.com/t/v2.0","sub":"/eid1/c/pub/t/x/a/y/sc/{ORGANIZATION}/{CONNECTION}","aud":"a"}}"#
            )
            .as_bytes(),
        )
        .unwrap();
        assert_eq!(claims.organization_id(), Some(ORGANIZATION));
        assert_eq!(claims.subject.check_connection(Some("contoso"), &CONNECTION.to_uppercase()), Ok(()));
        assert!(claims.subject.check_connection(None, ORGANIZATION).is_err());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for payload in ["", "[]", "{}", r#"{"iss":"i","sub":"s"}"#, r#"{"iss":"i","sub":1,"aud":"a"}"#] {
            assert!(token(payload).is_err(), "{payload}");
        }
        for text in ["", "a.b", "a.!.c", "a.b.c.d", "<html>"] {
            assert!(OidcToken::read(SecretString::from(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn only_this_organizations_connections_pass() {
        let check = |text: &str| subject(text).check_connection(Some("contoso"), CONNECTION);
        assert_eq!(check("sc://contoso/shop/aws prod"), Ok(()));
        assert_eq!(check("sc://Contoso/shop/a/b"), Ok(()));
        for foreign in
            ["p://contoso/shop/ci", "sc://evil/shop/aws", "sc://contoso/shop", "contoso/shop/aws", ""]
        {
            assert!(check(foreign).is_err(), "{foreign}");
        }
        // A connection named so cannot pass as the newer form.
        assert!(check(&format!("p://contoso/shop/sc/{ORGANIZATION}/{CONNECTION}")).is_err());
    }

    #[test]
    fn only_pipelines_pass_as_pipelines() {
        assert_eq!(subject("p://contoso/shop/ci").check_pipeline(Some("contoso")), Ok(()));
        assert!(subject("sc://contoso/shop/aws").check_pipeline(Some("contoso")).is_err());
        assert!(subject("p://evil/shop/ci").check_pipeline(Some("contoso")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,80}", payload in "\\PC{0,80}") {
            let _ = OidcToken::read(SecretString::from(text));
            let _ = token(&payload);
        }
    }
}
