use anyhow::Result;
use causeway_agent::{Console, InputError};
use causeway_registry::{Registry, RegistryHost, RegistryLogin, RegistryName, authorize, authorize_for};

use crate::step::{SignedIn, Step};

/// The registries that a step works with.
pub(crate) struct Target {
    names: Vec<RegistryName>,
}

impl Target {
    /// Inputs `registries` and `registryType`: none means the own account's registry in the step's region.
    pub(crate) fn read(step: &Step) -> Result<Self> {
        let inputs = step.inputs();
        let names: Vec<RegistryName> = inputs.parsed_lines("registries")?;
        let is_public =
            inputs.choice("registryType", &[("private", false), ("public", true)])?.unwrap_or_default();
        if !is_public {
            return Ok(Self { names });
        }
        let is_private = |name: &&RegistryName| !matches!(name, RegistryName::Host(host) if host.is_public());
        if names.iter().any(|name| is_private(&name)) {
            let problem = "registryType public has the one registry public.ecr.aws: leave registries empty, or set registryType to private";
            return Err(
                InputError::invalid("registries", &inputs.lines("registries").join(", "), problem).into()
            );
        }
        Ok(Self { names: vec![RegistryName::Host(RegistryHost::public())] })
    }

    /// The same where only one registry makes sense.
    pub(crate) fn read_one(step: &Step) -> Result<Self> {
        let target = Self::read(step)?;
        if target.names.len() > 1 {
            let lines = step.inputs().lines("registries").join(", ");
            let problem =
                "this command works with one registry; give one line, or none for the account's own";
            return Err(InputError::invalid("registries", &lines, problem).into());
        }
        Ok(target)
    }

    /// Whether it is ECR Public.
    pub(crate) fn is_public(&self) -> bool {
        matches!(&self.names[..], [RegistryName::Host(host)] if host.is_public())
    }

    /// Logs in, and registers the passwords as secrets.
    pub(crate) async fn log_in(&self, signed_in: &SignedIn, console: &Console) -> Result<Vec<RegistryLogin>> {
        let logins = if self.names.is_empty() {
            vec![authorize(&signed_in.config).await?]
        } else {
            let mut hosts: Vec<RegistryHost> = Vec::new();
            for name in &self.names {
                let host = name.host(&signed_in.region);
                if !hosts.contains(&host) {
                    hosts.push(host);
                }
            }
            authorize_for(&signed_in.config, &hosts).await?
        };
        for login in &logins {
            console.mask(&login.password);
            console.mask(&login.basic);
        }
        Ok(logins)
    }

    /// Logs in to the one registry, and answers the way to it.
    pub(crate) async fn open(
        &self,
        signed_in: &SignedIn,
        console: &Console,
    ) -> Result<(RegistryLogin, Registry)> {
        let mut logins = self.log_in(signed_in, console).await?;
        let login = logins.swap_remove(0);
        let registry = Registry::new(signed_in.registries.clone(), &login);
        Ok((login, registry))
    }
}
