use causeway_types::{RoleArn, account_of_arn};

use super::{Finding, Severity};
use crate::azure_devops::{AzureDevOpsError, Endpoint, differences};
use crate::file::{Connection, Setup};
use crate::plan::{AZURE_DEVOPS, Observed};

/// Azure DevOps could not be looked at.
pub(super) fn unseen(error: &AzureDevOpsError) -> Finding {
    let code = match error {
        AzureDevOpsError::SignIn { .. } => "azure-devops-sign-in",
        AzureDevOpsError::Forbidden { .. } => "azure-devops-forbidden",
        AzureDevOpsError::NotFound { .. } => "project-missing",
        _ => "azure-devops-unreachable",
    };
    let (cause, cure) = (error.to_string(), error.hint().to_owned());
    let (place, subject) = (AZURE_DEVOPS.to_owned(), AZURE_DEVOPS.to_owned());
    Finding { code, severity: Severity::Problem, place, subject, cause, cure }
}

pub(super) fn check(setup: &Setup, observed: &Observed, findings: &mut Vec<Finding>) {
    for kind in &observed.azure_devops.missing_types {
        findings.push(Finding {
            code: "extension-missing",
            severity: Severity::Problem,
            place: AZURE_DEVOPS.to_owned(),
            subject: format!("connection type {}", kind.name()),
            cause: "the organization does not have it".to_owned(),
            cure: "install the extension in the organization (Organization settings, Extensions)".to_owned(),
        });
    }
    for wanted in &setup.connections {
        let judge = Judge { wanted, findings };
        match observed.azure_devops.endpoint(&wanted.name) {
            Some(found) => judge.found(found),
            None => judge.missing(observed),
        }
    }
}

struct Judge<'a> {
    wanted: &'a Connection,
    findings: &'a mut Vec<Finding>,
}

impl Judge<'_> {
    fn say(&mut self, code: &'static str, cause: String, cure: &str) {
        self.findings.push(Finding {
            code,
            severity: Severity::Problem,
            place: AZURE_DEVOPS.to_owned(),
            subject: format!("connection {}", self.wanted.name),
            cause,
            cure: cure.to_owned(),
        });
    }

    /// A renamed connection still has its role.
    fn missing(mut self, observed: &Observed) {
        let place = &observed.azure_devops.place;
        let same_role =
            |endpoint: &&Endpoint| endpoint.role().is_some_and(|role| role == self.wanted.role.as_str());
        let renamed =
            observed.azure_devops.endpoints.iter().find(same_role).map(|endpoint| endpoint.name.clone());
        match renamed {
            Some(name) => self.say(
                "connection-renamed",
                format!("project {} has no such connection, but \"{name}\" names the same role: with another name the token has another subject", place.project),
                "rename it back, or take the new name into the file and run causeway setup apply",
            ),
            None => self.say(
                "connection-missing",
                format!("project {} has no such connection", place.project),
                "run causeway setup apply; if it is in another project, correct project in the file",
            ),
        }
    }

    fn found(mut self, found: &Endpoint) {
        let wanted = self.wanted;
        if found.kind != wanted.kind.name() {
            let cause = format!("it is of type {}, the file says {}", found.kind, wanted.kind.name());
            return self.say("connection-type", cause, "say the type that it has, or take another name");
        }
        if found.name != wanted.name {
            let cause = format!("its name is \"{}\": case counts in the token's subject", found.name);
            self.say(
                "connection-name-case",
                cause,
                "run causeway setup apply, or write its name into the file as it is",
            );
        }
        if !found.is_ready {
            let cause = "it is not ready: disabled, or it failed while it was made".to_owned();
            self.say("connection-not-ready", cause, "enable it in the project's settings");
        }
        self.authentication(found);
        self.role(found);
        let shown = ["scheme", "use OIDC", "access key", "identity", "role", "name"];
        let rest = differences(found, wanted);
        let rest: Vec<String> = rest
            .into_iter()
            .filter(|line| !shown.iter().any(|field| line.starts_with(&format!("{field}:"))))
            .collect();
        if !rest.is_empty() {
            self.say("connection-drift", rest.join("; "), "run causeway setup apply");
        }
    }

    fn authentication(&mut self, found: &Endpoint) {
        let cure = "say convert: true for it and run causeway setup apply, then delete the key in IAM";
        match (found.access_key(), found.is_federated()) {
            (Some(key), true) => {
                let cause = format!(
                    "it has OIDC ticked and stores the access key {key}: the AWS Toolkit then uses the key without a word"
                );
                self.say("connection-contradiction", cause, cure);
            }
            (Some(key), false) => {
                self.say("connection-key", format!("it signs in with the long-lived access key {key}"), cure);
            }
            (None, false) => {
                let cause = "it does not take the job's OIDC token".to_owned();
                self.say(
                    "connection-not-federated",
                    cause,
                    "say convert: true for it and run causeway setup apply",
                );
            }
            (None, true) => {}
        }
    }

    fn role(&mut self, found: &Endpoint) {
        let wanted = &self.wanted.role;
        let Some(role) = found.role().filter(|role| *role != wanted.as_str()) else {
            if found.role().is_none() {
                self.say("connection-role", "it names no role".to_owned(), "run causeway setup apply");
            }
            return;
        };
        match account_of_arn(role).filter(|account| account != wanted.account()) {
            Some(account) if role.parse::<RoleArn>().is_ok() => self.say(
                "connection-account",
                format!("its role {role} is in account {account}, the file's is in {}", wanted.account()),
                "correct the account in the file, or run causeway setup apply",
            ),
            _ => self.say(
                "connection-role",
                format!("its role is {role}, the file's {wanted}"),
                "run causeway setup apply",
            ),
        }
    }
}
