//! What this set-up made goes, and nothing else: tags and descriptions say what is whose.

use serde_json::Value;

use super::providers::{ADDED_AUDIENCE, added_audiences};
use super::roles::{INLINE, attached_here};
use super::{
    AZURE_DEVOPS, AwsAction, AzureDevOpsAction, Change, Observed, Plan, connections, providers, roles, trust,
};
use crate::aws::{AccountState, RoleState, statements};
use crate::azure_devops::Endpoint;
use crate::file::{Account, Setup};

/// Everything of this set-up.
#[must_use]
pub fn remove(setup: &Setup, observed: &Observed) -> Plan {
    let mut plan = Plan::default();
    for endpoint in &observed.azure_devops.endpoints {
        connection(setup, observed, endpoint, &mut plan);
    }
    for account in setup.accounts.values() {
        let state = observed.account(&account.alias);
        let mut going = Vec::new();
        for role in state.roles.values() {
            if role.is_made_by(&setup.id) {
                if own_role(setup, account, role, &mut plan) {
                    going.push(role.name.clone());
                }
            } else if leave_role(setup, account, role, &mut plan) {
                going.push(role.name.clone());
            }
        }
        for arn in state.providers.keys() {
            provider(account, &state, arn, &going, &mut plan);
        }
    }
    plan
}

/// What this set-up made, or added to somebody else's role, and the file no longer names: removed with `prune`, else said.
///
/// Providers stay, and so does everything in an account that the file no longer names: nobody looks there.
pub(super) fn leftovers(setup: &Setup, observed: &Observed, prune: bool, plan: &mut Plan) {
    let mut left = Plan::default();
    let unnamed = |endpoint: &&Endpoint| {
        !setup.connections.iter().any(|wanted| wanted.name.eq_ignore_ascii_case(&endpoint.name))
    };
    for endpoint in observed.azure_devops.endpoints.iter().filter(unnamed) {
        if endpoint.is_made_by(&setup.id) {
            connection(setup, observed, endpoint, &mut left);
        }
    }
    for account in setup.accounts.values() {
        let state = observed.account(&account.alias);
        let named = |role: &RoleState| setup.roles.iter().any(|wanted| wanted.arn.as_str() == role.arn);
        for role in state.roles.values().filter(|role| !named(role)) {
            if role.is_made_by(&setup.id) {
                own_role(setup, account, role, &mut left);
            } else {
                leave_role(setup, account, role, &mut left);
            }
        }
    }
    if prune {
        return plan.absorb(left);
    }
    let steps = left.steps.iter().map(|step| (&step.subject, &step.place));
    let kept = left.obstacles.iter().map(|obstacle| (&obstacle.subject, &obstacle.place));
    let mut subjects: Vec<String> =
        steps.chain(kept).map(|(subject, place)| format!("{subject} ({place})")).collect();
    subjects.dedup();
    if !subjects.is_empty() {
        plan.note(format!(
            "This set-up made or joined these, and the file no longer names them; --prune takes away what is its own, or says what is in the way: {}.",
            subjects.join(", ")
        ));
    }
}

fn connection(setup: &Setup, observed: &Observed, endpoint: &Endpoint, plan: &mut Plan) {
    let subject = connections::subject(&endpoint.name);
    if endpoint.is_converted_by(&setup.id) {
        plan.note(format!(
            "{subject} stays: it was there before this set-up changed it, and its key cannot be put back. Give it a key or another role, or delete it by hand."
        ));
        return;
    }
    if !endpoint.is_made_by(&setup.id) {
        return;
    }
    if let Some((problem, cure)) = repurposed(setup, observed, endpoint) {
        return plan.obstacle(AZURE_DEVOPS, &subject, problem, cure);
    }
    let action = AzureDevOpsAction::Delete { id: endpoint.id };
    plan.azure(Change::Delete, &subject, "", Vec::new(), action);
}

/// Why a connection that carries our mark may be somebody's by now, and what to do.
fn repurposed(setup: &Setup, observed: &Observed, endpoint: &Endpoint) -> Option<(String, &'static str)> {
    if let Some(wanted) = setup.connection(&endpoint.name) {
        let changed = crate::azure_devops::differences(endpoint, wanted);
        let problem = format!("somebody changed it since it was made ({})", changed.join("; "));
        let cure = "run apply to put it back as the file says and then remove, or delete it by hand";
        return (!changed.is_empty()).then_some((problem, cure));
    }
    // Without the file's word only its role tells whose it is.
    let cure = "delete it by hand if nobody needs it, or take the mark of this set-up out of its description";
    if !endpoint.is_federated() || endpoint.access_key().is_some() {
        return Some(("it no longer signs in as this set-up made it".to_owned(), cure));
    }
    let role = endpoint.role().unwrap_or_default();
    let is_ours = observed
        .accounts
        .values()
        .flat_map(|state| state.roles.values())
        .any(|found| found.arn == role && (found.is_made_by(&setup.id) || is_joined(setup, found)));
    let problem = format!("the file does not name it, and its role ({role}) is none of this set-up's");
    (!is_ours).then_some((problem, cure))
}

/// Whether a role has statements of this set-up.
fn is_joined(setup: &Setup, role: &RoleState) -> bool {
    let prefix = setup.sid_prefix();
    statements(&role.trust).any(|statement| trust::is_of(statement, &prefix))
}

