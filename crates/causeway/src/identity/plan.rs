use anyhow::{Context, Result};
use causeway_agent::InputError;
use causeway_identity::{ExternalId, RoleRequest, SessionDuration, SessionName};
use causeway_types::RoleArn;
use secrecy::ExposeSecret;

use crate::step::Step;

/// The role that belongs to the source itself: the connection's, or that of the `AWS.*` variables.
#[derive(Default)]
pub(crate) struct OwnRole {
    pub(crate) role: Option<RoleArn>,
    pub(crate) session_name: Option<SessionName>,
    pub(crate) external_id: Option<ExternalId>,
}

impl OwnRole {
    /// `AWS.AssumeRoleArn`, `AWS.RoleSessionName`, `AWS.ExternalId`, as the AWS Toolkit has them.
    pub(crate) fn from_variables(step: &Step) -> Result<Self> {
        Ok(Self {
            role: variable(step, "AWS.AssumeRoleArn")?,
            session_name: variable(step, "AWS.RoleSessionName")?,
            external_id: variable(step, "AWS.ExternalId")?,
        })
    }
}

fn variable<T>(step: &Step, name: &'static str) -> Result<Option<T>>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let value = step.variables().secret(name);
    value
        .map(|value| value.expose_secret().trim().parse())
        .transpose()
        .with_context(|| format!("pipeline variable {name}"))
}

/// What the step's inputs say of roles and their sessions.
pub(crate) struct RoleInputs {
    roles: Vec<RoleArn>,
    external_id: Option<ExternalId>,
    session_name: Option<SessionName>,
    run_name: SessionName,
    duration: SessionDuration,
}

impl RoleInputs {
    pub(crate) fn from_step(step: &Step) -> Result<Self> {
        let inputs = step.inputs();
        let role = |line: &str| line.parse().map_err(|error| InputError::invalid("roleArn", line, error));
        let run_name = match step.job().run() {
            Some((definition, run)) => SessionName::for_run(definition, run),
            None => SessionName::unnamed(),
        };
        Ok(Self {
            roles: inputs.lines("roleArn").into_iter().map(role).collect::<Result<_, _>>()?,
            external_id: inputs.parsed("externalId")?,
            session_name: inputs.parsed("roleSessionName")?,
            run_name,
            duration: duration(step)?,
        })
    }

    pub(crate) fn names_a_role(&self) -> bool {
        !self.roles.is_empty()
    }

    /// The source's own role first, then the inputs' roles. Input `externalId` goes with the inputs' roles; where they
    /// name none it replaces the source's own.
    pub(crate) fn requests(&self, own: &OwnRole) -> Vec<RoleRequest> {
        let session_name = self
            .session_name
            .clone()
            .or_else(|| own.session_name.clone())
            .unwrap_or_else(|| self.run_name.clone());
        let request = |arn: &RoleArn, external_id: Option<&ExternalId>| RoleRequest {
            arn: arn.clone(),
            session_name: session_name.clone(),
            external_id: external_id.cloned(),
            duration: self.duration,
        };
        let replaced = self.external_id.as_ref().filter(|_| self.roles.is_empty());
        let own_request = own.role.iter().map(|arn| request(arn, replaced.or(own.external_id.as_ref())));
        own_request.chain(self.roles.iter().map(|arn| request(arn, self.external_id.as_ref()))).collect()
    }
}

/// Input `durationSeconds`, or the AWS Toolkit's variable; what that holds and AWS would not take is warned of, and
/// the default is used, as the toolkit does.
fn duration(step: &Step) -> Result<SessionDuration> {
    const VARIABLE: &str = "aws.rolecredential.maxduration";
    if let Some(duration) = step.inputs().parsed("durationSeconds")? {
        return Ok(duration);
    }
    let Some(text) = step.variables().public(VARIABLE) else {
        return Ok(SessionDuration::DEFAULT);
    };
    Ok(text.parse().unwrap_or_else(|error| {
        step.console().warning(&format!("Variable {VARIABLE} is \"{text}\": {error}; 900 seconds are used."));
        SessionDuration::DEFAULT
    }))
}
