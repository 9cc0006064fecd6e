use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AUTHS, ConfigKind, HELPERS, digest};

/// What a login put into a docker configuration: enough to take it back, and no secret.
///
/// It is made to be kept as JSON until the job ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginReceipt {
    #[serde(default)]
    pub(super) kind: ConfigKind,
    pub(super) added: Vec<AddedLogin>,
    pub(super) copied: Vec<CopiedEntry>,
}

/// A login that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AddedLogin {
    pub(super) host: String,
    /// The name of the credential helper that `credHelpers` had for this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) helper: Option<String>,
}

/// An entry that came from the person's own configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CopiedEntry {
    /// `auths` or `credHelpers`; none for an entry of the top level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) section: Option<String>,
    pub(super) key: String,
    pub(super) digest: String,
}

impl LoginReceipt {
    pub(super) fn new(kind: ConfigKind, added: Vec<AddedLogin>, copied: Option<&Map<String, Value>>) -> Self {
        Self { kind, added, copied: copied.map(entries).unwrap_or_default() }
    }

    /// The registries that were logged in to.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.added.iter().map(|added| added.host.as_str())
    }
}

fn entries(root: &Map<String, Value>) -> Vec<CopiedEntry> {
    let mut copied = Vec::new();
    for (key, value) in root {
        match value.as_object().filter(|_| key == AUTHS || key == HELPERS) {
            Some(section) => {
                copied.extend(section.iter().map(|(inner, value)| entry(Some(key.clone()), inner, value)));
            }
            None => copied.push(entry(None, key, value)),
        }
    }
    copied
}

fn entry(section: Option<String>, key: &str, value: &Value) -> CopiedEntry {
    CopiedEntry { section, key: key.to_owned(), digest: digest::of(value) }
}
