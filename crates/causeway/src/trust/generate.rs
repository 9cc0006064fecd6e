use anyhow::{Context, Result, bail};
use causeway_identity::Claims;
use causeway_identity::trust::{Format, TrustedIdentity, TrustedRole, generate};
use causeway_types::{AccountId, RoleArn};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::identities::{Identities, NEW_FORM};
use super::terminal::Terminal;
use super::token::Source;
use super::{DEFAULT_ROLE, FORMATS};

/// The options of `causeway trust generate`.
#[derive(Args)]
#[command(after_help = "\
Who is let in comes from a token (--token-file or --claims), from names, or from both:
  old issuer (vstoken.dev.azure.com):  --organization-id --organization --project --connection
  new issuer (Microsoft Entra):        --organization-id --tenant --connection-id
With a token --organization-id is known. What both describe gets one provider and one statement for each issuer.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// GUID of the Azure DevOps organization
    #[arg(long, value_name = "GUID")]
    organization_id: Option<String>,
    /// Name of the organization, exactly as it is written
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Name of the project, exactly as it is written
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Name of the service connection, exactly as it is written
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// GUID of the Microsoft Entra tenant that the organization is connected to, for the new issuer
    #[arg(long, value_name = "GUID")]
    tenant: Option<String>,
    /// GUID of the service connection, for the new issuer
    #[arg(long, value_name = "GUID")]
    connection_id: Option<String>,
    /// AWS account of the role
    #[arg(long, value_name = "ID")]
    account: AccountId,
    /// AWS partition of the account
    #[arg(long, value_name = "NAME", default_value = "aws")]
    partition: String,
    /// Name of the role
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ROLE)]
    role_name: String,
    /// How to write it
    #[arg(long, default_value = "json", value_parser = formats())]
    format: Format,
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(FORMATS.map(|(name, _)| name)).map(|given| {
        FORMATS.into_iter().find(|(name, _)| *name == given).map_or(Format::Json, |(_, format)| format)
    })
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<u8> {
    let role: RoleArn =
        format!("arn:{}:iam::{}:role/{}", arguments.partition, arguments.account, arguments.role_name)
            .parse()
            .context("options --partition, --account and --role-name")?;
    let identities = arguments.identities()?;
    let trust = generate(&identities.trusted, &TrustedRole::from(&role));
    for note in &identities.notes {
        terminal.note(note);
    }
    terminal.write(&trust.write(arguments.format))?;
    Ok(0)
}

impl Arguments {
    fn identities(&self) -> Result<Identities> {
        let claims = self.source.read()?;
        let mut identities = claims.as_ref().map(Identities::of_token).unwrap_or_default();
        for identity in
            [self.old_form(claims.as_ref())?, self.new_form(claims.as_ref())?].into_iter().flatten()
        {
            // The token's own issuer is in it already, with the very words of the token.
            if !identities.trusted.iter().any(|known| known.issuer() == identity.issuer()) {
                identities.trusted.push(identity);
            }
        }
        if self.tenant.is_some() {
            identities.note(NEW_FORM);
        }
        if identities.trusted.is_empty() {
            bail!(
                "give a token with --token-file or --claims, or the connection with --organization-id, --organization, --project and --connection"
            );
        }
        Ok(identities)
    }

    fn old_form(&self, claims: Option<&Claims>) -> Result<Option<TrustedIdentity>> {
        let words = [
            ("--organization", self.organization.as_deref()),
            ("--project", self.project.as_deref()),
            ("--connection", self.connection.as_deref()),
        ];
        let Some([organization, project, connection]) = all_or_none(words)? else {
            return Ok(None);
        };
        let id = self.organization_id(claims)?;
        Ok(Some(TrustedIdentity::of_names(id, organization, project, connection)?))
    }

    fn new_form(&self, claims: Option<&Claims>) -> Result<Option<TrustedIdentity>> {
        let words =
            [("--tenant", self.tenant.as_deref()), ("--connection-id", self.connection_id.as_deref())];
        let Some([tenant, connection_id]) = all_or_none(words)? else {
            return Ok(None);
        };
        Ok(Some(TrustedIdentity::of_entra(tenant, self.organization_id(claims)?, connection_id)?))
    }

    fn organization_id<'a>(&'a self, claims: Option<&'a Claims>) -> Result<&'a str> {
        let of_token = claims.and_then(Claims::organization_id);
        self.organization_id
            .as_deref()
            .or(of_token)
            .context("option --organization-id is required: the issuer is named by the organization's GUID")
    }
}

/// Options that mean something together only.
fn all_or_none<'a, const N: usize>(words: [(&str, Option<&'a str>); N]) -> Result<Option<[&'a str; N]>> {
    if words.iter().all(|(_, word)| word.is_none()) {
        return Ok(None);
    }
    let missing: Vec<&str> = words.iter().filter(|(_, word)| word.is_none()).map(|(name, _)| *name).collect();
    match missing.as_slice() {
        [] => Ok(Some(words.map(|(_, word)| word.unwrap_or_default()))),
        missing => {
            let given: Vec<&str> =
                words.iter().filter(|(_, word)| word.is_some()).map(|(name, _)| *name).collect();
            bail!("{} needs {} too", given.join(" with "), missing.join(" and "))
        }
    }
}
