use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_types::SdkConfig;
use causeway_agent::{Console, Environment, Inputs, Job, Variables};
use causeway_identity::Session;
use causeway_types::Region;

use crate::broker::Keeper;
use crate::network::Traffic;
use crate::summary::Summary;

/// The running step: what the agent gave it, and the console to answer on.
pub(crate) struct Step {
    environment: Environment,
    console: Arc<Console>,
    summary: Summary,
}

impl Step {
    /// The step that this process was started for.
    pub(crate) fn from_agent() -> Self {
        let environment = Environment::capture();
        let console = Arc::new(Console::stdout(&environment));
        Self { environment, console, summary: Summary::default() }
    }

    /// The step that `environment` describes, read once more: what it would say on its console has been said.
    pub(crate) fn quiet(environment: Environment) -> Self {
        let console = Arc::new(Console::new(&environment, Box::new(std::io::sink())));
        Self { environment, console, summary: Summary::default() }
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(crate) fn console(&self) -> &Console {
        &self.console
    }

    /// Where the log hears of requests and answers, if it is to.
    pub(crate) fn traffic(&self) -> Result<Option<Traffic>> {
        Traffic::read(self.inputs(), &self.console)
    }

    /// What the job summary will say of this step.
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    pub(crate) fn inputs(&self) -> Inputs<'_> {
        Inputs::new(&self.environment)
    }

    pub(crate) fn variables(&self) -> Variables<'_> {
        Variables::new(&self.environment)
    }

    pub(crate) fn job(&self) -> Job<'_> {
        Job::new(&self.environment)
    }

    /// The job's temp folder: the only place where Causeway leaves files.
    pub(crate) fn temp_directory(&self) -> Result<PathBuf> {
        let folder =
            self.job().temp_directory().context("the agent names no temp folder (Agent.TempDirectory)")?;
        Ok(PathBuf::from(folder))
    }
}

/// What a command works with once the identity is resolved.
pub(crate) struct SignedIn {
    /// Credentials, and whose they are.
    pub(crate) session: Session,
    /// The region to work in.
    pub(crate) region: Region,
    /// The SDK's configuration with those credentials, region, proxy, certificates, retries.
    pub(crate) config: SdkConfig,
    /// Where its credentials come from, when they are renewed while the command works.
    pub(crate) keeper: Option<Arc<Keeper>>,
    /// The way to registries.
    pub(crate) registries: SharedHttpConnector,
    /// The way of the content of S3 objects.
    pub(crate) objects: causeway_transfer::Route,
}
