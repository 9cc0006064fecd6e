use std::collections::BTreeMap;

use aws_sdk_iam::types::{Role as IamRole, Tag};
use causeway_types::ServiceError;

use super::{AccountState, AwsAccount, Provider, RoleState};
use crate::json::document;

type Answer<T> = Result<T, ServiceError>;

/// What an account has of `providers` (ARNs) and of roles: those called as in `roles`, and every one that trusts a provider.
///
/// # Errors
/// [`ServiceError`] of the first call that was refused.
pub async fn observe(account: &AwsAccount, providers: &[String], roles: &[String]) -> Answer<AccountState> {
    let mut state = AccountState { all_providers: account.all_providers().await?, ..AccountState::default() };
    for arn in providers.iter().filter(|arn| state.all_providers.contains(arn)) {
        state.providers.insert(arn.clone(), account.provider(arn).await?);
    }
    for found in account.all_roles().await? {
        let role = RoleState::of(&found);
        let wanted = roles.contains(&role.name) || providers.iter().any(|arn| role.trusts(arn));
        if wanted {
            state.roles.insert(role.name.clone(), account.completed(role).await?);
        }
    }
    Ok(state)
}

impl RoleState {
    fn of(found: &IamRole) -> Self {
        Self {
            arn: found.arn().to_owned(),
            name: found.role_name().to_owned(),
            description: found.description().unwrap_or_default().to_owned(),
            trust: document(found.assume_role_policy_document().unwrap_or_default()),
            max_session_seconds: found
                .max_session_duration()
                .and_then(|seconds| seconds.try_into().ok())
                .unwrap_or(3600),
            boundary: None,
            tags: BTreeMap::new(),
            policies: BTreeMap::new(),
            managed_policies: Vec::new(),
            instance_profiles: Vec::new(),
        }
    }
}

impl AwsAccount {
    async fn all_providers(&self) -> Answer<Vec<String>> {
        let sent = self.iam.list_open_id_connect_providers().send().await;
        let found = sent.map_err(|error| ServiceError::new("ListOpenIDConnectProviders", &error))?;
        let arns = found.open_id_connect_provider_list().iter();
        Ok(arns.filter_map(|provider| provider.arn().map(str::to_owned)).collect())
    }

    async fn provider(&self, arn: &str) -> Answer<Provider> {
        let sent = self.iam.get_open_id_connect_provider().open_id_connect_provider_arn(arn).send().await;
        let found = sent.map_err(|error| ServiceError::new("GetOpenIDConnectProvider", &error))?;
        Ok(Provider { audiences: found.client_id_list().to_vec(), tags: tags(found.tags()) })
    }

    async fn all_roles(&self) -> Answer<Vec<IamRole>> {
        let mut pages = self.iam.list_roles().into_paginator().send();
        let mut roles = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ServiceError::new("ListRoles", &error))?;
            roles.extend(page.roles);
        }
        Ok(roles)
    }

    /// What `ListRoles` leaves out: tags, boundary, policies, instance profiles.
    async fn completed(&self, mut role: RoleState) -> Answer<RoleState> {
        let sent = self.iam.get_role().role_name(&role.name).send().await;
        let found = sent.map_err(|error| ServiceError::new("GetRole", &error))?;
        if let Some(found) = found.role() {
            role.tags = tags(found.tags());
            role.description = found.description().unwrap_or_default().to_owned();
            role.boundary = found
                .permissions_boundary()
                .and_then(|boundary| boundary.permissions_boundary_arn())
                .map(str::to_owned);
        }
        role.policies = self.inline_policies(&role.name).await?;
        role.managed_policies = self.managed_policies(&role.name).await?;
        role.instance_profiles = self.instance_profiles(&role.name).await?;
        Ok(role)
    }

    async fn inline_policies(&self, role: &str) -> Answer<BTreeMap<String, serde_json::Value>> {
        let mut pages = self.iam.list_role_policies().role_name(role).into_paginator().send();
        let mut policies = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ServiceError::new("ListRolePolicies", &error))?;
            for name in page.policy_names {
                let sent = self.iam.get_role_policy().role_name(role).policy_name(&name).send().await;
                let found = sent.map_err(|error| ServiceError::new("GetRolePolicy", &error))?;
                policies.insert(name, document(found.policy_document()));
            }
        }
        Ok(policies)
    }

    async fn managed_policies(&self, role: &str) -> Answer<Vec<String>> {
        let mut pages = self.iam.list_attached_role_policies().role_name(role).into_paginator().send();
        let mut policies = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ServiceError::new("ListAttachedRolePolicies", &error))?;
            policies.extend(
                page.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)),
            );
        }
        policies.sort();
        Ok(policies)
    }

    async fn instance_profiles(&self, role: &str) -> Answer<Vec<String>> {
        let sent = self.iam.list_instance_profiles_for_role().role_name(role).send().await;
        let found = sent.map_err(|error| ServiceError::new("ListInstanceProfilesForRole", &error))?;
        Ok(found
            .instance_profiles()
            .iter()
            .map(|profile| profile.instance_profile_name().to_owned())
            .collect())
    }
}

fn tags(found: &[Tag]) -> BTreeMap<String, String> {
    found.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}
