use causeway_types::{InvalidRegion, InvalidRoleArn, Region, RoleArn};
use secrecy::{ExposeSecret, SecretString};

use crate::access_key::{AccessKey, HalfKey};
use crate::session::{ExternalId, InvalidSessionSetting, SessionName};

/// The fields of the AWS Toolkit's connection type `AWS`; all of them are authorization parameters there.
#[derive(Debug, Clone, Default)]
pub struct ToolkitConnection {
    /// `username`: the access key id.
    pub username: Option<SecretString>,
    /// `password`: the secret access key.
    pub password: Option<SecretString>,
    /// `sessionToken`
    pub session_token: Option<SecretString>,
    /// `assumeRoleArn`
    pub assume_role_arn: Option<SecretString>,
    /// `roleSessionName`
    pub role_session_name: Option<SecretString>,
    /// `externalId`
    pub external_id: Option<SecretString>,
    /// `useOIDC`: `true` or `false` in any case, or absent.
    pub use_oidc: Option<SecretString>,
}

/// The fields of the connection type `Causeway`: an authorization scheme, its secrets, and public data.
#[derive(Debug, Clone, Default)]
pub struct CausewayConnection {
    /// The scheme's name as the agent gives it: `None` (no secret field) or `UsernamePassword`.
    pub scheme: String,
    /// Data `identitySource`: with the scheme `None`, `federated` (default) or `agent`.
    pub identity_source: Option<String>,
    /// `username`: the access key id.
    pub username: Option<SecretString>,
    /// `password`: the secret access key.
    pub password: Option<SecretString>,
    /// `sessionToken`
    pub session_token: Option<SecretString>,
    /// Data `roleArn`
    pub role_arn: Option<String>,
    /// Data `roleSessionName`
    pub role_session_name: Option<String>,
    /// Data `externalId`
    pub external_id: Option<String>,
    /// Data `regionName`
    pub region_name: Option<String>,
}

/// What a connection says about who to be.
#[derive(Debug, Clone)]
pub struct ConnectionIdentity {
    /// Who to begin as.
    pub credential: ConnectionCredential,
    /// The role to become.
    pub role: Option<RoleArn>,
    /// The name for that role's session.
    pub session_name: Option<SessionName>,
    /// The external ID for that role.
    pub external_id: Option<ExternalId>,
    /// The region to work in.
    pub region: Option<Region>,
}

/// Who a connection begins as.
#[derive(Debug, Clone)]
pub enum ConnectionCredential {
    /// The connection's own OIDC token; no secret is stored.
    Federated,
    /// A stored access key.
    AccessKey(AccessKey),
    /// Whatever the machine that runs the agent has.
    Agent,
}

