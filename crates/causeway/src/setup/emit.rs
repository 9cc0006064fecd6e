use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use causeway_setup::Setup;
use causeway_setup::emit;
use causeway_setup::file::Account;
use causeway_setup::plan::Observed;

use super::screen::Screen;
use super::sides::Sides;
use super::{FINE, Format};

/// `setup --emit …`: the organization's GUID comes from Azure DevOps; what an account has already is left out, where it can be
/// seen.
pub(super) async fn run(
    sides: &Sides,
    setup: &Setup,
    format: Format,
    account: Option<&str>,
    screen: &mut Screen,
) -> Result<u8> {
    let seen = sides.see(setup).await;
    let azure_devops = seen.azure_devops?;
    let mut accounts = BTreeMap::new();
    for (alias, state) in seen.accounts {
        match state {
            Ok(state) => drop(accounts.insert(alias, state)),
            Err(_) => screen.note(&format!(
                "Account {alias} could not be looked at: the code makes its OIDC providers. Where one exists already, import it or leave it out."
            )),
        }
    }
    let observed = Observed { azure_devops, accounts };
    let text = match format {
        Format::Terraform => emit::module(setup, &observed),
        Format::Cloudformation => {
            screen.note("CloudFormation cannot make service connections: make them as the file says, or with setup apply.");
            format!("{:#}\n", emit::template(setup, &observed, the_account(setup, account)?))
        }
    };
    screen.write(&text)?;
    Ok(FINE)
}

fn the_account<'a>(setup: &'a Setup, name: Option<&str>) -> Result<&'a Account> {
    match name {
        Some(name) => setup
            .accounts
            .get(name)
            .with_context(|| format!("option --account: there is no account \"{name}\"")),
        None if setup.accounts.len() == 1 => setup.accounts.values().next().context("there is no account"),
        None => bail!("a template is for one account: name it with --account"),
    }
}
