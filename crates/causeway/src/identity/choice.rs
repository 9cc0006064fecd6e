use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::meta::region::RegionProviderChain;
use causeway_agent::{Connection, ConnectionId, Console, InputError};
use causeway_identity::{
    AccessKey, Authentication, AzureDevOpsTokens, CausewayConnection, ConnectionCredential,
    ConnectionIdentity, IdentityPlan, Session, TokenRequest, TokenRequestError, ToolkitConnection,
};
use causeway_types::Region;

use super::accounts::AllowedAccounts;
use super::log::mask_key;
use super::plan::{OwnRole, RoleInputs};
use crate::network::Network;
use crate::step::Step;

/// The source that the step's inputs chose, checked as far as it can be without a network.
pub(crate) struct Chosen {
    described: String,
    authentication: Authentication,
    roles: RoleInputs,
    own_role: OwnRole,
    region: Option<Region>,
    tokens: Result<TokenRequest, TokenRequestError>,
    allowed: AllowedAccounts,
}

/// What input `identity` asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Auto,
    Connection,
    Pipeline,
    Variables,
    Agent,
}

const SOURCES: [(&str, Source); 5] = [
    ("auto", Source::Auto),
    ("connection", Source::Connection),
    ("pipeline", Source::Pipeline),
    ("variables", Source::Variables),
    ("agent", Source::Agent),
];

/// Which of the two connection inputs is filled.
enum ConnectionInput {
    Causeway(ConnectionId),
    Toolkit(ConnectionId),
}

impl Chosen {
    /// Decides on what is present alone, and checks it. What was taken is the only thing that will be tried.
    pub(crate) fn from_step(step: &Step) -> Result<Self> {
        let source = step.inputs().choice("identity", &SOURCES)?.unwrap_or(Source::Auto);
        let connection = connection_input(step)?;
        let chosen = match (source, connection) {
            (Source::Auto | Source::Connection, Some(input)) => Self::connection(step, input)?,
            (Source::Connection, None) => bail!(InputError::Missing {
                name: "connection",
                context: " with identity connection (or awsCredentials for a connection of the AWS Toolkit)"
            }),
            (_, Some(_)) => bail!(
                "input identity asks for something else than a connection, but a connection is given: clear connection and awsCredentials, or leave identity at auto"
            ),
            (Source::Pipeline, None) => Self::pipeline(step)?,
            (Source::Variables, None) => Self::variables(step)?,
            (Source::Auto, None) if has_variables(step) => Self::variables(step)?,
            (Source::Auto | Source::Agent, None) => Self::agent(step)?,
        };
        chosen.check(step)
    }

    /// Whether an OIDC token is what it begins with.
    pub(crate) fn is_federated(&self) -> bool {
        matches!(self.authentication, Authentication::Federated)
    }

    /// The choice in words, for the log.
    pub(crate) fn described(&self) -> &str {
        &self.described
    }

    fn connection(step: &Step, input: ConnectionInput) -> Result<Self> {
        let roles = RoleInputs::from_step(step)?;
        let (id, identity) = match input {
            ConnectionInput::Causeway(id) => {
                let connection =
                    Connection::read(step.environment(), id.clone()).context("input connection")?;
                (id, causeway_fields(&connection).identity()?)
            }
            ConnectionInput::Toolkit(id) => {
                let connection =
                    Connection::read(step.environment(), id.clone()).context("input awsCredentials")?;
                (id, toolkit_fields(&connection).identity(roles.names_a_role())?)
            }
        };
        let ConnectionIdentity { credential, role, session_name, external_id, region } = identity;
        let (how, authentication) = match credential {
            ConnectionCredential::Federated => ("federated, no stored key", Authentication::Federated),
            ConnectionCredential::AccessKey(key) => {
                ("its access key", Authentication::AccessKey(masked(step, key)))
            }
            ConnectionCredential::Agent => ("the agent's own credentials", Authentication::Agent),
        };
        Ok(Self {
            described: format!("Identity: service connection {id} ({how})"),
            authentication,
            own_role: OwnRole { role, session_name, external_id },
            roles,
            region,
            tokens: token_request(step, Some(id.as_str())),
            allowed: AllowedAccounts::from_inputs(&step.inputs())?,
        })
    }

