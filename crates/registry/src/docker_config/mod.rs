//! Docker's configuration file: adding logins to it, and taking them back.

mod companions;
mod digest;
mod error;
mod files;
mod logout;
mod receipt;

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use error::DockerConfigError;
pub use logout::{Cleaned, remove_logins};
pub use receipt::LoginReceipt;

use crate::RegistryLogin;
use receipt::AddedLogin;

/// The sections whose entries belong to one registry each.
const AUTHS: &str = "auths";
const HELPERS: &str = "credHelpers";
const STORE: &str = "credsStore";

/// Who reads the configuration. The forms are nearly the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ConfigKind {
    /// docker: `config.json` in a folder of its own (`DOCKER_CONFIG`).
    #[default]
    Docker,
    /// podman, skopeo, buildah: a file (`REGISTRY_AUTH_FILE`; containers-auth.json(5)).
    Containers,
}

impl ConfigKind {
    /// The file's name.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Docker => "config.json",
            Self::Containers => "auth.json",
        }
    }
}

/// Docker's `config.json`, or what podman and its kin have in its place. Keys that this crate does not know are kept, in their order.
#[derive(Clone, Default)]
pub struct DockerConfig {
    root: Map<String, Value>,
    /// Everything as it was before the first login, where it is a copy of somebody's own configuration.
    copied: Option<Map<String, Value>>,
    /// The folder that it is a copy of.
    origin: Option<PathBuf>,
    added: Vec<AddedLogin>,
    kind: ConfigKind,
}

impl DockerConfig {
    /// A configuration with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads `config.json` of `folder`, to change it there. A missing file or folder is an empty
    /// configuration.
    ///
    /// # Errors
    /// When the file cannot be read or is not a docker configuration; both name the file.
    pub fn load(folder: &Path) -> Result<Self, DockerConfigError> {
        let root = files::read(files::path_in(folder, ConfigKind::Docker))?.unwrap_or_default();
        Ok(Self { root, ..Self::default() })
    }

    /// Reads a file of logins, docker's or podman's, as the start of one for podman, skopeo and buildah. A missing file is
    /// an empty configuration. Only logins and helpers are taken: `credsStore` means nothing there, and an empty helper
    /// makes those tools fail.
    ///
    /// # Errors
    /// As for [`DockerConfig::load`].
    pub fn containers_copy_of(file: &Path) -> Result<Self, DockerConfigError> {
        let mut root = files::read(file.to_owned())?.unwrap_or_default();
        root.retain(|key, section| (key == AUTHS || key == HELPERS) && section.is_object());
        edit_section(&mut root, AUTHS, |auths| auths.retain(|_, entry| holds_login(entry)));
        edit_section(&mut root, HELPERS, |helpers| helpers.retain(|_, helper| helper != ""));
        root.retain(|_, section| section.as_object().is_none_or(|section| !section.is_empty()));
        Ok(Self { copied: Some(root.clone()), root, kind: ConfigKind::Containers, ..Self::default() })
    }

    /// Reads `config.json` of `folder`, a person's own, to be saved elsewhere. What it holds will be noted in
    /// the receipt as a copy, and [`remove_logins`] will take it away again.
    ///
    /// # Errors
    /// As for [`DockerConfig::load`].
    pub fn copy_of(folder: &Path) -> Result<Self, DockerConfigError> {
        let own = Self::load(folder)?;
        Ok(Self { copied: Some(own.root.clone()), origin: Some(folder.to_owned()), ..own })
    }

