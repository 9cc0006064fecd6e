use super::{AZURE_DEVOPS, AzureDevOpsAction, Change, Observed, Plan};
use crate::azure_devops::{Endpoint, body, differences, marker};
use crate::file::{Connection, Setup};

/// New connections go into `plan`, changes of those that are there into `later`.
pub(super) fn plan(setup: &Setup, observed: &Observed, plan: &mut Plan, later: &mut Plan) {
    for kind in &observed.azure_devops.missing_types {
        let extension = match kind.name() {
            "AWS" => "the AWS Toolkit for Azure DevOps",
            _ => "the Causeway extension",
        };
        plan.obstacle(
            AZURE_DEVOPS,
            &format!("connection type {}", kind.name()),
            "the organization does not have it",
            format!("install {extension} in the organization (Organization settings, Extensions), then run this again"),
        );
    }
    for wanted in &setup.connections {
        match observed.azure_devops.endpoint(&wanted.name) {
            None => create(setup, observed, wanted, plan),
            Some(found) => change(setup, observed, wanted, found, later),
        }
        open(setup, observed, wanted, later);
    }
}

fn create(setup: &Setup, observed: &Observed, wanted: &Connection, plan: &mut Plan) {
    let description = marker(&setup.id, false);
    let body = body(wanted, &observed.azure_devops.place.reference(), &description, None);
    let mut details = vec![format!("type: {}", wanted.kind.name()), format!("role: {}", wanted.role)];
    details.extend(wanted.region.iter().map(|region| format!("region: {region}")));
    let action = AzureDevOpsAction::Create { name: wanted.name.clone(), body };
    plan.azure(Change::Create, &subject(&wanted.name), "", details, action);
}

fn change(setup: &Setup, observed: &Observed, wanted: &Connection, found: &Endpoint, later: &mut Plan) {
    let subject = subject(&wanted.name);
    if found.kind != wanted.kind.name() {
        let problem =
            format!("there is one of type {}, and the file says {}", found.kind, wanted.kind.name());
        let cure =
            "Azure DevOps cannot change a connection's type: say the type that it has, or take another name";
        return later.obstacle(AZURE_DEVOPS, &subject, problem, cure);
    }
    let changes = differences(found, wanted);
    let is_ours = is_ours(setup, found);
    if !found.is_ready {
        let problem = "it is not ready: somebody disabled it, or it failed while it was made";
        let cure = "enable it by hand in the project's settings, or delete it there, and then run apply";
        return later.obstacle(AZURE_DEVOPS, &subject, problem, cure);
    }
    if changes.is_empty() {
        return;
    }
    if !is_ours && !wanted.convert {
        let problem = format!("it is there already and this set-up did not make it ({})", changes.join("; "));
        let cure = "say convert: true to change it in place, or take another name";
        return later.obstacle(AZURE_DEVOPS, &subject, problem, cure);
    }
    if let Some(key) = found.access_key() {
        later.note(format!(
            "Connection {} stops using the access key {key}. When its pipelines have run without it, deactivate and delete the key in IAM: Azure DevOps may keep a copy of the secret as long as it exists.",
            wanted.name
        ));
    }
    let description = description(setup, found, is_ours);
    let body = body(wanted, &observed.azure_devops.place.reference(), &description, Some(found));
    let part = if is_ours { "" } else { "conversion" };
    let action = AzureDevOpsAction::Update { id: found.id, body };
    later.azure(Change::Update, &subject, part, changes, action);
}

/// Whether this set-up made it, or changed it into what it is.
fn is_ours(setup: &Setup, found: &Endpoint) -> bool {
    found.is_made_by(&setup.id) || found.is_converted_by(&setup.id)
}

/// What was said of it before stays.
fn description(setup: &Setup, found: &Endpoint, is_ours: bool) -> String {
    let before = found.description.clone().unwrap_or_default();
    if is_ours { before } else { format!("{before} {}", marker(&setup.id, true)).trim().to_owned() }
}

/// Somebody else's connection is opened only where the file says that it may be changed.
fn open(setup: &Setup, observed: &Observed, wanted: &Connection, later: &mut Plan) {
    let found = observed.azure_devops.endpoint(&wanted.name);
    let is_open = found.is_some_and(|found| observed.azure_devops.open.contains(&found.id));
    if !wanted.all_pipelines || is_open {
        return;
    }
    let subject = subject(&wanted.name);
    if found.is_some_and(|found| !is_ours(setup, found)) && !wanted.convert {
        let problem =
            "it is there already and this set-up did not make it: it is not opened to all pipelines";
        let cure = "say convert: true to change it in place, or open it by hand";
        return later.obstacle(AZURE_DEVOPS, &subject, problem, cure);
    }
    let action = AzureDevOpsAction::OpenToAll { name: wanted.name.clone() };
    let details = vec!["every pipeline of the project may use it".to_owned()];
    later.azure(Change::Update, &subject, "pipeline permissions", details, action);
}

/// How a connection is called in plans.
pub(super) fn subject(name: &str) -> String {
    format!("connection {name}")
}
