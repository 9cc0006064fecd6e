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
use crate::plan::{self, AzureDevOpsState, Observed, Obstacle};

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

/// Findings that say what an obstacle says.
const SAYS_THE_OBSTACLE: [&str; 4] =
    ["extension-missing", "connection-type", "connection-not-ready", "role-missing"];

/// What a finding is about.
fn thing(finding: &Finding) -> (String, String) {
    (finding.place.clone(), finding.subject.clone())
}

/// `apply` is no cure where it would refuse.
fn cure_by_obstacles(findings: &mut [Finding], obstacles: &[Obstacle]) {
    let applies = |finding: &&mut Finding| {
        finding.cure.contains("run causeway setup apply") && !finding.cure.contains("convert: true")
    };
    for finding in findings.iter_mut().filter(applies) {
        let in_the_way =
            |obstacle: &&Obstacle| obstacle.place == finding.place && obstacle.subject == finding.subject;
        if let Some(obstacle) = obstacles.iter().find(in_the_way) {
            finding.cure.clone_from(&obstacle.cure);
        }
    }
}

/// What `apply` would change and no finding has named.
fn drift(setup: &Setup, observed: &Observed, findings: &mut Vec<Finding>) {
    let mut seen = setup.clone();
    // What could not be looked at is not empty.
    seen.accounts.retain(|alias, _| observed.accounts.contains_key(alias));
    let plan = plan::apply(&seen, observed, false);
    cure_by_obstacles(findings, &plan.obstacles);
    let known: Vec<(String, String)> = findings.iter().map(thing).collect();
    let missing: Vec<(String, String)> =
        findings.iter().filter(|finding| finding.code.ends_with("-missing")).map(thing).collect();
    for step in &plan.steps {
        let covered = ["", "trust policy", "audience", "tag", "conversion"].contains(&step.part.as_str());
        let step_of = (step.place.clone(), step.subject.clone());
        if missing.contains(&step_of) || known.contains(&step_of) && covered {
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
    let said: Vec<(String, String)> =
        findings.iter().filter(|finding| SAYS_THE_OBSTACLE.contains(&finding.code)).map(thing).collect();
    let is_said = |obstacle: &Obstacle| said.contains(&(obstacle.place.clone(), obstacle.subject.clone()));
    for obstacle in plan.obstacles.into_iter().filter(|obstacle| !is_said(obstacle)) {
        findings.push(Finding {
            code: "obstacle",
            severity: Severity::Problem,
            place: obstacle.place,
            subject: obstacle.subject,
            cause: obstacle.problem,
            cure: obstacle.cure,
        });
    }
}
