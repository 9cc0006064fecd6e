use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use causeway_identity::trust::{Decision, Policy, Request};
use causeway_types::{AccountId, Partition};
use clap::Args;

use super::terminal::{self, Terminal};
use super::token::Source;
use super::verdict::Verdict;

/// The options of `causeway trust check`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The trust policy: the document, also URL-encoded, or the output of `aws iam get-role`; `-` reads standard input
    #[arg(value_name = "POLICY-FILE")]
    policy: PathBuf,
    #[command(flatten)]
    source: Source,
    /// Account of the role. Default: as the policy file or its provider says
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// Partition of the role, such as aws-us-gov. Default: as the policy file or its provider says
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
}

/// Exit code 0: granted, 1: denied, 2: undecided.
pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<u8> {
    let both = arguments.policy.as_os_str() == "-" && arguments.source.is_standard_input();
    ensure!(!both, "standard input can be read once only: give the policy or the token in a file");
    let text = terminal::read(&arguments.policy)?;
    let policy = Policy::parse(&text).with_context(|| arguments.policy.display().to_string())?;
    let claims = arguments.source.read()?.context("give the token's claims with --token-file or --claims")?;
    let (partition, account) = home(arguments, &policy, terminal)?;
    let verdict = Verdict::of(&policy, &Request::new(&claims, &partition, &account, SystemTime::now()));
    for line in verdict.lines() {
        terminal.say(&line)?;
    }
    Ok(match verdict.decision() {
        Decision::Granted { .. } => 0,
        Decision::Denied { .. } => 1,
        Decision::Undecided { .. } => terminal::FAILED,
    })
}

/// Partition and account of the role, which its provider must share: given, or told by the role's ARN, or else those
/// of the only provider that the policy names.
fn home(arguments: &Arguments, policy: &Policy, terminal: &mut Terminal) -> Result<(String, AccountId)> {
    if let Some(partition) = &arguments.partition {
        ensure!(
            Partition::by_id(partition).is_some(),
            "--partition {partition}: AWS has no such partition ({})",
            Partition::all().map(Partition::id).collect::<Vec<_>>().join(", ")
        );
    }
    let named = |partition: &str, account: &AccountId| {
        let partition = arguments.partition.clone().unwrap_or_else(|| partition.to_owned());
        (partition, arguments.account.clone().unwrap_or_else(|| account.clone()))
    };
    if let Some(role) = policy.role() {
        return Ok(named(role.partition(), role.account()));
    }
    let mut homes: Vec<(&str, AccountId)> = policy.federated_principals().filter_map(home_of).collect();
    homes.dedup();
    match (homes.as_slice(), &arguments.account) {
        ([(partition, account)], given) => {
            if given.is_none() {
                terminal.note(&format!("account {account} is taken from the policy's provider"));
            }
            Ok(named(partition, account))
        }
        (_, Some(account)) => Ok(named("aws", account)),
        _ => bail!("the policy does not say which account its role is in: give it with --account"),
    }
}

fn home_of(arn: &str) -> Option<(&str, AccountId)> {
    let mut fields = arn.split(':');
    let (_, partition, _, _, account) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Partition::by_id(partition)?;
    Some((partition, account.parse().ok()?))
}