/// A role that this set-up made; whether it goes.
fn own_role(setup: &Setup, account: &Account, role: &RoleState, plan: &mut Plan) -> bool {
    let subject = roles::subject(&role.name);
    let theirs = others_in(setup, role);
    if !theirs.is_empty() {
        plan.obstacle(
            &account.alias,
            &subject,
            format!("others use it: {}", theirs.join(", ")),
            format!(
                "take these away from it in account {}, or leave it to them by removing its tag {}",
                account.alias,
                crate::SETUP_TAG
            ),
        );
        return false;
    }
    let alias = account.alias.as_str();
    let name = || role.name.clone();
    for policy in role.policies.keys() {
        let action = AwsAction::DeletePolicy { role: name(), name: policy.clone() };
        plan.aws(alias, Change::Delete, (&subject, &format!("policy {policy}")), Vec::new(), action);
    }
    for arn in &role.managed_policies {
        let action = AwsAction::DetachPolicy { role: name(), arn: arn.clone() };
        plan.aws(alias, Change::Delete, (&subject, &format!("attachment of {arn}")), Vec::new(), action);
    }
    plan.aws(alias, Change::Delete, (&subject, ""), Vec::new(), AwsAction::DeleteRole { role: name() });
    true
}

/// What somebody else put on a role of ours.
fn others_in(setup: &Setup, role: &RoleState) -> Vec<String> {
    let ours = attached_here(role);
    let prefix = setup.sid_prefix();
    let policies =
        role.policies.keys().filter(|name| !name.starts_with(INLINE)).map(|name| format!("policy {name}"));
    let attached = role
        .managed_policies
        .iter()
        .filter(|arn| !ours.contains(arn))
        .map(|arn| format!("managed policy {arn}"));
    let profiles = role.instance_profiles.iter().map(|name| format!("instance profile {name}"));
    let trusted = statements(&role.trust)
        .filter(|statement| !trust::is_of(statement, &prefix))
        .map(|statement| format!("a statement of its trust policy for {}", principal(statement)));
    policies.chain(attached).chain(profiles).chain(trusted).collect()
}

fn principal(statement: &Value) -> String {
    statement["Principal"].to_string()
}

/// Somebody else's role loses our statements; whether it no longer trusts what they named.
fn leave_role(setup: &Setup, account: &Account, role: &RoleState, plan: &mut Plan) -> bool {
    if !is_joined(setup, role) {
        return false;
    }
    let subject = roles::subject(&role.name);
    let rest = trust::merged(setup, &role.trust, None);
    if statements(&rest).next().is_none() {
        plan.obstacle(
            &account.alias,
            &subject,
            "its trust policy has no other statement than those of this set-up, and IAM takes no empty one",
            "delete the role, or give it a statement of its own",
        );
        return false;
    }
    let details = crate::json::difference(&role.trust, &rest);
    let mut after = role.clone();
    after.trust = rest.clone();
    let action = AwsAction::UpdateTrust { role: role.name.clone(), trust: rest };
    plan.aws(&account.alias, Change::Update, (&subject, "trust policy"), details, action);
    // Their own statements may trust the same provider.
    !after_trusts_any(&after, account)
}

fn after_trusts_any(role: &RoleState, account: &Account) -> bool {
    let prefix = format!("arn:{}:iam::{}:oidc-provider/", account.partition, account.id);
    statements(&role.trust).any(|statement| {
        crate::aws::texts(&statement["Principal"]["Federated"]).any(|arn| arn.starts_with(&prefix))
    })
}

/// A provider goes with its last role; what was added to somebody else's is taken back then.
fn provider(account: &Account, state: &AccountState, arn: &str, going: &[String], plan: &mut Plan) {
    let Some(found) = state.providers.get(arn) else { return };
    let subject = providers::subject(arn.split_once("oidc-provider/").map_or(arn, |(_, host)| host));
    let users: Vec<&str> = state
        .roles
        .values()
        .filter(|role| role.trusts(arn) && !going.contains(&role.name))
        .map(|role| role.name.as_str())
        .collect();
    let added = added_audiences(found);
    if !users.is_empty() {
        if found.is_ours() || !added.is_empty() {
            plan.note(format!(
                "{subject} in account {} stays: {} trust it.",
                account.alias,
                users.join(", ")
            ));
        }
        return;
    }
    let alias = account.alias.as_str();
    if found.is_ours() {
        let action = AwsAction::DeleteProvider { arn: arn.to_owned() };
        plan.aws(alias, Change::Delete, (&subject, ""), Vec::new(), action);
        return;
    }
    for audience in added.iter().filter(|audience| found.audiences.contains(audience)) {
        let action = AwsAction::RemoveAudience { arn: arn.to_owned(), audience: audience.clone() };
        plan.aws(alias, Change::Delete, (&subject, "audience"), vec![format!("- {audience}")], action);
    }
    if !added.is_empty() {
        let action = AwsAction::UntagProvider { arn: arn.to_owned(), keys: vec![ADDED_AUDIENCE.to_owned()] };
        plan.aws(alias, Change::Delete, (&subject, "tag"), vec![format!("- {ADDED_AUDIENCE}")], action);
    }
}
