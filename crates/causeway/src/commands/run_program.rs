//! What `script` and `awsCli` have in common: a program of the user's with the step's credentials.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use causeway_identity::AccessKey;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::broker::{Endpoint, Keeper, Renewal};
use crate::child::{ChildEnvironment, Program};
use crate::files;
use crate::identity::mask_key;
use crate::network::ToolProxy;
use crate::profile::{JobFolder, ProfileName};
use crate::state::State;
use crate::step::{SignedIn, Step};

/// What to run, and how.
pub(super) struct Work {
    pub(super) program: Program,
    /// A script's text, and the file that it goes into.
    pub(super) script: Option<(PathBuf, SecretString)>,
    /// Whether its tools get credentials that are renewed.
    pub(super) refresh: bool,
}

impl Work {
    /// Runs it with the step's credentials.
    pub(super) async fn run(
        &self,
        step: &Step,
        signed_in: &SignedIn,
        cancel: &CancellationToken,
    ) -> Result<()> {
        self.announce(step)?;
        if let Some((file, text)) = &self.script {
            // The text may hold secrets of the pipeline.
            files::write_secret(file, text)?;
        }
        let ending = self.run_program(step, signed_in, cancel).await;
        if let Some((file, _)) = &self.script {
            // The post-job step tries again.
            let _ = std::fs::remove_file(file);
        }
        ending
    }

    /// Tells the post-job step what there will be to remove.
    fn announce(&self, step: &Step) -> Result<()> {
        if self.script.is_none() && !self.refresh {
            return Ok(());
        }
        let mut state = State::load(step)?;
        state.files.extend(self.script.iter().map(|(file, _)| file.clone()));
        state.job_folder |= self.refresh;
        state.save(step)
    }

    async fn run_program(&self, step: &Step, signed_in: &SignedIn, cancel: &CancellationToken) -> Result<()> {
        let mut environment = ChildEnvironment::without_identity(step.environment(), &step.temp_directory()?);
        environment.set_region(&signed_in.region);
        set_proxy(&mut environment, step)?;
        if self.refresh {
            return self.run_renewing(environment, step, signed_in, cancel).await;
        }
        environment.set_key(&signed_in.session.key);
        self.program.run(&environment, cancel).await
    }

    /// Its tools get their credentials from an endpoint that renews them for as long as it runs.
    async fn run_renewing(
        &self,
        mut environment: ChildEnvironment,
        step: &Step,
        signed_in: &SignedIn,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let console = step.console();
        let renewal = Renewal::new(step.environment().clone())?;
        let keeper = Arc::new(Keeper::new(signed_in.session.clone(), true));
        let token = Endpoint::new_token();
        console.mask(&token);
        let endpoint = Endpoint::open(token.clone()).await?;
        environment.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint.url()?);
        environment.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", token);
        set_own_profile(&mut environment, step, signed_in)?;
        console.info("The credentials are renewed for as long as the program runs.");
        let mask = |key: &AccessKey| mask_key(console, key);
        tokio::select! {
            ending = self.program.run(&environment, cancel) => ending,
            () = keeper.keep(&renewal, &mask) => Ok(()),
            () = endpoint.serve(keeper.clone()) => Ok(()),
        }
    }
}

fn set_proxy(environment: &mut ChildEnvironment, step: &Step) -> Result<()> {
    let Some(proxy) = ToolProxy::of_agent(step.environment())? else { return Ok(()) };
    for expression in &proxy.left_out {
        step.console().info(&format!(
            "NO_PROXY has no form for \"{expression}\" of the agent's proxy bypass list: the program goes through the proxy there."
        ));
    }
    environment.set_proxy(&proxy);
    Ok(())
}

/// Tools look for a profile before they look for an endpoint: they are shown one without credentials, so that those of the
/// machine do not come first.
fn set_own_profile(environment: &mut ChildEnvironment, step: &Step, signed_in: &SignedIn) -> Result<()> {
    let folder = JobFolder::of(&step.temp_directory()?);
    folder.open()?;
    let profile = ProfileName::endpoint();
    folder.write_profile(&profile, &signed_in.region, None)?;
    environment.set("AWS_PROFILE", profile.as_str());
    environment.set("AWS_CONFIG_FILE", folder.config_file().display().to_string());
    environment.set("AWS_SHARED_CREDENTIALS_FILE", folder.credentials_file().display().to_string());
    Ok(())
}
