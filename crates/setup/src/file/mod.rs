//! `causeway.yaml`: connections × accounts × roles, as checked values.

mod error;
mod expand;
mod permission;
mod raw;

use std::collections::BTreeMap;
use std::path::Path;

use causeway_identity::{ExternalId, SessionName};
use causeway_types::{AccountId, Region, RoleArn};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use error::FileError;

/// What a file asks for.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What its resources are tagged with: the file's `name`, or organization and project.
    pub id: String,
    /// The organization's name.
    pub organization: String,
    /// The project's name or GUID.
    pub project: String,
    /// Whether Microsoft Entra's issuer is trusted too.
    pub tenant: Tenant,
    /// The accounts by the names that the file gives them.
    pub accounts: BTreeMap<String, Account>,
    /// The service connections, by name.
    pub connections: Vec<Connection>,
    /// The roles, by account and name.
    pub roles: Vec<Role>,
}

/// The Entra tenant of the organization, which the new issuer's address holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// As Azure DevOps says.
    Detect,
    /// Only the issuer of Azure DevOps itself.
    None,
    /// This one.
    Is(Uuid),
}

/// An AWS account and whose credentials manage it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The file's name for it.
    pub alias: String,
    /// Twelve digits.
    pub id: AccountId,
    /// Such as `aws`.
    pub partition: String,
    /// A profile of the AWS configuration; none means what the environment has.
    pub profile: Option<String>,
    /// A role to assume with that.
    pub role: Option<RoleArn>,
    /// The external ID that this role asks for.
    pub external_id: Option<ExternalId>,
}

/// The type of a service connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionKind {
    /// This extension's own.
    Causeway,
    /// The AWS Toolkit's.
    Aws,
}

impl ConnectionKind {
    /// The name that Azure DevOps knows the type by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Causeway => "Causeway",
            Self::Aws => "AWS",
        }
    }
}

/// A service connection that is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its name, the last part of the token's subject.
    pub name: String,
    /// Its type.
    pub kind: ConnectionKind,
    /// The role that it names; further roles may trust it.
    pub role: RoleArn,
    /// The region that it names.
    pub region: Option<Region>,
    /// The session name that it names.
    pub session_name: Option<SessionName>,
    /// Whether an existing connection that is not this set-up's may be changed into this one.
    pub convert: bool,
    /// Whether every pipeline of the project may use it without being asked.
    pub all_pipelines: bool,
}

/// A role that is to trust connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The account, by the file's name for it.
    pub account: String,
    /// Its ARN.
    pub arn: RoleArn,
    /// `/`, or `/team/`.
    pub path: String,
    /// Whether it is somebody else's, and only its trust policy gains statements.
    pub existing: bool,
    /// Its description.
    pub description: String,
    /// Inline policies by name.
    pub policies: BTreeMap<String, Value>,
    /// ARNs of managed policies to attach.
    pub managed_policies: Vec<String>,
    /// The ARN of its permissions boundary.
    pub boundary: Option<String>,
    /// The longest session, in seconds.
    pub max_session_seconds: u32,
    /// Its tags, ours among them.
    pub tags: BTreeMap<String, String>,
    /// The names of the connections that it trusts.
    pub connections: Vec<String>,
}

impl Setup {
    /// Reads a file's text; policy files are found from `folder`.
    ///
    /// # Errors
    /// [`FileError`] says where what is wrong. Nothing was sent.
    pub fn read(text: &str, folder: &Path) -> Result<Self, FileError> {
        let raw: raw::RawFile =
            serde_saphyr::from_str(text).map_err(|error| FileError::Yaml(error.to_string()))?;
        expand::expand(raw, folder)
    }

    /// The connection of this name.
    #[must_use]
    pub fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.name == name)
    }

    /// The roles of an account.
    pub fn roles_of<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a Role> {
        self.roles.iter().filter(move |role| role.account == account)
    }

    /// What the `Sid` of our statements begins with: a role that is somebody else's may be in several set-ups.
    #[must_use]
    pub fn sid_prefix(&self) -> String {
        format!("Causeway{}", &short_hash(&self.id))
    }
}

impl Account {
    /// The ARN of a role of this account.
    ///
    /// # Errors
    /// When the name or path cannot be a role's.
    pub fn role_arn(&self, path: &str, name: &str) -> Result<RoleArn, causeway_types::InvalidRoleArn> {
        format!("arn:{}:iam::{}:role{path}{name}", self.partition, self.id).parse()
    }

    /// The ARN of the provider of an issuer.
    #[must_use]
    pub fn provider_arn(&self, issuer: &str) -> String {
        let host = issuer.trim_start_matches("https://");
        format!("arn:{}:iam::{}:oidc-provider/{host}", self.partition, self.id)
    }
}

/// Eight hexadecimal digits.
pub(crate) fn short_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Text as a value of an AWS tag: "letters, digits, whitespace, and _ . : / = + - @" (IAM User Guide, "Rules for tagging in
/// IAM and AWS STS"), at most 256 characters. What had to be changed gains a hash, so that two names stay two.
pub(crate) fn tag_value(text: &str) -> String {
    let good = |character: char| character.is_alphanumeric() || " _.:/=+-@".contains(character);
    if text.chars().all(good) && text.chars().count() <= 200 {
        return text.to_owned();
    }
    let kept: String = text.chars().map(|c| if good(c) { c } else { '-' }).take(200).collect();
    format!("{kept}-{}", short_hash(text))
}

#[cfg(test)]
mod tests;
