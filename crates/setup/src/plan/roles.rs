use std::collections::BTreeMap;

use serde_json::Value;

use super::{AwsAction, Change, NewRole, Observed, Plan, trust};
use crate::aws::RoleState;
use crate::file::{Role, Setup};
use crate::json;

/// What the tags begin with that say which managed policies were attached here: others may attach theirs.
pub(super) const ATTACHED: &str = "causeway:attached-";
/// What the names of our inline policies begin with.
pub(super) const INLINE: &str = "causeway-";
/// IAM's limit on a trust policy, not counting white space, unless the account's quota was raised (IAM User Guide, "IAM and
/// AWS STS quotas").
const TRUST_CHARACTERS: usize = 2048;

/// One role.
pub(super) fn plan(setup: &Setup, observed: &Observed, role: &Role, plan: &mut Plan) {
    let (wanted, _) = trust::wanted(setup, &observed.azure_devops, role);
    let size = wanted.to_string().len();
    if size > TRUST_CHARACTERS {
        plan.note(format!(
            "The trust policy of role {} has {size} characters; IAM takes {TRUST_CHARACTERS}, or up to 4096 when the account's quota was raised. Fewer connections a role keep it short.",
            role.arn.name()
        ));
    }
    let state = observed.account(&role.account);
    let planner = Planner { setup, role, subject: subject(role.arn.name()) };
    match state.roles.get(role.arn.name()) {
        None if role.existing => plan.obstacle(
            &role.account,
            &planner.subject,
            format!("account {} has no such role, and the file says existing: true", role.account),
            "leave existing out to have it made, or correct the name",
        ),
        None => planner.create(wanted, plan),
        Some(found) if found.arn != role.arn.as_str() => plan.obstacle(
            &role.account,
            &planner.subject,
            format!("it is {}, the file says {}", found.arn, role.arn),
            "a role's path cannot be changed: say the path that it has, or take another name",
        ),
        Some(found) if role.existing && another_set_ups(setup, found).is_some() => plan.obstacle(
            &role.account,
            &planner.subject,
            format!("set-up {} made it", another_set_ups(setup, found).unwrap_or_default()),
            "name the connection in that set-up's file: each apply of the one would undo the other's, and existing: true is for roles that no set-up made",
        ),
        Some(found) if role.existing => planner.join(found, &wanted, plan),
        Some(found) if !found.is_made_by(&setup.id) => plan.obstacle(
            &role.account,
            &planner.subject,
            "it is there already and this set-up did not make it",
            "say existing: true to add this set-up's statements to its trust policy and leave the rest alone, or take another name",
        ),
        Some(found) => planner.update(found, &wanted, plan),
    }
}

struct Planner<'a> {
    setup: &'a Setup,
    role: &'a Role,
    subject: String,
}

