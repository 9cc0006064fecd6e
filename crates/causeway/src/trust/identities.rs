use causeway_identity::Claims;
use causeway_identity::trust::{InvalidTrustedIdentity, TrustedIdentity};

/// Whom a trust policy is to let in, and in plain words what it lacks because nobody said it.
#[derive(Default)]
pub(crate) struct Identities {
    pub(crate) trusted: Vec<TrustedIdentity>,
    pub(crate) notes: Vec<String>,
}

/// What the new issuer's form is made of, as far as it is known.
#[derive(Default)]
pub(crate) struct NewForm<'a> {
    /// The Microsoft Entra tenant.
    pub(crate) tenant: Option<&'a str>,
    /// The service connection's GUID.
    pub(crate) connection_id: Option<&'a str>,
    /// How the reader names the tenant here: an input, an option.
    pub(crate) tenant_setting: &'a str,
}

impl Identities {
    /// The token's own.
    pub(crate) fn of_token(claims: &Claims) -> Self {
        Self { trusted: vec![TrustedIdentity::of_claims(claims)], notes: Vec::new() }
    }

    /// The token's own and the same connection as the other issuer names it: the issuer of Azure DevOps retires on
    /// 2027-07-01 for connections that can have tokens of Microsoft Entra.
    pub(crate) fn of_both_issuers(
        claims: &Claims,
        new: &NewForm<'_>,
    ) -> Result<Self, InvalidTrustedIdentity> {
        let mut identities = Self::of_token(claims);
        if claims.subject.as_str().starts_with("p://") {
            identities.note("Only this issuer is in it: the token is a pipeline's own, and Azure DevOps documents no form that the new issuer gives it.");
        } else if !claims.subject.as_str().starts_with("sc://") {
            identities.note("Only this issuer is in it: the token has the new issuer's form already, and does not hold the names that the old one is made of.");
        } else {
            identities.add_new_form(claims.organization_id(), new)?;
        }
        Ok(identities)
    }

    fn add_new_form(
        &mut self,
        organization_id: Option<&str>,
        new: &NewForm<'_>,
    ) -> Result<(), InvalidTrustedIdentity> {
        match (new.tenant, organization_id, new.connection_id) {
            (Some(tenant), Some(organization_id), Some(connection_id)) => {
                self.trusted.push(TrustedIdentity::of_entra(tenant, organization_id, connection_id)?);
                self.note(NEW_FORM);
            }
            (None, ..) => self.note(&format!(
                "The new issuer (Microsoft Entra) is left out: its address holds the GUID of the Entra tenant that the organization is connected to, which the token does not say. Give it in {}.",
                new.tenant_setting
            )),
            (_, None, _) => self.note("The new issuer (Microsoft Entra) is left out: the token does not say the organization's GUID."),
            (_, _, None) => self.note("The new issuer (Microsoft Entra) is left out: the GUID of the service connection is not known."),
        }
        Ok(())
    }

    pub(crate) fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
}

/// Said with every subject that was put together instead of read.
pub(crate) const NEW_FORM: &str = "The new issuer's subject and audiences are put together from the GUIDs in the form that Azure DevOps uses today. Compare them with the first token that comes from it: command: verify shows what it claims.";
