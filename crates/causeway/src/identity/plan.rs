use anyhow::{Context, Result, bail};
use causeway_agent::Inputs;
use causeway_identity::{
    ExternalId, ManagedPolicyArn, PlanError, RoleRequest, SessionDuration, SessionName, SessionPolicy,
    SessionTag, SourceIdentity,
};
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
    narrowing: Narrowing,
    tagging: Tagging,
}

/// What limits the session that the step ends with.
struct Narrowing {
    policy: Option<SessionPolicy>,
    managed: Vec<ManagedPolicyArn>,
}

/// What the sessions of a chain carry along.
struct Tagging {
    tags: Vec<SessionTag>,
    transitive: Vec<String>,
    source_identity: Option<SourceIdentity>,
}

impl RoleInputs {
    pub(crate) fn from_step(step: &Step) -> Result<Self> {
        let inputs = step.inputs();
        let run_name = match step.job().run() {
            Some((definition, run)) => SessionName::for_run(definition, run),
            None => SessionName::unnamed(),
        };
        Ok(Self {
            roles: inputs.parsed_lines("roleArn")?,
            external_id: inputs.parsed("externalId")?,
            session_name: inputs.parsed("roleSessionName")?,
            run_name,
            duration: duration(step)?,
            narrowing: narrowing(&inputs)?,
            tagging: tagging(&inputs)?,
        })
    }

    pub(crate) fn names_a_role(&self) -> bool {
        !self.roles.is_empty()
    }

    /// The source's own role first, then the inputs' roles, each assumed with the one before it.
    ///
    /// Input `externalId` goes with the inputs' roles; where they name none it replaces the source's own. A source with an
    /// external ID and no role leaves it to the first of the inputs' roles. What goes for input `externalId` goes for tags
    /// and source identity. Policies and the wished length belong to the last session, the one that the step
    /// works with; those before it last only as long as they must.
    pub(crate) fn requests(&self, own: &OwnRole) -> Result<Vec<RoleRequest>, PlanError> {
        let session_name = self.session_name.clone().or_else(|| own.session_name.clone());
        let session_name = session_name.unwrap_or_else(|| self.run_name.clone());
        let request = |arn: &RoleArn, external_id: Option<&ExternalId>| {
            let mut request = RoleRequest::new(arn.clone(), session_name.clone());
            request.external_id = external_id.cloned();
            request
        };
        let replaced = self.external_id.as_ref().filter(|_| self.roles.is_empty());
        let mut requests: Vec<RoleRequest> =
            own.role.iter().map(|arn| request(arn, replaced.or(own.external_id.as_ref()))).collect();
        let tagged_from = if self.roles.is_empty() { 0 } else { requests.len() };
        requests.extend(self.roles.iter().map(|arn| request(arn, self.external_id.as_ref())));
        if let (None, Some(first)) = (&own.role, requests.first_mut()) {
            first.external_id = first.external_id.take().or_else(|| own.external_id.clone());
        }
        match requests.last_mut() {
            Some(last) => {
                last.duration = self.duration;
                last.policy = self.narrowing.policy.clone();
                last.managed_policies = self.narrowing.managed.clone();
            }
            None => self.refuse_without_role()?,
        }
        self.tagging.apply(&mut requests[tagged_from..]);
        Ok(requests)
    }

    /// What is asked for and would silently do nothing.
    fn refuse_without_role(&self) -> Result<(), PlanError> {
        let asked = [
            (self.external_id.is_some(), "externalId"),
            (self.narrowing.policy.is_some(), "sessionPolicy"),
            (!self.narrowing.managed.is_empty(), "managedSessionPolicies"),
            (!self.tagging.tags.is_empty(), "sessionTags"),
            (self.tagging.source_identity.is_some(), "sourceIdentity"),
        ];
        match asked.into_iter().find(|(given, _)| *given) {
            Some((_, what)) => Err(PlanError::NothingToApplyTo { what }),
            None => Ok(()),
        }
    }
}

impl Tagging {
    /// The first role gets everything. What is transitive, and the source identity, stays through the chain and must not
    /// be given again ("Chaining roles with session tags", IAM User Guide); other tags are given to each role.
    fn apply(&self, requests: &mut [RoleRequest]) {
        let Some((first, later)) = requests.split_first_mut() else { return };
        first.tags = self.tags.clone();
        first.transitive_tag_keys = self.transitive.clone();
        first.source_identity = self.source_identity.clone();
        let is_transitive = |tag: &&SessionTag| self.transitive.iter().any(|key| tag.has_key(key));
        for request in later {
            request.tags = self.tags.iter().filter(|tag| !is_transitive(tag)).cloned().collect();
        }
    }
}

fn narrowing(inputs: &Inputs<'_>) -> Result<Narrowing> {
    let managed: Vec<ManagedPolicyArn> = inputs.parsed_lines("managedSessionPolicies")?;
    if managed.len() > ManagedPolicyArn::MOST {
        bail!("input managedSessionPolicies: AWS takes {} policies at most", ManagedPolicyArn::MOST);
    }
    Ok(Narrowing { policy: inputs.parsed("sessionPolicy")?, managed })
}

fn tagging(inputs: &Inputs<'_>) -> Result<Tagging> {
    let tags: Vec<SessionTag> = inputs.parsed_lines("sessionTags")?;
    if tags.len() > SessionTag::MOST {
        bail!("input sessionTags: AWS takes {} tags at most", SessionTag::MOST);
    }
    for (index, tag) in tags.iter().enumerate() {
        if tags[..index].iter().any(|earlier| earlier.has_key(&tag.key)) {
            bail!(
                "input sessionTags: key \"{}\" is given twice (upper and lower case are one to AWS)",
                tag.key
            );
        }
    }
    let transitive: Vec<String> = inputs.lines("transitiveTagKeys").into_iter().map(str::to_owned).collect();
    if let Some(unknown) = transitive.iter().find(|key| !tags.iter().any(|tag| tag.has_key(key))) {
        bail!("input transitiveTagKeys: \"{unknown}\" is not a key of sessionTags");
    }
    Ok(Tagging { tags, transitive, source_identity: inputs.parsed("sourceIdentity")? })
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