/// A connection that contradicts itself or holds what AWS would not take. The message names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionProblem {
    /// Keys and federation exclude each other.
    #[error(
        "the connection has \"{tick}\" and also an access key in \"{field}\": clear \"{field}\" to use OIDC, or clear \"{tick}\" to use the key"
    )]
    KeyWithFederation {
        /// The field that asks for federation.
        tick: &'static str,
        /// The field that holds a key.
        field: &'static str,
    },
    /// A part of the key is missing.
    #[error("the connection's access key is not whole: {0}")]
    HalfKey(#[from] HalfKey),
    /// The access key scheme without a key.
    #[error(
        "the connection is made for an access key but holds none: fill in the access key id and the secret access key"
    )]
    NoKey,
    /// Nothing to begin with.
    #[error(
        "the connection has no access key, \"Use OIDC\" is off, and it names no role: tick \"Use OIDC\" and give a role, or fill in an access key"
    )]
    Empty,
    /// STS takes no external ID with a web identity.
    #[error(
        "the connection has an external ID, which AWS does not take together with OIDC (AssumeRoleWithWebIdentity): clear the external ID; the trust policy's sub condition does its work"
    )]
    ExternalIdWithFederation,
    /// Neither true nor false.
    #[error("the connection's useOIDC is \"{0}\": it must be true or false")]
    UseOidc(String),
    /// A scheme or source that this version does not know.
    #[error("the connection's {field} is \"{value}\", which Causeway does not know: {allowed}")]
    Unknown {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// The role's ARN.
    #[error("the connection's role: {0}")]
    Role(#[from] InvalidRoleArn),
    /// The region.
    #[error("the connection's region: {0}")]
    Region(#[from] InvalidRegion),
    /// The session name or the external ID.
    #[error("the connection's session settings: {0}")]
    Session(#[from] InvalidSessionSetting),
}

impl ToolkitConnection {
    /// Reads the connection; `role_elsewhere` says whether the step itself names a role.
    ///
    /// # Errors
    /// [`ConnectionProblem`] when its fields contradict each other or cannot be used.
    pub fn identity(self, role_elsewhere: bool) -> Result<ConnectionIdentity, ConnectionProblem> {
        let federated = self.wants_federation()?;
        let role: Option<RoleArn> = parsed(self.assume_role_arn.as_ref())?;
        let key = AccessKey::from_parts(self.username, self.password, self.session_token)?;
        let credential = match (federated, key) {
            (true, Some(_)) => {
                return Err(ConnectionProblem::KeyWithFederation {
                    tick: "Use OIDC",
                    field: "Access Key ID",
                });
            }
            (true, None) => ConnectionCredential::Federated,
            (false, Some(key)) => ConnectionCredential::AccessKey(key),
            // The AWS Toolkit's way to say "the agent's own credentials, and this role".
            (false, None) if role.is_some() || role_elsewhere => ConnectionCredential::Agent,
            (false, None) => return Err(ConnectionProblem::Empty),
        };
        ConnectionIdentity {
            credential,
            role,
            session_name: parsed(self.role_session_name.as_ref())?,
            external_id: parsed(self.external_id.as_ref())?,
            region: None,
        }
        .checked()
    }

    fn wants_federation(&self) -> Result<bool, ConnectionProblem> {
        match self.use_oidc.as_ref().map(ExposeSecret::expose_secret) {
            None => Ok(false),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(value) => Err(ConnectionProblem::UseOidc(value.to_owned())),
        }
    }
}

impl CausewayConnection {
    /// Reads the connection.
    ///
    /// # Errors
    /// [`ConnectionProblem`] when its fields contradict each other or cannot be used.
    pub fn identity(self) -> Result<ConnectionIdentity, ConnectionProblem> {
        let key = AccessKey::from_parts(self.username, self.password, self.session_token)?;
        let credential = match (scheme(&self.scheme)?, key) {
            (Scheme::AccessKey, Some(key)) => ConnectionCredential::AccessKey(key),
            (Scheme::AccessKey, None) => {
                return Err(ConnectionProblem::NoKey);
            }
            (Scheme::Keyless, Some(_)) => {
                return Err(ConnectionProblem::KeyWithFederation {
                    tick: "no stored key",
                    field: "Access key ID",
                });
            }
            (Scheme::Keyless, None) => keyless(self.identity_source)?,
        };
        ConnectionIdentity {
            credential,
            role: self.role_arn.as_deref().map(str::parse).transpose()?,
            session_name: self.role_session_name.as_deref().map(str::parse).transpose()?,
            external_id: self.external_id.as_deref().map(str::parse).transpose()?,
            region: self.region_name.as_deref().map(str::parse).transpose()?,
        }
        .checked()
    }
}

impl ConnectionIdentity {
    fn checked(self) -> Result<Self, ConnectionProblem> {
        match (&self.credential, &self.external_id) {
            (ConnectionCredential::Federated, Some(_)) => Err(ConnectionProblem::ExternalIdWithFederation),
            _ => Ok(self),
        }
    }
}

enum Scheme {
    Keyless,
    AccessKey,
}

/// Azure DevOps lets an extension choose from a closed set of schemes ("Service endpoint authentication schemes"):
/// `None` has no secret, `UsernamePassword` holds a key.
fn scheme(name: &str) -> Result<Scheme, ConnectionProblem> {
    match name.to_ascii_lowercase().as_str() {
        "none" | "workloadidentityfederation" => Ok(Scheme::Keyless),
        "usernamepassword" | "basic" => Ok(Scheme::AccessKey),
        _ => Err(ConnectionProblem::Unknown {
            field: "authentication scheme",
            value: name.to_owned(),
            allowed: "None or UsernamePassword",
        }),
    }
}

fn keyless(source: Option<String>) -> Result<ConnectionCredential, ConnectionProblem> {
    match source.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("federated") => Ok(ConnectionCredential::Federated),
        Some("agent") => Ok(ConnectionCredential::Agent),
        Some(_) => Err(ConnectionProblem::Unknown {
            field: "identity source",
            value: source.unwrap_or_default(),
            allowed: "federated or agent",
        }),
    }
}

fn parsed<T: std::str::FromStr>(field: Option<&SecretString>) -> Result<Option<T>, T::Err> {
    field.map(|value| value.expose_secret().parse()).transpose()
}