    fn pipeline(step: &Step) -> Result<Self> {
        Self::without_connection(
            step,
            "Identity: this pipeline (federated)",
            Authentication::Federated,
            OwnRole::default(),
        )
    }

    fn variables(step: &Step) -> Result<Self> {
        let variable = |name| step.variables().secret(name);
        let key = AccessKey::from_parts(
            variable("AWS.AccessKeyID"),
            variable("AWS.SecretAccessKey"),
            variable("AWS.SessionToken"),
        )
        .context("pipeline variables AWS.AccessKeyID and AWS.SecretAccessKey")?
        .context("input identity is variables, but pipeline variable AWS.AccessKeyID is not set")?;
        let authentication = Authentication::AccessKey(masked(step, key));
        let own = OwnRole::from_variables(step)?;
        Self::without_connection(step, "Identity: pipeline variables AWS.*", authentication, own)
    }

    fn agent(step: &Step) -> Result<Self> {
        let own = OwnRole::from_variables(step)?;
        Self::without_connection(step, "Identity: the agent's own credentials", Authentication::Agent, own)
    }

    fn without_connection(
        step: &Step,
        described: &str,
        authentication: Authentication,
        own_role: OwnRole,
    ) -> Result<Self> {
        Ok(Self {
            described: described.to_owned(),
            authentication,
            roles: RoleInputs::from_step(step)?,
            own_role,
            region: None,
            tokens: token_request(step, None),
            allowed: AllowedAccounts::from_inputs(&step.inputs())?,
        })
    }

    fn check(mut self, step: &Step) -> Result<Self> {
        self.region = region(step, self.region.take())?;
        if self.is_federated() {
            self.tokens = Ok(self.tokens?);
        }
        match &self.region {
            Some(region) => self.check_plan(step, &self.plan_in(region.clone())?)?,
            // The machine may know its region; everything else has to be told, and does not wait for it.
            None if matches!(self.authentication, Authentication::Agent) => {
                let roles = self.roles.requests(&self.own_role)?;
                roles.last().map_or(Ok(()), |last| self.allowed.check(last.arn.account()))?;
            }
            None => bail!(InputError::Missing {
                name: "regionName",
                context: " (or a region in the connection, or pipeline variable AWS.Region)"
            }),
        }
        Ok(self)
    }

    /// What is known of the plan before it is carried out.
    fn check_plan(&self, step: &Step, plan: &IdentityPlan) -> Result<()> {
        warn_if_shortened(step.console(), plan);
        plan.final_account().map_or(Ok(()), |account| Ok(self.allowed.check(account)?))
    }

    /// Refuses a session in an account that input `allowedAccountIds` does not name.
    pub(crate) fn check_account(&self, session: &Session) -> Result<()> {
        Ok(self.allowed.check(&session.caller.account)?)
    }

    fn plan_in(&self, region: Region) -> Result<IdentityPlan> {
        let roles = self.roles.requests(&self.own_role)?;
        Ok(IdentityPlan::new(region, self.authentication.clone(), roles)?)
    }

    /// The plan, with the machine's own region where none was given.
    pub(crate) async fn plan(&self, network: &Network) -> Result<IdentityPlan> {
        match &self.region {
            Some(region) => self.plan_in(region.clone()),
            None => self.plan_in(machine_region(network).await?),
        }
    }

    /// Says of the plan what could not be said before the machine had told its region.
    pub(crate) fn warn_late(&self, console: &Console, plan: &IdentityPlan) {
        if self.region.is_none() {
            warn_if_shortened(console, plan);
        }
    }

    /// Where this job's OIDC tokens come from; passing faults are tried again until `deadline` is over.
    ///
    /// # Errors
    /// Why it can have none.
    pub(crate) fn token_source(
        &self,
        network: &Network,
        deadline: Duration,
    ) -> Result<AzureDevOpsTokens, TokenRequestError> {
        Ok(AzureDevOpsTokens::new(network.connector(), self.tokens.clone()?, deadline))
    }
}

