use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::claims::Claims;
use crate::trust::request;

/// The audience of every token for a service connection, as Azure DevOps documents it.
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Azure DevOps itself, as an application of Microsoft Entra.
const AZURE_DEVOPS: Uuid = Uuid::from_u128(0x499b84ac_1321_427f_aa17_267ca6975798);

/// Who is to be trusted: the issuer, audiences and subject of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIdentity {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) subject: String,
}

/// Words from which no subject can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTrustedIdentity {
    /// Not a GUID.
    #[error("{what} \"{value}\" is not a GUID (such as 11111111-2222-3333-4444-555555555555)")]
    NotAGuid {
        /// What it was meant to be.
        what: &'static str,
        /// What it is.
        value: String,
    },
    /// A name that cannot stand in a subject.
    #[error("the {what} \"{value}\" is empty, or holds a slash or a line break: give the name alone")]
    NotAName {
        /// What it was meant to be.
        what: &'static str,
        /// What it is.
        value: String,
    },
}

impl TrustedIdentity {
    /// The identity of a token. Its audience is what AWS compares: the claim `azp` where there is one.
    #[must_use]
    pub fn of_claims(claims: &Claims) -> Self {
        Self {
            issuer: claims.issuer.clone(),
            audiences: request::audience_key(claims),
            subject: claims.subject.as_str().to_owned(),
        }
    }

    /// A service connection as Azure DevOps's own issuer names it.
    ///
    /// # Errors
    /// [`InvalidTrustedIdentity`] names the word that cannot be right.
    pub fn of_names(
        organization_id: &str,
        organization: &str,
        project: &str,
        connection: &str,
    ) -> Result<Self, InvalidTrustedIdentity> {
        let id = guid("organization id", organization_id)?;
        let (organization, project) = (name("organization", organization)?, name("project", project)?);
        let connection = name("connection", connection)?;
        Ok(Self {
            issuer: format!("https://vstoken.dev.azure.com/{id}"),
            audiences: vec![AUDIENCE.to_owned()],
            subject: format!("sc://{organization}/{project}/{connection}"),
        })
    }

    /// A service connection as Microsoft Entra names it.
    ///
    /// The subject is `/eid1/c/pub/t/{tenant}/a/{application}/sc/{organization id}/{connection id}`, tenant and
    /// application (Azure DevOps itself) as base64url of their GUIDs in the byte order of .NET. Microsoft shows such
    /// subjects without explaining them: this form was read from published ones. Such a token has the application in
    /// its claim `azp`, which AWS takes for the audience; a token without that claim has the documented audience. Both
    /// are let in, for the subject says who it is.
    ///
    /// # Errors
    /// [`InvalidTrustedIdentity`] names the word that cannot be right.
    pub fn of_entra(
        tenant: &str,
        organization_id: &str,
        connection_id: &str,
    ) -> Result<Self, InvalidTrustedIdentity> {
        let tenant = guid("tenant id", tenant)?;
        let organization_id = guid("organization id", organization_id)?;
        let connection_id = guid("connection id", connection_id)?;
        let encoded = |id: Uuid| BASE64_URL_SAFE_NO_PAD.encode(id.to_bytes_le());
        Ok(Self {
            issuer: format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            audiences: vec![AUDIENCE.to_owned(), AZURE_DEVOPS.to_string()],
            subject: format!(
                "/eid1/c/pub/t/{}/a/{}/sc/{organization_id}/{connection_id}",
                encoded(tenant),
                encoded(AZURE_DEVOPS)
            ),
        })
    }

    /// The issuer, with `https://`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What AWS may compare with a provider's audiences.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

fn guid(what: &'static str, value: &str) -> Result<Uuid, InvalidTrustedIdentity> {
    let invalid = || InvalidTrustedIdentity::NotAGuid { what, value: value.to_owned() };
    let value = value.trim();
    if value.len() == 36 { Uuid::try_parse(value).map_err(|_| invalid()) } else { Err(invalid()) }
}

fn name<'a>(what: &'static str, value: &'a str) -> Result<&'a str, InvalidTrustedIdentity> {
    let trimmed = value.trim();
    if trimmed.is_empty() || trimmed.contains('/') || trimmed.contains(char::is_control) {
        return Err(InvalidTrustedIdentity::NotAName { what, value: value.to_owned() });
    }
    Ok(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_form_is_what_azure_devops_writes() {
        // Claims of a token that was published (goteleport.com, RFD 211).
        let identity = TrustedIdentity::of_entra(
            "ff882432-09b0-437b-bd22-ca13c0037ded",
            "0ca3ddd9-f0b0-4635-a98c-5866526961b6",
            "64171687-7a59-4fce-b2c8-823278dcf176",
        )
        .unwrap();
        assert_eq!(
            identity.subject(),
            "/eid1/c/pub/t/MiSI_7AJe0O9IsoTwAN97Q/a/rISbSSETf0KqFyZ8ppdXmA/sc/0ca3ddd9-f0b0-4635-a98c-5866526961b6/64171687-7a59-4fce-b2c8-823278dcf176"
        );
        assert_eq!(
            identity.issuer(),
            "https://login.microsoftonline.com/ff882432-09b0-437b-bd22-ca13c0037ded/v2.0"
        );
    }

    #[test]
    fn wrong_words_are_named() {
        let id = "0ca3ddd9-f0b0-4635-a98c-5866526961b6";
        for (result, word) in [
            (TrustedIdentity::of_names("contoso", "contoso", "shop", "aws"), "organization id \"contoso\""),
            (TrustedIdentity::of_names(id, "https://dev.azure.com/contoso", "shop", "aws"), "organization"),
            (TrustedIdentity::of_names(id, "contoso", " ", "aws"), "project"),
            (TrustedIdentity::of_names(id, "contoso", "shop", "a\nb"), "connection"),
            (TrustedIdentity::of_entra("common", id, id), "tenant id"),
            (TrustedIdentity::of_entra(id, id, "aws"), "connection id"),
        ] {
            assert!(result.unwrap_err().to_string().contains(word), "{word}");
        }
    }
}
