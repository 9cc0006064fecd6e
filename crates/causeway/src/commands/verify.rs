use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use async_trait::async_trait;
use causeway_agent::{ConnectionId, InputError};
use causeway_identity::trust::{
    Format, Policy, Request, TrustedIdentity, TrustedRole, generate, read_policy,
};
use causeway_identity::{Claims, RoleRequest};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::step::{SignedIn, Step};
use crate::trust::{FORMATS, Identities, NewForm, Verdict};

pub(super) const NAME: &str = "verify";

/// How long IAM may take to show a role.
const ROLE_TIME: Duration = Duration::from_secs(10);

/// Says who the step is for AWS, what the job's token claims, and which trust policy lets it in. All but the first are
/// told while the identity is resolved, so that they stand in the log even when AWS refuses the token.
struct Verify {
    format: Format,
    issuers: Issuers,
    tenant: Option<String>,
    connection: Option<ConnectionId>,
    policy: Option<PolicyFile>,
    verdict: OnceLock<String>,
    /// The job's token, and the role that it is for.
    known: OnceLock<(Claims, RoleRequest)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Issuers {
    Current,
    Both,
}

struct PolicyFile {
    path: PathBuf,
    policy: Policy,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    let issuers = [("current", Issuers::Current), ("both", Issuers::Both)];
    let connection = inputs.parsed("connection")?.or(inputs.parsed("awsCredentials")?);
    let issuers = inputs.choice("issuers", &issuers)?.unwrap_or(Issuers::Current);
    Ok(Box::new(Verify {
        format: inputs.choice("policyFormat", &FORMATS)?.unwrap_or(Format::Json),
        issuers,
        // The editor hides the tenant where the new issuer is not asked for, and keeps what stood there.
        tenant: if issuers == Issuers::Both { tenant(step)? } else { None },
        connection,
        policy: policy_file(step)?,
        verdict: OnceLock::new(),
        known: OnceLock::new(),
    }))
}

/// Input `tenantId`, which must be a GUID: the other two words of the check are placeholders.
fn tenant(step: &Step) -> Result<Option<String>> {
    const NAME: &str = "tenantId";
    const ANY: &str = "00000000-0000-0000-0000-000000000000";
    let Some(tenant) = step.inputs().text(NAME) else {
        return Ok(None);
    };
    TrustedIdentity::of_entra(tenant, ANY, ANY).map_err(|error| InputError::invalid(NAME, tenant, error))?;
    Ok(Some(tenant.to_owned()))
}

/// Input `trustPolicyFile`. The agent makes an empty path the sources folder.
fn policy_file(step: &Step) -> Result<Option<PolicyFile>> {
    const NAME: &str = "trustPolicyFile";
    let Some(path) = step.inputs().text(NAME).map(PathBuf::from) else {
        return Ok(None);
    };
    let is_empty =
        |variable| step.variables().public(variable).is_some_and(|folder| path == Path::new(folder));
    if is_empty("Build.SourcesDirectory") || is_empty("System.DefaultWorkingDirectory") {
        return Ok(None);
    }
    let about = || format!("input {NAME}: {}", path.display());
    let text = std::fs::read_to_string(&path).with_context(about)?;
    let policy = Policy::parse(&text).with_context(about)?;
    Ok(Some(PolicyFile { path, policy }))
}

#[async_trait]
impl Command for Verify {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tells_claims(&self) -> bool {
        true
    }

    fn token_known(&self, step: &Step, claims: &Claims, role: &RoleRequest) {
        self.print_policy(step, claims, role);
        if let Some(PolicyFile { path, policy }) = &self.policy {
            let file = path.display().to_string();
            let verdict = tell_verdict(step, &format!("Trust policy in {file}"), policy, claims, role);
            // A second token, of a retry, would say the same.
            let _ = self.verdict.set(verdict.sentence(&file));
        }
        let _ = self.known.set((claims.clone(), role.clone()));
    }

    fn verdict(&self) -> Option<String> {
        Some(self.verdict.get().cloned().unwrap_or_else(|| {
            "The whole policy that lets this job in stands in the log above; input trustPolicyFile checks the role's own and says which condition fails".to_owned()
        }))
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let caller = causeway_identity::caller(&signed_in.config, &signed_in.session.key).await?;
        step.console().info(&format!("AWS confirms the caller: {}", caller.arn));
        if let (None, Some((claims, role))) = (&self.policy, self.known.get()) {
            check_role(step, signed_in, claims, role).await;
        }
        Ok(())
    }
}

/// What the role's own policy says to the job's token, where the role may be read. It may not be, and then nothing is
/// amiss: the step is about who it is.
async fn check_role(step: &Step, signed_in: &SignedIn, claims: &Claims, role: &RoleRequest) {
    if role.arn.account() != &signed_in.session.caller.account {
        return;
    }
    match tokio::time::timeout(ROLE_TIME, read_policy(&signed_in.config, &role.arn)).await {
        Ok(Ok(policy)) => {
            tell_verdict(step, &format!("Trust policy that {} has", role.arn), &policy, claims, role);
        }
        Ok(Err(error)) => step.console().info(&format!(
            "The trust policy that {} has could not be read, which changes nothing here ({error}). Allow iam:GetRole, or give the policy to input trustPolicyFile, to have it checked against the token.",
            role.arn
        )),
        Err(_) => step.console().info(&format!("IAM did not say in time which trust policy {} has.", role.arn)),
    }
}

/// What a policy says to the token; AWS has the last word.
fn tell_verdict(step: &Step, title: &str, policy: &Policy, claims: &Claims, role: &RoleRequest) -> Verdict {
    let request = Request::for_role(claims, &role.arn, SystemTime::now())
        .with("sts:RoleSessionName", [role.session_name.as_str()]);
    let verdict = Verdict::of(policy, &request);
    step.console().info(&format!("{title}:"));
    for line in verdict.lines() {
        step.console().info(&format!("  {line}"));
    }
    verdict
}

impl Verify {
    fn print_policy(&self, step: &Step, claims: &Claims, role: &RoleRequest) {
        let console = step.console();
        let identities = self.identities(claims);
        let trust = generate(&identities.trusted, &TrustedRole::from(&role.arn));
        console.group(&format!("OIDC provider and trust policy with which {} lets this job in", role.arn));
        console.info(trust.write(self.format).trim_end());
        console.end_group();
        for note in identities.notes {
            console.info(&note);
        }
    }

    fn identities(&self, claims: &Claims) -> Identities {
        if self.issuers == Issuers::Current {
            return Identities::of_token(claims);
        }
        let new = NewForm {
            tenant: self.tenant.as_deref(),
            connection_id: self.connection.as_ref().map(ConnectionId::as_str),
            tenant_setting: "input tenantId",
        };
        Identities::of_both_issuers(claims, &new).unwrap_or_else(|error| {
            let mut identities = Identities::of_token(claims);
            identities.note(&format!("The new issuer (Microsoft Entra) is left out: {error}."));
            identities
        })
    }
}
