use causeway_agent::{Console, Environment};
use causeway_identity::AccessKey;
use causeway_types::Region;
use secrecy::SecretString;

use crate::profile::{JobFolder, ProfileName};

/// Keys in the environment come before everything else in most tools.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Roles of Kubernetes pods: some tools take these before a profile's own credentials.
const WEB_IDENTITY: [&str; 3] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"];

const ENDPOINT: [&str; 2] = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"];

/// The variables through which later steps of the job come to the credentials. They are ordinary ones, because secret
/// variables do not reach the environment of scripts; values that are secret are masked when they are set.
pub(crate) struct Exports(Vec<(&'static str, Value)>);

enum Value {
    Plain(String),
    Secret(SecretString),
}

impl Exports {
    /// The region alone.
    pub(crate) fn for_region(region: &Region) -> Self {
        let mut exports = Self(Vec::new());
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            exports.plain(name, region.as_str());
        }
        exports
    }

    /// A key. Without a session token, that of an earlier step is cleared: it does not go with this key.
    pub(crate) fn set_key(&mut self, key: &AccessKey) {
        self.secret(KEYS[0], SecretString::from(key.id.as_str()));
        self.secret(KEYS[1], key.secret.clone());
        match &key.session_token {
            Some(token) => self.secret(KEYS[2], token.clone()),
            None => self.plain(KEYS[2], ""),
        }
    }

    /// A profile of the job's configuration file. The machine's own credentials file would come before it: an empty one takes
    /// its place.
    pub(crate) fn set_profile(
        &mut self,
        environment: &Environment,
        folder: &JobFolder,
        profile: &ProfileName,
    ) {
        self.plain("AWS_PROFILE", profile.as_str());
        if environment.get("AWS_DEFAULT_PROFILE").is_some() {
            self.plain("AWS_DEFAULT_PROFILE", profile.as_str());
        }
        self.plain("AWS_CONFIG_FILE", &folder.config_file().display().to_string());
        self.plain("AWS_SHARED_CREDENTIALS_FILE", &folder.credentials_file().display().to_string());
    }

    /// Clears what tools would take before a profile or an endpoint, where it is set.
    pub(crate) fn clear_other_identities(&mut self, environment: &Environment) {
        for name in KEYS.into_iter().chain(WEB_IDENTITY) {
            if environment.get(name).is_some() {
                self.plain(name, "");
            }
        }
    }

    /// Room for what [`Exports::set_endpoint`] fills, so that it is known which variables there will be.
    pub(crate) fn announce_endpoint(&mut self) {
        ENDPOINT.iter().for_each(|name| self.plain(name, ""));
    }

    /// Where credentials are had, and the token that must be shown there.
    pub(crate) fn set_endpoint(&mut self, url: String, token: SecretString) {
        self.0.retain(|(name, _)| !ENDPOINT.contains(name));
        self.plain(ENDPOINT[0], &url);
        self.secret(ENDPOINT[1], token);
    }

    /// The variables that will hold something.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    /// Those that lead to credentials; the region does not.
    pub(crate) fn credential_names(&self) -> Vec<&'static str> {
        self.names().into_iter().filter(|name| !name.ends_with("REGION")).collect()
    }

    /// Sets them all, secrets masked first.
    pub(crate) fn set(&self, console: &Console) {
        for (name, value) in &self.0 {
            match value {
                Value::Plain(text) => console.set_variable(name, text),
                Value::Secret(secret) => console.set_masked_variable(name, &console.mask(secret)),
            }
        }
    }

    fn plain(&mut self, name: &'static str, text: &str) {
        self.0.push((name, Value::Plain(text.to_owned())));
    }

    fn secret(&mut self, name: &'static str, secret: SecretString) {
        self.0.push((name, Value::Secret(secret)));
    }
}
