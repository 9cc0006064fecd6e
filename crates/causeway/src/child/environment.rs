use std::path::Path;

use causeway_agent::Environment;
use causeway_identity::AccessKey;
use causeway_types::Region;
use secrecy::{ExposeSecret, SecretString};
use tokio::process::Command;

use crate::network::ToolProxy;
use crate::profile::JobFolder;

/// Everything by which AWS tools find an identity. What an earlier step or the machine has set here would mix with the
/// step's own. Endpoints, certificates and other settings stay.
const IDENTITY: [&str; 18] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_ACCOUNT_ID",
];

/// Named files with identities: taken away when an earlier step of ours made them.
const FILES: [&str; 2] = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];

/// How the environment of a program that a step starts differs from the step's own.
#[derive(Default)]
pub(crate) struct ChildEnvironment {
    removed: Vec<String>,
    set: Vec<(&'static str, SecretString)>,
}

impl ChildEnvironment {
    /// The step's environment without what the agent hands to the task alone.
    pub(crate) fn without_secrets(environment: &Environment) -> Self {
        let removed = environment.private_names().into_iter().map(str::to_owned).collect();
        Self { removed, set: Vec::new() }
    }

    /// The same, also without any AWS identity; `temp` is the job's temp folder.
    pub(crate) fn without_identity(environment: &Environment, temp: &Path) -> Self {
        let mut child = Self::without_secrets(environment);
        child.removed.extend(IDENTITY.map(str::to_owned));
        let ours = |name: &&&str| environment.get(name).is_some_and(|path| JobFolder::of(temp).holds(path));
        child.removed.extend(FILES.iter().filter(ours).map(|name| (*name).to_owned()));
        child
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<SecretString>) {
        self.set.push((name, value.into()));
    }

    /// The key as the AWS tools read it.
    pub(crate) fn set_key(&mut self, key: &AccessKey) {
        self.set("AWS_ACCESS_KEY_ID", key.id.as_str());
        self.set("AWS_SECRET_ACCESS_KEY", key.secret.clone());
        if let Some(token) = &key.session_token {
            self.set("AWS_SESSION_TOKEN", token.clone());
        }
    }

    /// The region under both names that are in use.
    pub(crate) fn set_region(&mut self, region: &Region) {
        self.set("AWS_REGION", region.as_str());
        self.set("AWS_DEFAULT_REGION", region.as_str());
    }

    /// The agent's proxy. Some programs read only the one case, some only the other.
    pub(crate) fn set_proxy(&mut self, proxy: &ToolProxy) {
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            self.set(name, proxy.address.clone());
        }
        for name in ["NO_PROXY", "no_proxy"] {
            self.set(name, proxy.exceptions.as_str());
        }
    }

    /// Gives it to a program that is about to start.
    pub(crate) fn apply(&self, command: &mut Command) {
        for name in &self.removed {
            command.env_remove(name);
        }
        for (name, value) in &self.set {
            command.env(name, value.expose_secret());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(pairs: &[(&str, &str)]) -> Vec<String> {
        let environment = Environment::from_pairs(pairs.iter().copied());
        ChildEnvironment::without_identity(&environment, Path::new("/temp")).removed
    }

    #[test]
    fn settings_stay() {
        let pairs = [
            ("INPUT_INLINESCRIPT", "x"),
            ("AWS_PROFILE", "x"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1"),
            ("AWS_CA_BUNDLE", "/ca.pem"),
            ("AWS_CONFIG_FILE", "/home/ci/.aws/config"),
        ];
        let removed = removed(&pairs);
        let is_kept = |name: &&str| !removed.iter().any(|removed| removed == name);
        let kept: Vec<&str> = pairs.iter().map(|(name, _)| *name).filter(is_kept).collect();
        assert_eq!(kept, ["AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE"]);
    }

    #[test]
    fn files_of_an_earlier_step_go() {
        let ours = "/temp/causeway-job/config";
        assert!(removed(&[("AWS_CONFIG_FILE", ours)]).contains(&"AWS_CONFIG_FILE".to_owned()));
        assert!(!removed(&[("AWS_CONFIG_FILE", "/temp/mine")]).contains(&"AWS_CONFIG_FILE".to_owned()));
    }
}
