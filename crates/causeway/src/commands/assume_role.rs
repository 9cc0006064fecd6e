use std::path::PathBuf;

use anyhow::{Result, bail};
use async_trait::async_trait;
use causeway_agent::InputError;
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::broker::{self, Endpoint, Launch};
use crate::exports::Exports;
use crate::profile::{JobFolder, ProfileName};
use crate::state::State;
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "assumeRole";

/// Hands the credentials to the job's later steps.
struct AssumeRole {
    form: Form,
    /// The job's folder, and how it is used.
    folder: JobFolder,
}

/// How later steps get them.
enum Form {
    /// As keys in their environment.
    Keys,
    /// From an endpoint of this machine that renews them.
    Endpoint,
    /// From a profile.
    Profile { name: ProfileName, refresh: bool },
}

#[derive(Clone, Copy)]
enum ExportAs {
    Environment,
    Profile,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    let forms = [("environment", ExportAs::Environment), ("profile", ExportAs::Profile)];
    let refresh = inputs.flag("refresh", false)?;
    let form = match (inputs.choice("exportAs", &forms)?.unwrap_or(ExportAs::Environment), refresh) {
        (ExportAs::Environment, false) => Form::Keys,
        (ExportAs::Environment, true) => {
            refuse_foreign_endpoint(step)?;
            Form::Endpoint
        }
        (ExportAs::Profile, refresh) => {
            let default =
                || "default".parse().map_err(|error| InputError::invalid("profileName", "default", error));
            let name = inputs.parsed("profileName")?.map_or_else(default, Ok)?;
            Form::Profile { name, refresh }
        }
    };
    // Keys need no file, so an agent without a temp folder will do.
    let temp = match form {
        Form::Keys => step.temp_directory().unwrap_or_default(),
        _ => step.temp_directory()?,
    };
    Ok(Box::new(AssumeRole { form, folder: JobFolder::of(&temp) }))
}

/// Where the machine has these, AWS tools take them before what the step would set, and a variable cannot be unset.
fn refuse_foreign_endpoint(step: &Step) -> Result<()> {
    for name in ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
        if step.environment().get(name).is_some() {
            bail!(
                "the agent's machine sets {name}, which AWS tools would take before these credentials: set exportAs to profile"
            );
        }
    }
    Ok(())
}

#[async_trait]
impl Command for AssumeRole {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let (exports, said) = match &self.form {
            Form::Keys => self.keys(step, signed_in)?,
            Form::Endpoint => self.endpoint(step, signed_in).await?,
            Form::Profile { name, refresh } => self.profile(step, signed_in, name, *refresh).await?,
        };
        exports.set(step.console());
        step.console().info(&said);
        Ok(())
    }
}

impl AssumeRole {
    fn keys(&self, step: &Step, signed_in: &SignedIn) -> Result<(Exports, String)> {
        let mut exports = Exports::for_region(&signed_in.region);
        exports.set_key(&signed_in.session.key);
        let overrides_profile =
            ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].iter().any(|name| step.environment().get(name).is_some());
        if !overrides_profile {
            self.announce(step, None, &exports, false)?;
            let names = exports.names().join(", ");
            return Ok((exports, format!("Later steps of this job have {names} in their environment.")));
        }
        // Some tools (Go and JavaScript SDKs) take a profile before they take keys.
        let profile = ProfileName::environment();
        exports.set_profile(step.environment(), &self.folder, &profile);
        self.announce(step, None, &exports, true)?;
        self.folder.open()?;
        let program = self.folder.install_program()?;
        self.folder.write_profile(&profile, &signed_in.region, Some(&program))?;
        let names = exports.names().join(", ");
        Ok((
            exports,
            format!(
                "Later steps of this job have {names} in their environment; profile {profile} gives the same keys."
            ),
        ))
    }

    async fn endpoint(&self, step: &Step, signed_in: &SignedIn) -> Result<(Exports, String)> {
        let profile = ProfileName::endpoint();
        let token = Endpoint::new_token();
        step.console().mask(&token);
        let mut exports = Exports::for_region(&signed_in.region);
        exports.set_profile(step.environment(), &self.folder, &profile);
        exports.clear_other_identities(step.environment());
        exports.announce_endpoint();
        self.announce(step, Some(&profile), &exports, true)?;
        let program = self.prepare(&profile, signed_in, false)?;
        let url = broker::start(&Launch {
            program: &program,
            environment: step.environment(),
            session: &signed_in.session,
            profile: &profile,
            endpoint_token: Some(&token),
            refresh: true,
        })
        .await?;
        exports.set_endpoint(url.unwrap_or_default(), token);
        Ok((
            exports,
            "AWS tools in later steps of this job find credentials that are renewed until the job ends."
                .to_owned(),
        ))
    }

    async fn profile(
        &self,
        step: &Step,
        signed_in: &SignedIn,
        name: &ProfileName,
        refresh: bool,
    ) -> Result<(Exports, String)> {
        let mut exports = Exports::for_region(&signed_in.region);
        exports.set_profile(step.environment(), &self.folder, name);
        exports.clear_other_identities(step.environment());
        self.announce(step, Some(name), &exports, true)?;
        let program = self.prepare(name, signed_in, true)?;
        broker::start(&Launch {
            program: &program,
            environment: step.environment(),
            session: &signed_in.session,
            profile: name,
            endpoint_token: None,
            refresh,
        })
        .await?;
        let how = if refresh { "renewed until the job ends" } else { "those of this one session" };
        Ok((
            exports,
            format!("AWS tools in later steps of this job find profile {name}; its credentials are {how}."),
        ))
    }

    /// Tells the post-job step what there will be to take back.
    fn announce(
        &self,
        step: &Step,
        profile: Option<&ProfileName>,
        exports: &Exports,
        uses_folder: bool,
    ) -> Result<()> {
        let mut state = State::load(step)?;
        let profile = profile.map(|profile| profile.as_str().to_owned());
        state.profiles.extend(profile.filter(|profile| !state.profiles.contains(profile)));
        state.job_folder |= uses_folder;
        for name in exports.credential_names() {
            if !state.variables.iter().any(|known| known == name) {
                state.variables.push(name.to_owned());
            }
        }
        state.save(step)
    }

    /// Folder, program and configuration file; with `asks`, tools start the program for the profile's credentials.
    fn prepare(&self, profile: &ProfileName, signed_in: &SignedIn, asks: bool) -> Result<PathBuf> {
        self.folder.open()?;
        let program = self.folder.install_program()?;
        self.folder.write_profile(profile, &signed_in.region, asks.then_some(program.as_path()))?;
        Ok(program)
    }
}
