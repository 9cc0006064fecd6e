use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::error::BuildError;
use aws_sdk_iam::types::Tag;
use causeway_types::ServiceError;
use serde_json::Value;

use super::AwsAccount;
use crate::plan::{AwsAction, NewRole};

/// How long what was just made may be unknown: IAM is "eventually consistent" (IAM User Guide, "Changes that I make are not
/// always immediately visible").
const SETTLING: [u64; 4] = [500, 1000, 2000, 4000];

impl AwsAccount {
    /// Makes one change.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(crate) async fn carry_out(&self, action: &AwsAction) -> Result<(), ServiceError> {
        for pause in SETTLING {
            match self.attempt(action).await {
                Err(error) if is_settling(&error) && !action.is_removal() => {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err(error) if action.is_removal() && error.code() == Some("NoSuchEntity") => return Ok(()),
                ended => return ended,
            }
        }
        self.attempt(action).await
    }

    async fn attempt(&self, action: &AwsAction) -> Result<(), ServiceError> {
        use AwsAction as A;
        let iam = &self.iam;
        match action {
            A::CreateProvider { url, audiences, tags } => {
                let call = iam.create_open_id_connect_provider().url(url);
                let call = call.set_client_id_list(Some(audiences.clone())).set_tags(Some(sdk_tags(tags)));
                done("CreateOpenIDConnectProvider", call.send().await)
            }
            A::AddAudience { arn, audience } => {
                let call = iam.add_client_id_to_open_id_connect_provider().open_id_connect_provider_arn(arn);
                done("AddClientIDToOpenIDConnectProvider", call.client_id(audience).send().await)
            }
            A::RemoveAudience { arn, audience } => {
                let call =
                    iam.remove_client_id_from_open_id_connect_provider().open_id_connect_provider_arn(arn);
                done("RemoveClientIDFromOpenIDConnectProvider", call.client_id(audience).send().await)
            }
            A::TagProvider { arn, tags } => {
                let call = iam.tag_open_id_connect_provider().open_id_connect_provider_arn(arn);
                done("TagOpenIDConnectProvider", call.set_tags(Some(sdk_tags(tags))).send().await)
            }
            A::UntagProvider { arn, keys } => {
                let call = iam.untag_open_id_connect_provider().open_id_connect_provider_arn(arn);
                done("UntagOpenIDConnectProvider", call.set_tag_keys(Some(keys.clone())).send().await)
            }
            A::DeleteProvider { arn } => {
                let call = iam.delete_open_id_connect_provider().open_id_connect_provider_arn(arn);
                done("DeleteOpenIDConnectProvider", call.send().await)
            }
            A::CreateRole(role) => self.create_role(role).await,
            A::UpdateTrust { role, trust } => {
                let call = iam.update_assume_role_policy().role_name(role).policy_document(trust.to_string());
                done("UpdateAssumeRolePolicy", call.send().await)
            }
            // What is left out falls back to its default, so both are always said.
            A::UpdateRole { role, description, max_session_seconds } => {
                let call = iam.update_role().role_name(role).description(description);
                done("UpdateRole", call.max_session_duration(seconds(*max_session_seconds)).send().await)
            }
            A::PutBoundary { role, arn } => {
                let call = iam.put_role_permissions_boundary().role_name(role).permissions_boundary(arn);
                done("PutRolePermissionsBoundary", call.send().await)
            }
            A::TagRole { role, tags } => {
                done("TagRole", iam.tag_role().role_name(role).set_tags(Some(sdk_tags(tags))).send().await)
            }
            A::UntagRole { role, keys } => done(
                "UntagRole",
                iam.untag_role().role_name(role).set_tag_keys(Some(keys.clone())).send().await,
            ),
            A::PutPolicy { role, name, document } => self.put_policy(role, name, document).await,
            A::DeletePolicy { role, name } => done(
                "DeleteRolePolicy",
                iam.delete_role_policy().role_name(role).policy_name(name).send().await,
            ),
            A::AttachPolicy { role, arn } => done(
                "AttachRolePolicy",
                iam.attach_role_policy().role_name(role).policy_arn(arn).send().await,
            ),
            A::DetachPolicy { role, arn } => done(
                "DetachRolePolicy",
                iam.detach_role_policy().role_name(role).policy_arn(arn).send().await,
            ),
            A::DeleteRole { role } => done("DeleteRole", iam.delete_role().role_name(role).send().await),
        }
    }

    async fn create_role(&self, role: &NewRole) -> Result<(), ServiceError> {
        let call =
            self.iam.create_role().role_name(&role.name).path(&role.path).description(&role.description);
        let call =
            call.assume_role_policy_document(role.trust.to_string()).set_tags(Some(sdk_tags(&role.tags)));
        let call = call.max_session_duration(seconds(role.max_session_seconds));
        done("CreateRole", call.set_permissions_boundary(role.boundary.clone()).send().await)
    }

    async fn put_policy(&self, role: &str, name: &str, document: &Value) -> Result<(), ServiceError> {
        let call = self.iam.put_role_policy().role_name(role).policy_name(name);
        done("PutRolePolicy", call.policy_document(document.to_string()).send().await)
    }
}

fn done<T, E>(
    operation: &'static str,
    sent: Result<
        T,
        aws_sdk_iam::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
    >,
) -> Result<(), ServiceError>
where
    E: aws_sdk_iam::error::ProvideErrorMetadata
        + aws_types::request_id::RequestId
        + std::error::Error
        + 'static,
{
    sent.map(drop).map_err(|error| ServiceError::new(operation, &error))
}

/// A role or provider that was made a moment ago may not be seen yet.
fn is_settling(error: &ServiceError) -> bool {
    match error.code() {
        // A managed policy that is not there will not come.
        Some("NoSuchEntity") => !error.message().starts_with("Policy "),
        Some("MalformedPolicyDocument") => error.message().contains("Invalid principal"),
        _ => false,
    }
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| -> Result<Tag, BuildError> {
        Tag::builder().key(key).value(value).build()
    };
    tags.iter().filter_map(|pair| tag(pair).ok()).collect()
}

fn seconds(seconds: u32) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}