fn connection_input(step: &Step) -> Result<Option<ConnectionInput>> {
    let inputs = step.inputs();
    let connection = inputs.parsed("connection")?.map(ConnectionInput::Causeway);
    let toolkit = inputs.parsed("awsCredentials")?.map(ConnectionInput::Toolkit);
    if connection.is_some() && toolkit.is_some() {
        bail!("inputs connection and awsCredentials are both given: clear one of them");
    }
    Ok(connection.or(toolkit))
}

fn warn_if_shortened(console: &Console, plan: &IdentityPlan) {
    if let Some(wished) = plan.shortened_from() {
        console.warning(&format!(
            "{} seconds are asked for, but AWS gives a role that is assumed with another role's session one hour at most; 3600 are used.",
            wished.seconds()
        ));
    }
}

/// Half of a pair counts as present too: taking the agent's credentials instead would be a silent replacement.
fn has_variables(step: &Step) -> bool {
    let set = |name| step.variables().secret(name).is_some();
    set("AWS.AccessKeyID") || set("AWS.SecretAccessKey")
}

fn toolkit_fields(connection: &Connection) -> ToolkitConnection {
    ToolkitConnection {
        username: connection.parameter("username"),
        password: connection.parameter("password"),
        session_token: connection.parameter("sessionToken"),
        assume_role_arn: connection.parameter("assumeRoleArn"),
        role_session_name: connection.parameter("roleSessionName"),
        external_id: connection.parameter("externalId"),
        use_oidc: connection.parameter("useOIDC"),
    }
}

fn causeway_fields(connection: &Connection) -> CausewayConnection {
    let data = |name| connection.data(name).map(str::to_owned);
    CausewayConnection {
        scheme: connection.scheme().to_owned(),
        identity_source: data("identitySource"),
        username: connection.parameter("username"),
        password: connection.parameter("password"),
        session_token: connection.parameter("sessionToken"),
        role_arn: data("roleArn"),
        role_session_name: data("roleSessionName"),
        external_id: data("externalId"),
        region_name: data("regionName"),
    }
}

/// Keys are masked as soon as they are read, whether or not the agent masks where they came from.
fn masked(step: &Step, key: AccessKey) -> AccessKey {
    mask_key(step.console(), &key);
    key
}

fn token_request(step: &Step, connection_id: Option<&str>) -> Result<TokenRequest, TokenRequestError> {
    let job = step.job();
    let address = job.oidc_request_uri();
    let connection_id = connection_id.map(str::to_owned);
    let request = TokenRequest::new(address.as_deref(), job.token(), job.organization(), connection_id)?;
    match job.server() {
        Some(server) => request.only_to(server),
        None => Ok(request),
    }
}

/// Input `regionName`, the connection's region, variable `AWS.Region`, environment.
fn region(step: &Step, of_connection: Option<Region>) -> Result<Option<Region>> {
    if let Some(region) = step.inputs().parsed("regionName")? {
        return Ok(Some(region));
    }
    if of_connection.is_some() {
        return Ok(of_connection);
    }
    // The pipeline variable AWS.Region and the environment's AWS_REGION have one and the same name here.
    let variable = step.variables().public("AWS.Region").map(|text| ("variable AWS.Region", text));
    let environment =
        || step.environment().get("AWS_DEFAULT_REGION").map(|text| ("AWS_DEFAULT_REGION", text));
    let Some((name, text)) = variable.or_else(environment) else {
        return Ok(None);
    };
    Ok(Some(text.parse().context(name)?))
}

/// What the machine's own AWS configuration or instance metadata says.
async fn machine_region(network: &Network) -> Result<Region> {
    let provider =
        aws_config::provider_config::ProviderConfig::default().with_http_client(network.http_client());
    let profile =
        aws_config::profile::region::ProfileFileRegionProvider::builder().configure(&provider).build();
    let metadata = aws_config::imds::region::ImdsRegionProvider::builder().configure(&provider).build();
    let region = RegionProviderChain::first_try(profile).or_else(metadata).region().await;
    let region = region
        .context("input regionName is required: the agent's machine does not say which region it is in")?;
    region.as_ref().parse().context("the region of the agent's machine")
}
