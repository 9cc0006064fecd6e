//! The steps from what there is to what the file asks for, or to nothing of ours. Planning changes nothing.

mod action;
mod connections;
mod providers;
mod removal;
mod roles;
mod state;
pub(crate) mod trust;

use serde::Serialize;

pub use action::{Action, AwsAction, AzureDevOpsAction, NewRole};
pub use removal::remove;
pub use state::{AzureDevOpsState, Observed, observe_account, observe_azure_devops};

use crate::file::Setup;

/// What a step does to the thing it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Makes it.
    Create,
    /// Changes it.
    Update,
    /// Takes it away.
    Delete,
}

/// One call and what it is for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// `Azure DevOps`, or an account by the file's name for it.
    pub place: String,
    /// What it does.
    pub change: Change,
    /// The thing, such as `role shop-deploy`.
    pub subject: String,
    /// What of it, such as `trust policy`; empty for the whole thing.
    pub part: String,
    /// The difference, line by line.
    pub details: Vec<String>,
    /// The call.
    #[serde(skip)]
    pub action: Action,
}

/// Something that keeps a plan from being carried out, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// `Azure DevOps`, or an account by the file's name for it.
    pub place: String,
    /// The thing.
    pub subject: String,
    /// What is in the way.
    pub problem: String,
    /// What to do.
    pub cure: String,
}

/// What is to be done, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// The calls.
    pub steps: Vec<Step>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// Nothing is done while there is one.
    pub obstacles: Vec<Obstacle>,
}

/// The place of what is in Azure DevOps.
pub const AZURE_DEVOPS: &str = "Azure DevOps";

/// From what there is to what the file asks for; with `prune`, what the file no longer names goes.
///
/// A new connection comes first, for its GUID stands in a subject; a connection that is there already is changed last, when
/// everything it needs is there.
#[must_use]
pub fn apply(setup: &Setup, observed: &Observed, prune: bool) -> Plan {
    let mut plan = Plan::default();
    let mut later = Plan::default();
    connections::plan(setup, observed, &mut plan, &mut later);
    for (alias, account) in &setup.accounts {
        providers::plan(setup, observed, account, &mut plan);
        for role in setup.roles_of(alias) {
            roles::plan(setup, observed, role, &mut plan);
        }
    }
    plan.absorb(later);
    removal::leftovers(setup, observed, prune, &mut plan);
    plan
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn absorb(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.notes.extend(other.notes);
        self.obstacles.extend(other.obstacles);
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    fn obstacle(&mut self, place: &str, subject: &str, problem: impl Into<String>, cure: impl Into<String>) {
        let (place, subject) = (place.to_owned(), subject.to_owned());
        self.obstacles.push(Obstacle { place, subject, problem: problem.into(), cure: cure.into() });
    }

    fn azure(
        &mut self,
        change: Change,
        subject: &str,
        part: &str,
        details: Vec<String>,
        action: AzureDevOpsAction,
    ) {
        self.steps.push(Step {
            place: AZURE_DEVOPS.to_owned(),
            change,
            subject: subject.to_owned(),
            part: part.to_owned(),
            details,
            action: Action::AzureDevOps(action),
        });
    }

    fn aws(
        &mut self,
        account: &str,
        change: Change,
        (subject, part): (&str, &str),
        details: Vec<String>,
        action: AwsAction,
    ) {
        self.steps.push(Step {
            place: account.to_owned(),
            change,
            subject: subject.to_owned(),
            part: part.to_owned(),
            details,
            action: Action::Aws { account: account.to_owned(), action },
        });
    }
}
