use std::str::FromStr;

use causeway_types::{AccountId, Region};

use crate::RegistryHost;

/// How a person names a registry: by account, by account and region, or by its host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RegistryName {
    /// `123456789012`: that account's registry in the region at hand.
    Account(AccountId),
    /// `123456789012.eu-west-1`.
    AccountAndRegion(AccountId, Region),
    /// A host in any of its forms.
    Host(RegistryHost),
}

/// The text names no registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" names no registry: {reason}. Give an account id, <account>.<region>, or a host")]
pub struct InvalidRegistryName {
    text: String,
    reason: String,
}

impl RegistryName {
    /// The registry's host; `region` is the one at hand.
    #[must_use]
    pub fn host(&self, region: &Region) -> RegistryHost {
        match self {
            Self::Account(account) => RegistryHost::private(account.clone(), region.clone()),
            Self::AccountAndRegion(account, region) => RegistryHost::private(account.clone(), region.clone()),
            Self::Host(host) => host.clone(),
        }
    }
}

impl FromStr for RegistryName {
    type Err = InvalidRegistryName;

    fn from_str(text: &str) -> Result<Self, InvalidRegistryName> {
        let text = text.trim();
        if let Ok(account) = text.parse() {
            return Ok(Self::Account(account));
        }
        if let Some((account, region)) = text.split_once('.')
            && !region.contains('.')
            && let Ok(account) = account.parse()
        {
            let region = region.parse().map_err(|error: causeway_types::InvalidRegion| {
                InvalidRegistryName { text: text.to_owned(), reason: error.to_string() }
            })?;
            return Ok(Self::AccountAndRegion(account, region));
        }
        match text.parse() {
            Ok(host) => Ok(Self::Host(host)),
            Err(error) => {
                let error: crate::InvalidRegistryHost = error;
                Err(InvalidRegistryName { text: error.text().to_owned(), reason: error.reason().to_owned() })
            }
        }
    }
}
