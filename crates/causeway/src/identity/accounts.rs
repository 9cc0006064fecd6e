use anyhow::Result;
use causeway_agent::{InputError, Inputs};
use causeway_types::AccountId;

/// Input `allowedAccountIds`: the accounts that this step may end in. Empty allows all.
pub(crate) struct AllowedAccounts(Vec<AccountId>);

/// The step would work in an account that it must not.
#[derive(Debug, thiserror::Error)]
#[error(
    "the step would work in AWS account {account}, which allowedAccountIds does not name ({}): nothing was exported",
    list(.allowed)
)]
pub(crate) struct ForeignAccount {
    account: AccountId,
    allowed: Vec<AccountId>,
}

impl AllowedAccounts {
    /// Account ids, one a line or separated by commas.
    pub(crate) fn from_inputs(inputs: &Inputs<'_>) -> Result<Self> {
        const NAME: &str = "allowedAccountIds";
        let lines = inputs.lines(NAME);
        let texts =
            lines.iter().flat_map(|line| line.split(',')).map(str::trim).filter(|text| !text.is_empty());
        let parse = |text: &str| text.parse().map_err(|error| InputError::invalid(NAME, text, error));
        Ok(Self(texts.map(parse).collect::<Result<_, _>>()?))
    }

    /// Refuses an account that is not named.
    pub(crate) fn check(&self, account: &AccountId) -> Result<(), ForeignAccount> {
        if self.0.is_empty() || self.0.contains(account) {
            return Ok(());
        }
        Err(ForeignAccount { account: account.clone(), allowed: self.0.clone() })
    }
}

fn list(accounts: &[AccountId]) -> String {
    accounts.iter().map(AccountId::as_str).collect::<Vec<_>>().join(", ")
}
