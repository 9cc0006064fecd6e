//! The same as code for other tools, instead of calls.

mod cloudformation;
mod hcl;
mod terraform;

use crate::aws::Provider;
use crate::file::{Account, Role, Setup};
use crate::plan::{Observed, trust};

pub use cloudformation::template;
pub use terraform::module;

/// A provider that an account needs, and whether it is there already: an account has one of each issuer.
struct Needed {
    url: String,
    audiences: Vec<String>,
    found: Option<Provider>,
}

fn providers(setup: &Setup, observed: &Observed, account: &Account) -> Vec<Needed> {
    let state = observed.account(&account.alias);
    let mut all: Vec<Needed> = Vec::new();
    for role in setup.roles_of(&account.alias) {
        for provider in trust::wanted(setup, &observed.azure_devops, role).1 {
            if !all.iter().any(|known| known.url == provider.url) {
                let found = state.providers.get(&account.provider_arn(&provider.url)).cloned();
                all.push(Needed { url: provider.url, audiences: provider.audiences, found });
            }
        }
    }
    all
}

/// The connections of a role that Azure DevOps does not have yet: the new issuer names them by their GUID.
fn unmade<'a>(observed: &Observed, role: &'a Role) -> Vec<&'a String> {
    role.connections.iter().filter(|name| observed.azure_devops.endpoint(name).is_none()).collect()
}

/// A name of letters, digits and underscores.
fn identifier(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = text.chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}