impl Planner<'_> {
    fn name(&self) -> String {
        self.role.arn.name().to_owned()
    }

    fn step(&self, plan: &mut Plan, change: Change, part: &str, details: Vec<String>, action: AwsAction) {
        plan.aws(&self.role.account, change, (&self.subject, part), details, action);
    }

    fn create(&self, wanted: Value, plan: &mut Plan) {
        let role = self.role;
        let mut details = vec![format!("arn: {}", role.arn), "trust policy:".to_owned()];
        details.extend(json::added(&trust::shown(self.setup, &wanted)));
        details.push(format!("longest session: {} s", role.max_session_seconds));
        details.extend(role.boundary.iter().map(|arn| format!("permissions boundary: {arn}")));
        let action = AwsAction::CreateRole(NewRole {
            name: self.name(),
            path: role.path.clone(),
            description: role.description.clone(),
            trust: wanted,
            tags: self.tags(),
            boundary: role.boundary.clone(),
            max_session_seconds: role.max_session_seconds,
        });
        self.step(plan, Change::Create, "", details, action);
        self.policies(&BTreeMap::new(), plan);
        self.attach(&[], &[], plan);
    }

    fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.role.tags.clone();
        for (number, arn) in self.role.managed_policies.iter().enumerate() {
            tags.insert(format!("{ATTACHED}{number}"), arn.clone());
        }
        tags
    }

    fn update(&self, found: &RoleState, wanted: &Value, plan: &mut Plan) {
        self.trust(found, wanted, plan);
        self.settings(found, plan);
        self.policies(&found.policies, plan);
        self.detach(found, plan);
        self.retag(found, plan);
        self.attach(&found.managed_policies, &attached_here(found), plan);
    }

    /// Somebody else's role gains our statements.
    fn join(&self, found: &RoleState, wanted: &Value, plan: &mut Plan) {
        let ours = trust::merged(self.setup, &found.trust, Some(wanted));
        self.trust(found, &ours, plan);
    }

    fn trust(&self, found: &RoleState, wanted: &Value, plan: &mut Plan) {
        if !json::same(&found.trust, wanted) {
            let details = json::difference(&found.trust, &trust::shown(self.setup, wanted));
            let action = AwsAction::UpdateTrust { role: self.name(), trust: wanted.clone() };
            self.step(plan, Change::Update, "trust policy", details, action);
        }
    }

    fn settings(&self, found: &RoleState, plan: &mut Plan) {
        let role = self.role;
        let mut details = Vec::new();
        if found.description != role.description {
            details.push(format!("description: {} → {}", found.description, role.description));
        }
        if found.max_session_seconds != role.max_session_seconds {
            details.push(format!(
                "longest session: {} s → {} s",
                found.max_session_seconds, role.max_session_seconds
            ));
        }
        if !details.is_empty() {
            let action = AwsAction::UpdateRole {
                role: self.name(),
                description: role.description.clone(),
                max_session_seconds: role.max_session_seconds,
            };
            self.step(plan, Change::Update, "settings", details, action);
        }
        match (&found.boundary, &role.boundary) {
            (there, wanted) if there == wanted => {}
            (there, Some(arn)) => {
                let line = format!("{} → {arn}", there.as_deref().unwrap_or("none"));
                let action = AwsAction::PutBoundary { role: self.name(), arn: arn.clone() };
                self.step(plan, Change::Update, "permissions boundary", vec![line], action);
            }
            // Without it the role may do more: that is not for a file that says nothing of it.
            (there, None) => plan.note(format!(
                "Role {} keeps its permissions boundary {}, which the file does not name: take it away by hand.",
                self.name(),
                there.as_deref().unwrap_or("none")
            )),
        }
    }

    fn policies(&self, found: &BTreeMap<String, Value>, plan: &mut Plan) {
        for (name, wanted) in &self.role.policies {
            let details = match found.get(name) {
                Some(there) if json::same(there, wanted) => continue,
                Some(there) => json::difference(there, wanted),
                None => json::added(wanted),
            };
            let change = if found.contains_key(name) { Change::Update } else { Change::Create };
            let action =
                AwsAction::PutPolicy { role: self.name(), name: name.clone(), document: wanted.clone() };
            self.step(plan, change, &format!("policy {name}"), details, action);
        }
        let gone = |name: &&String| name.starts_with(INLINE) && !self.role.policies.contains_key(*name);
        for name in found.keys().filter(gone) {
            let action = AwsAction::DeletePolicy { role: self.name(), name: name.clone() };
            self.step(plan, Change::Delete, &format!("policy {name}"), Vec::new(), action);
        }
    }

    fn detach(&self, found: &RoleState, plan: &mut Plan) {
        for arn in attached_here(found) {
            if found.managed_policies.contains(&arn) && !self.role.managed_policies.contains(&arn) {
                let action = AwsAction::DetachPolicy { role: self.name(), arn: arn.clone() };
                self.step(plan, Change::Delete, &format!("attachment of {arn}"), Vec::new(), action);
            }
        }
    }

    fn attach(&self, found: &[String], ours: &[String], plan: &mut Plan) {
        for arn in self.role.managed_policies.iter().filter(|arn| !found.contains(arn)) {
            let action = AwsAction::AttachPolicy { role: self.name(), arn: arn.clone() };
            self.step(plan, Change::Create, &format!("attachment of {arn}"), Vec::new(), action);
        }
        let theirs =
            found.iter().filter(|arn| !self.role.managed_policies.contains(arn) && !ours.contains(arn));
        let theirs: Vec<&str> = theirs.map(String::as_str).collect();
        if !theirs.is_empty() {
            plan.note(format!(
                "Role {} has managed policies that the file does not name; those that somebody else attached stay: {}.",
                self.name(),
                theirs.join(", ")
            ));
        }
    }

    fn retag(&self, found: &RoleState, plan: &mut Plan) {
        let wanted = self.tags();
        let differing: BTreeMap<String, String> = wanted
            .iter()
            .filter(|(key, value)| found.tags.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !differing.is_empty() {
            let details = differing.iter().map(|(key, value)| format!("+ {key} = {value}")).collect();
            let action = AwsAction::TagRole { role: self.name(), tags: differing };
            self.step(plan, Change::Update, "tags", details, action);
        }
        let stale = found.tags.keys().filter(|key| key.starts_with(ATTACHED) && !wanted.contains_key(*key));
        let stale: Vec<String> = stale.cloned().collect();
        if !stale.is_empty() {
            let details = stale.iter().map(|key| format!("- {key}")).collect();
            let action = AwsAction::UntagRole { role: self.name(), keys: stale };
            self.step(plan, Change::Update, "tags", details, action);
        }
    }
}

/// The managed policies that were attached here, as the role's tags say.
pub(super) fn attached_here(found: &RoleState) -> Vec<String> {
    found.tags.iter().filter(|(key, _)| key.starts_with(ATTACHED)).map(|(_, arn)| arn.clone()).collect()
}

/// The other set-up that made a role.
fn another_set_ups<'a>(setup: &Setup, found: &'a RoleState) -> Option<&'a str> {
    let tag = found.tags.get(crate::SETUP_TAG)?;
    (*tag != setup.id).then_some(tag.as_str())
}

/// How a role is called in plans.
pub(super) fn subject(name: &str) -> String {
    format!("role {name}")
}
