use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

/// One call that changes something.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// In Azure DevOps.
    AzureDevOps(AzureDevOpsAction),
    /// In an AWS account.
    Aws {
        /// The account, by the file's name for it.
        account: String,
        /// The call.
        action: AwsAction,
    },
}

/// A call of Azure DevOps.
#[derive(Debug, Clone, PartialEq)]
pub enum AzureDevOpsAction {
    /// "Endpoints - Create".
    Create {
        /// The connection's name.
        name: String,
        /// The request.
        body: Value,
    },
    /// "Endpoints - Update Service Endpoint".
    Update {
        /// The connection's GUID.
        id: Uuid,
        /// The request.
        body: Value,
    },
    /// "Endpoints - Delete".
    Delete {
        /// The connection's GUID.
        id: Uuid,
    },
    /// "Pipeline Permissions - Update".
    OpenToAll {
        /// The connection's name: it may just have been made.
        name: String,
    },
}

/// A role that is to be made.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the parameters of CreateRole")]
pub struct NewRole {
    pub name: String,
    pub path: String,
    pub description: String,
    pub trust: Value,
    pub tags: BTreeMap<String, String>,
    pub boundary: Option<String>,
    pub max_session_seconds: u32,
}

/// A call of IAM.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the parameters of the calls that they are named after")]
pub enum AwsAction {
    CreateProvider { url: String, audiences: Vec<String>, tags: BTreeMap<String, String> },
    AddAudience { arn: String, audience: String },
    RemoveAudience { arn: String, audience: String },
    TagProvider { arn: String, tags: BTreeMap<String, String> },
    UntagProvider { arn: String, keys: Vec<String> },
    DeleteProvider { arn: String },
    CreateRole(NewRole),
    UpdateTrust { role: String, trust: Value },
    UpdateRole { role: String, description: String, max_session_seconds: u32 },
    PutBoundary { role: String, arn: String },
    TagRole { role: String, tags: BTreeMap<String, String> },
    UntagRole { role: String, keys: Vec<String> },
    PutPolicy { role: String, name: String, document: Value },
    DeletePolicy { role: String, name: String },
    AttachPolicy { role: String, arn: String },
    DetachPolicy { role: String, arn: String },
    DeleteRole { role: String },
}

impl AwsAction {
    /// Whether it takes something away: what is gone already needs no second attempt.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        matches!(
            self,
            Self::RemoveAudience { .. }
                | Self::UntagProvider { .. }
                | Self::DeleteProvider { .. }
                | Self::UntagRole { .. }
                | Self::DeletePolicy { .. }
                | Self::DetachPolicy { .. }
                | Self::DeleteRole { .. }
        )
    }

    /// The same with a connection's GUID in the place of the one that stood for it.
    #[must_use]
    pub fn with_ids(mut self, ids: &BTreeMap<String, String>) -> Self {
        match &mut self {
            Self::CreateRole(role) => role.trust = super::trust::with_ids(&role.trust, ids),
            Self::UpdateTrust { trust, .. } => *trust = super::trust::with_ids(trust, ids),
            _ => {}
        }
        self
    }
}
