use std::collections::BTreeMap;

use super::{AwsAction, Change, Observed, Plan, trust};
use crate::MANAGED_BY;
use crate::aws::Provider;
use crate::file::{Account, Setup};

/// The tag that says which audiences of somebody else's provider were added here.
pub(super) const ADDED_AUDIENCE: &str = "causeway:added-audience";

/// The providers that the account's roles need.
pub(super) fn plan(setup: &Setup, observed: &Observed, account: &Account, plan: &mut Plan) {
    let state = observed.account(&account.alias);
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for role in setup.roles_of(&account.alias) {
        for provider in trust::wanted(setup, &observed.azure_devops, role).1 {
            wanted.entry(provider.url).or_insert(provider.audiences);
        }
    }
    for (url, audiences) in wanted {
        let arn = account.provider_arn(&url);
        match state.providers.get(&arn) {
            None => create(account, &url, &audiences, plan),
            Some(found) => complete(account, &arn, &audiences, found, plan),
        }
    }
}

fn create(account: &Account, url: &str, audiences: &[String], plan: &mut Plan) {
    let tags = BTreeMap::from([(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned())]);
    let details = audiences.iter().map(|audience| format!("audience: {audience}")).collect();
    let action = AwsAction::CreateProvider { url: url.to_owned(), audiences: audiences.to_vec(), tags };
    plan.aws(&account.alias, Change::Create, (&subject(url), ""), details, action);
}

/// Somebody else's provider gains the audience. What is added is noted on it first, so that it can be taken back.
fn complete(account: &Account, arn: &str, audiences: &[String], found: &Provider, plan: &mut Plan) {
    let missing: Vec<&String> =
        audiences.iter().filter(|audience| !found.audiences.contains(audience)).collect();
    if missing.is_empty() {
        return;
    }
    let subject = subject(arn.split_once("oidc-provider/").map_or(arn, |(_, host)| host));
    if !found.is_ours() {
        let mut added: Vec<String> = added_audiences(found);
        added.extend(missing.iter().map(|audience| (*audience).clone()));
        added.sort();
        added.dedup();
        let tags = BTreeMap::from([(ADDED_AUDIENCE.to_owned(), added.join(" "))]);
        let action = AwsAction::TagProvider { arn: arn.to_owned(), tags };
        plan.aws(
            &account.alias,
            Change::Update,
            (&subject, "tag"),
            vec![format!("+ {ADDED_AUDIENCE}")],
            action,
        );
    }
    for audience in missing {
        let action = AwsAction::AddAudience { arn: arn.to_owned(), audience: audience.clone() };
        plan.aws(
            &account.alias,
            Change::Update,
            (&subject, "audience"),
            vec![format!("+ {audience}")],
            action,
        );
    }
}

/// The audiences that were added to a provider of somebody else.
pub(super) fn added_audiences(found: &Provider) -> Vec<String> {
    found.tags.get(ADDED_AUDIENCE).map(|tag| tag.split(' ').map(str::to_owned).collect()).unwrap_or_default()
}

/// How a provider is called in plans.
pub(super) fn subject(issuer: &str) -> String {
    format!("OIDC provider {}", issuer.trim_start_matches("https://"))
}
