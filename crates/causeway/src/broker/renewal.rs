use anyhow::Result;
use async_trait::async_trait;
use causeway_agent::Environment;
use causeway_identity::{Observer, Session, TokenSource};

use super::keeper::Source;
use crate::aws;
use crate::failure;
use crate::identity::Chosen;
use crate::network::Network;
use crate::step::Step;

/// Signs in once more as the step did: same connection, same roles.
pub(crate) struct Renewal<'a> {
    /// Hears of secrets the moment they arrive.
    observer: &'a dyn Observer,
    chosen: Chosen,
    network: Network,
    deadline: std::time::Duration,
}

impl Renewal<'static> {
    /// Reads the step's inputs and connection again; of the environment nothing else is kept.
    ///
    /// # Errors
    /// Those of the step itself.
    pub(crate) fn new(environment: Environment) -> Result<Self> {
        Self::heard_by(environment, &Unheard)
    }
}

impl<'a> Renewal<'a> {
    /// The same, and `observer` hears what happens.
    ///
    /// # Errors
    /// Those of the step itself.
    pub(crate) fn heard_by(environment: Environment, observer: &'a dyn Observer) -> Result<Self> {
        let step = Step::quiet(environment);
        Ok(Self {
            observer,
            chosen: Chosen::from_step(&step)?,
            network: Network::for_step(step.environment(), step.console(), None)?,
            deadline: aws::identity_deadline(step.variables())?,
        })
    }

    async fn session(&self) -> Result<Session> {
        let plan = self.chosen.plan(&self.network).await?;
        let base = aws::base_config(plan.region(), &self.network, "refresh").await?;
        let tokens = self.chosen.token_source(&self.network, self.deadline);
        let tokens = tokens.as_ref().ok().map(|tokens| tokens as &dyn TokenSource);
        let session = plan.resolve(&aws::for_identity(&base, self.deadline), tokens, self.observer).await?;
        self.chosen.check_account(&session)?;
        Ok(session)
    }
}

struct Unheard;

impl Observer for Unheard {}

#[async_trait]
impl Source for Renewal<'_> {
    async fn renew(&self) -> Result<Session, String> {
        let reason = match tokio::time::timeout(self.deadline, self.session()).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) => failure::describe(&error),
            Err(_) => {
                let fault = self.network.last_fault().map(|fault| format!(": {fault}")).unwrap_or_default();
                format!("No answer within {} seconds{fault}.", self.deadline.as_secs())
            }
        };
        let job = if self.chosen.is_federated() {
            " Azure DevOps gives OIDC tokens only while the job runs."
        } else {
            ""
        };
        Err(format!("New ones could not be had: {reason}{job}"))
    }
}
