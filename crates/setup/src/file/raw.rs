//! The file as it is written: strings, nothing checked yet.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawFile {
    pub(super) name: Option<String>,
    pub(super) organization: String,
    pub(super) project: String,
    pub(super) tenant: Option<String>,
    pub(super) region: Option<String>,
    pub(super) accounts: BTreeMap<String, RawAccount>,
    #[serde(default)]
    pub(super) roles: BTreeMap<String, RawRole>,
    pub(super) connections: BTreeMap<String, RawConnection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawAccount {
    pub(super) id: String,
    pub(super) profile: Option<String>,
    pub(super) role: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) partition: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct RawRole {
    pub(super) name: Option<String>,
    pub(super) path: Option<String>,
    pub(super) existing: bool,
    pub(super) description: Option<String>,
    pub(super) permissions: Vec<RawPermission>,
    pub(super) permissions_boundary: Option<String>,
    pub(super) max_session_seconds: Option<u32>,
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawConnection {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) account: Option<String>,
    #[serde(default)]
    pub(super) accounts: Vec<String>,
    pub(super) role: Option<String>,
    #[serde(default)]
    pub(super) roles: Vec<String>,
    pub(super) region: Option<String>,
    pub(super) session_name: Option<String>,
    #[serde(default)]
    pub(super) convert: bool,
    pub(super) pipelines: Option<String>,
}

/// One entry of `permissions`, such as `- ecrPush: { repositories: [web] }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum RawPermission {
    EcrPush {
        repositories: Vec<String>,
        #[serde(default)]
        create: bool,
    },
    EcrPull {
        repositories: Vec<String>,
    },
    ReadParameters {
        path: String,
        kms_key: Option<String>,
    },
    ReadSecrets {
        names: Vec<String>,
        kms_key: Option<String>,
    },
    S3Write {
        bucket: String,
        #[serde(default)]
        prefix: String,
        #[serde(default)]
        delete: bool,
    },
    S3Read {
        bucket: String,
        #[serde(default)]
        prefix: String,
    },
    TerraformState {
        bucket: String,
        #[serde(default)]
        prefix: String,
        lock_table: Option<String>,
    },
    PolicyFile(String),
    ManagedPolicy(String),
}

impl RawPermission {
    /// The same with its texts filled in.
    pub(super) fn map(self, fill: impl Fn(&str) -> String) -> Self {
        let all = |texts: Vec<String>| texts.iter().map(|text| fill(text)).collect();
        let maybe = |text: Option<String>| text.map(|text| fill(&text));
        match self {
            Self::EcrPush { repositories, create } => {
                Self::EcrPush { repositories: all(repositories), create }
            }
            Self::EcrPull { repositories } => Self::EcrPull { repositories: all(repositories) },
            Self::ReadParameters { path, kms_key } => {
                Self::ReadParameters { path: fill(&path), kms_key: maybe(kms_key) }
            }
            Self::ReadSecrets { names, kms_key } => {
                Self::ReadSecrets { names: all(names), kms_key: maybe(kms_key) }
            }
            Self::S3Write { bucket, prefix, delete } => {
                Self::S3Write { bucket: fill(&bucket), prefix: fill(&prefix), delete }
            }
            Self::S3Read { bucket, prefix } => Self::S3Read { bucket: fill(&bucket), prefix: fill(&prefix) },
            Self::TerraformState { bucket, prefix, lock_table } => Self::TerraformState {
                bucket: fill(&bucket),
                prefix: fill(&prefix),
                lock_table: maybe(lock_table),
            },
            Self::PolicyFile(path) => Self::PolicyFile(fill(&path)),
            Self::ManagedPolicy(arn) => Self::ManagedPolicy(fill(&arn)),
        }
    }
}
