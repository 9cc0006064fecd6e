//! `causeway credentials`: what the AWS tools start for a profile of ours.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use causeway_identity::AccessKey;
use secrecy::{ExposeSecret, SecretString};

use crate::broker::{Offer, Request, Response, ask};
use crate::failure;
use crate::profile::{JobFolder, ProfileName};

/// Prints the credentials of a profile in the form that AWS tools read from a `credential_process`.
pub(crate) fn run(profile: &str) -> ExitCode {
    let printed = document(profile).and_then(|document| {
        let mut out = std::io::stdout();
        writeln!(out, "{}", document.expose_secret()).and_then(|()| out.flush()).context("standard output")
    });
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The tool that started this shows it to its user.
            let _ = writeln!(std::io::stderr(), "Causeway: {}", failure::describe(&error));
            ExitCode::FAILURE
        }
    }
}

fn document(profile: &str) -> Result<SecretString> {
    let profile = ProfileName::read(profile).context("--profile")?;
    if profile == ProfileName::environment() {
        return Ok(Offer::of_key(key_in_environment()?).for_process());
    }
    match ask(&JobFolder::of_this_program()?, &profile, Request::Credentials)? {
        Response::Done(document) => Ok(document),
        Response::Refused(reason) => bail!("profile {profile}: {reason}"),
    }
}

/// The key that an `assumeRole` step exported, for tools that look at `AWS_PROFILE` before they look at keys.
fn key_in_environment() -> Result<AccessKey> {
    let secret = |name| std::env::var(name).ok().filter(|value| !value.is_empty()).map(SecretString::from);
    AccessKey::from_parts(
        secret("AWS_ACCESS_KEY_ID"),
        secret("AWS_SECRET_ACCESS_KEY"),
        secret("AWS_SESSION_TOKEN"),
    )
    .context("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")?
    .context("AWS_ACCESS_KEY_ID is not set here")
}
