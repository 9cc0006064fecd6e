use std::time::SystemTime;

use super::{AccountFault, Finding, Severity, trust};
use crate::aws::AccountState;
use crate::file::{Account, Role, Setup};
use crate::plan::{Observed, trust as wanted_trust};

/// An account could not be looked at.
pub(super) fn fault(setup: &Setup, alias: &str, fault: &AccountFault) -> Finding {
    let id = setup.accounts.get(alias).map(|account| account.id.to_string()).unwrap_or_default();
    let (code, cause, cure) = match fault {
        AccountFault::NoCredentials(reason) => (
            "aws-credentials",
            format!("there are no credentials for it: {reason}"),
            "sign in to AWS, or name a profile under accounts".to_owned(),
        ),
        AccountFault::OtherAccount { arn, account } => {
            let other = account.as_ref().map_or_else(|| "another account".to_owned(), ToString::to_string);
            (
                "aws-account",
                format!("the credentials are those of {arn} in {other}, the file says {id}"),
                "name the right profile or role under accounts, or correct the id".to_owned(),
            )
        }
        AccountFault::Refused(error) => {
            let cure = match error.code() {
                Some("ExpiredToken" | "ExpiredTokenException" | "RequestExpired") => {
                    "sign in to AWS again: the credentials have expired"
                }
                Some("InvalidClientTokenId" | "SignatureDoesNotMatch" | "UnrecognizedClientException") => {
                    "correct the access key: AWS does not know it"
                }
                Some("AccessDenied" | "AccessDeniedException") => {
                    "give these credentials the permissions that docs/setup.md lists"
                }
                _ => "run it again; if it goes on, see the status of AWS",
            };
            let expired = error.code().is_some_and(|code| code.contains("Expired"));
            (if expired { "aws-expired" } else { "aws-refused" }, error.to_string(), cure.to_owned())
        }
    };
    Finding {
        code,
        severity: Severity::Problem,
        place: alias.to_owned(),
        subject: format!("account {alias}"),
        cause,
        cure,
    }
}

pub(super) fn check(
    setup: &Setup,
    observed: &Observed,
    alias: &str,
    now: SystemTime,
    findings: &mut Vec<Finding>,
) {
    let (Some(account), Some(state)) = (setup.accounts.get(alias), observed.accounts.get(alias)) else {
        return;
    };
    providers(setup, observed, account, state, findings);
    for role in setup.roles_of(alias) {
        match state.roles.get(role.arn.name()) {
            Some(found) => trust::check(setup, observed, role, found, now, findings),
            None => findings.push(missing(alias, role)),
        }
    }
    for role in state.roles.values() {
        trust::too_wide(account, state, role, findings);
    }
}

fn missing(alias: &str, role: &Role) -> Finding {
    Finding {
        code: "role-missing",
        severity: Severity::Problem,
        place: alias.to_owned(),
        subject: format!("role {}", role.arn.name()),
        cause: format!("account {} has no role {}", role.arn.account(), role.arn),
        cure: "run causeway setup apply".to_owned(),
    }
}

fn providers(
    setup: &Setup,
    observed: &Observed,
    account: &Account,
    state: &AccountState,
    findings: &mut Vec<Finding>,
) {
    let mut wanted: Vec<(String, Vec<String>)> = Vec::new();
    for role in setup.roles_of(&account.alias) {
        for provider in wanted_trust::wanted(setup, &observed.azure_devops, role).1 {
            if !wanted.iter().any(|(url, _)| *url == provider.url) {
                wanted.push((provider.url, provider.audiences));
            }
        }
    }
    for (url, audiences) in wanted {
        let is_new = url.starts_with("https://login.microsoftonline.com/");
        let severity = if is_new { Severity::Warning } else { Severity::Problem };
        let subject = format!("OIDC provider {}", url.trim_start_matches("https://"));
        let mut say = |code, cause, cure: &str| {
            let (place, subject) = (account.alias.clone(), subject.clone());
            findings.push(Finding { code, severity, place, subject, cause, cure: cure.to_owned() });
        };
        match state.providers.get(&account.provider_arn(&url)) {
            None if is_new => say(
                "issuer-2027",
                format!(
                    "account {} does not have the new issuer (Microsoft Entra); the old one retires on 2027-07-01",
                    account.id
                ),
                "run causeway setup apply: it adds the provider and the statements",
            ),
            None => say("provider-missing", absent(account, state), "run causeway setup apply"),
            Some(found) => {
                let lacking: Vec<&String> =
                    audiences.iter().filter(|audience| !found.audiences.contains(audience)).collect();
                if let Some(audience) = lacking.first() {
                    let has = if found.audiences.is_empty() {
                        "none".to_owned()
                    } else {
                        found.audiences.join(", ")
                    };
                    say(
                        "provider-audience",
                        format!("it lacks the audience {audience}; it has {has}"),
                        "run causeway setup apply: it adds the audience",
                    );
                }
            }
        }
    }
}

/// A provider of another organization is the usual reason.
fn absent(account: &Account, state: &AccountState) -> String {
    let others: Vec<&str> = state
        .all_providers
        .iter()
        .filter_map(|arn| arn.split_once("oidc-provider/vstoken.dev.azure.com/").map(|(_, id)| id))
        .collect();
    match others.as_slice() {
        [] => format!("account {} has no provider for this organization", account.id),
        others => format!(
            "account {} has no provider for this organization, only for another one ({})",
            account.id,
            others.join(", ")
        ),
    }
}