    /// Adds a login so that docker uses it, whatever the configuration said of this host before.
    ///
    /// What docker/cli does (`cli/config/configfile`): `credHelpers[host]` wins over `credsStore`, both win
    /// over `auths`, and an empty `credHelpers[host]` means the file; in `auths` it takes the key that is the
    /// host, and without one any key of the same host in another form (`https://host/v1/`).
    ///
    /// What podman, skopeo and buildah do (containers/image, `pkg/docker/config`): `credHelpers[host]` wins,
    /// but an empty one is run as a program without a name and fails; `credsStore` is not looked at; a key
    /// `host/repository` in `auths` wins over `host`. So an empty helper is written only where `credsStore`
    /// makes docker need it, and never in the file of those tools ([`DockerConfig::containers_copy_of`]).
    pub fn add_login(&mut self, login: &RegistryLogin) {
        let host = login.host.as_str();
        let helper = self.bypass_helpers(host);
        edit_section(&mut self.root, AUTHS, |auths| {
            auths.retain(|key, _| key == host || host_of(key) != host);
            edit_section(auths, host, |entry| set_auth(entry, &login.basic));
        });
        match self.added.iter_mut().find(|added| added.host == host) {
            Some(known) => known.helper = known.helper.take().or(helper),
            None => self.added.push(AddedLogin { host: host.to_owned(), helper }),
        }
    }

    /// Makes docker look into the file for this host; answers the helper that stood in the way.
    fn bypass_helpers(&mut self, host: &str) -> Option<String> {
        let needs_bypass = self.kind == ConfigKind::Docker
            && self.root.get(STORE).and_then(Value::as_str).is_some_and(|store| !store.is_empty());
        let helpers = self.root.get_mut(HELPERS).and_then(Value::as_object_mut);
        let before = helpers.and_then(|helpers| helpers.shift_remove(host));
        if needs_bypass {
            edit_section(&mut self.root, HELPERS, |helpers| {
                helpers.insert(host.to_owned(), Value::from(""));
            });
        }
        before.as_ref().and_then(Value::as_str).filter(|helper| !helper.is_empty()).map(str::to_owned)
    }

    /// What [`DockerConfig::save`] will answer: for who wants it noted before anything is written.
    #[must_use]
    pub fn receipt(&self) -> LoginReceipt {
        LoginReceipt::new(self.kind, self.added.clone(), self.copied.as_ref())
    }

    /// Writes the file into `folder`, which is made (0700) when it is missing. The file is 0600, appears
    /// whole or not at all, and replaces a symbolic link rather than follow it. A copy brings along, as links,
    /// what docker looks for beside the file: its contexts and plugins.
    ///
    /// # Errors
    /// When something cannot be written, or the folder is itself a symbolic link; the error names it.
    pub fn save(&self, folder: &Path) -> Result<LoginReceipt, DockerConfigError> {
        files::create_folder(folder)?;
        let mut root = self.root.clone();
        if let Some(origin) = &self.origin {
            companions::bring(origin, folder, &mut root);
        }
        files::write(folder, self.kind, &root)?;
        Ok(self.receipt())
    }
}

impl fmt::Debug for DockerConfig {
    /// Shows the hosts that were added; the rest may hold anybody's passwords.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<&str> = self.added.iter().map(|added| added.host.as_str()).collect();
        formatter.debug_struct("DockerConfig").field("added", &hosts).finish_non_exhaustive()
    }
}

/// Changes the object under `key`, which is made when there is none; its place among the keys stays.
fn edit_section(map: &mut Map<String, Value>, key: &str, change: impl FnOnce(&mut Map<String, Value>)) {
    let mut section = match map.get_mut(key).map(Value::take) {
        Some(Value::Object(section)) => section,
        _ => Map::new(),
    };
    change(&mut section);
    map.insert(key.to_owned(), Value::Object(section));
}

/// Puts the login in, and out what docker would read beside or instead of it.
fn set_auth(entry: &mut Map<String, Value>, basic: &SecretString) {
    for stale in ["username", "password", "identitytoken", "registrytoken"] {
        entry.shift_remove(stale);
    }
    entry.insert("auth".to_owned(), Value::from(basic.expose_secret()));
}

/// docker leaves `{}` where a helper or store holds the login.
fn holds_login(entry: &Value) -> bool {
    entry.as_object().is_some_and(|entry| !entry.is_empty())
}

/// The host of a key in `auths`: without scheme and path (`credentials.ConvertToHostname` of docker/cli).
fn host_of(key: &str) -> String {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_ascii_lowercase()
}
