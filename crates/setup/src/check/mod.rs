//! Whether everything lines up, from both sides, without running a pipeline.

mod account;
mod connection;
mod issuer;
mod trust;

use std::collections::BTreeMap;
use std::time::SystemTime;

use causeway_types::{AccountId, ServiceError};
use serde::Serialize;

use crate::aws::AccountState;
use crate::azure_devops::AzureDevOpsError;
use crate::file::Setup;
use crate::plan::{self, AZURE_DEVOPS, AzureDevOpsState, Observed};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Pipelines fail, or could not be judged.
    Problem,
    /// It works, and should be seen to.
    Warning,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A word that stays the same, such as `provider-audience`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// `Azure DevOps`, or an account by the file's name for it.
    pub place: String,
    /// The thing, such as `role shop-deploy`.
    pub subject: String,
    /// What is wrong.
    pub cause: String,
    /// What to do.
    pub cure: String,
}

/// Why an account could not be looked at.
#[derive(Debug, Clone)]
pub enum AccountFault {
    /// There are no credentials, in words.
    NoCredentials(String),
    /// They are another account's.
    OtherAccount {
        /// Whose they are.
        arn: String,
        /// The account that they are of.
        account: Option<AccountId>,
    },
    /// AWS refused a call.
    Refused(ServiceError),
}

/// What could be seen of both sides; what could not, with the reason.
#[derive(Debug)]
pub struct Seen {
    /// Azure DevOps.
    pub azure_devops: Result<AzureDevOpsState, AzureDevOpsError>,
    /// The accounts, by the file's names for them.
    pub accounts: BTreeMap<String, Result<AccountState, AccountFault>>,
}

/// Everything that is not as it should be, problems first.
#[must_use]
pub fn check(setup: &Setup, seen: &Seen, now: SystemTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (alias, state) in &seen.accounts {
        if let Err(fault) = state {
            findings.push(account::fault(setup, alias, fault));
        }
    }
    match &seen.azure_devops {
        Err(error) => findings.push(connection::unseen(error)),
        Ok(azure_devops) => {
            let accounts = seen.accounts.iter();
            let accounts =
                accounts.filter_map(|(alias, state)| Some((alias.clone(), state.as_ref().ok()?.clone())));
            let observed = Observed { azure_devops: azure_devops.clone(), accounts: accounts.collect() };
            connection::check(setup, &observed, &mut findings);
            issuer::check(setup, &observed, &mut findings);
            for alias in observed.accounts.keys() {
                account::check(setup, &observed, alias, now, &mut findings);
            }
            drift(setup, &observed, &mut findings);
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// What `apply` would change and no finding has named.
fn drift(setup: &Setup, observed: &Observed, findings: &mut Vec<Finding>) {
    let plan = plan::apply(setup, observed, false);
    let known: Vec<String> = findings.iter().map(|finding| finding.subject.clone()).collect();
    let missing = findings.iter().filter(|finding| finding.code.ends_with("-missing"));
    let missing: Vec<String> = missing.map(|finding| finding.subject.clone()).collect();
    let seen = |place: &str| place == AZURE_DEVOPS || observed.accounts.contains_key(place);
    for step in plan.steps.iter().filter(|step| seen(&step.place)) {
        let covered = ["", "trust policy", "audience", "tag", "conversion"].contains(&step.part.as_str());
        if missing.contains(&step.subject) || known.contains(&step.subject) && covered {
            continue;
        }
        let part = if step.part.is_empty() { "it".to_owned() } else { format!("its {}", step.part) };
        let details: Vec<&str> = step.details.iter().take(4).map(String::as_str).collect();
        let session =
            step.part == "settings" && step.details.iter().any(|line| line.starts_with("longest session"));
        findings.push(Finding {
            code: if session { "role-session" } else { "drift" },
            severity: if session { Severity::Problem } else { Severity::Warning },
            place: step.place.clone(),
            subject: step.subject.clone(),
            cause: format!("{part} is not as the file says ({})", details.join("; ")),
            cure: "run causeway setup apply".to_owned(),
        });
    }
    for obstacle in plan.obstacles.into_iter().filter(|obstacle| !known.contains(&obstacle.subject)) {
        findings.push(Finding {
            code: "obstacle",
            severity: Severity::Problem,
            place: String::new(),
            subject: obstacle.subject,
            cause: obstacle.problem,
            cure: obstacle.cure,
        });
    }
}
