use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use causeway_agent::InputError;
use causeway_secrets::{SecretContent, SecretWrite, put_secret};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::step::{SignedIn, Step};
use crate::values::{GivenText, GivenValue, read_value};

pub(super) const NAME: &str = "putSecret";

/// Creates a secret of Secrets Manager, or gives it a new version.
struct PutSecret {
    write: SecretWrite,
    /// The text that was given, if it was one: for the mask.
    text: Option<GivenText>,
    arn_variable: Option<String>,
    version_variable: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Binary,
}

#[derive(Clone, Copy)]
enum Source {
    Inline,
    File,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    inputs.required_with("secretNameOrId", " with command putSecret")?;
    let id = inputs.parsed("secretNameOrId")?.context("input secretNameOrId is required")?;
    let kinds = [("string", Kind::Text), ("binary", Kind::Binary)];
    let kind = inputs.choice("secretValueType", &kinds)?.unwrap_or(Kind::Text);
    check_source(step)?;
    let (content, text) = content(read_value(step, "secretValue", "secretValueFile")?, kind)?;
    let write =
        SecretWrite::new(id, content)?.with_create(inputs.flag("autoCreateSecret", true)?).with_details(
            inputs.text("description").map(str::to_owned),
            inputs.text("kmsKeyId").map(str::to_owned),
            inputs.parsed_lines("tags")?,
        );
    let variable = |name| inputs.text(name).map(str::to_owned);
    let (arn_variable, version_variable) =
        (variable("arnOutputVariable"), variable("versionIdOutputVariable"));
    Ok(Box::new(PutSecret { write, text, arn_variable, version_variable }))
}

/// Of the toolkit's pair of inputs only the chosen one counts; Causeway takes whichever is there, unless the choice says
/// otherwise.
fn check_source(step: &Step) -> Result<()> {
    let inputs = step.inputs();
    let sources = [("inline", Source::Inline), ("file", Source::File)];
    match inputs.choice("secretValueSource", &sources)? {
        Some(Source::File) if inputs.verbatim("secretValue").is_some() => Err(InputError::invalid(
            "secretValueSource",
            "file",
            "a value stands in secretValue; leave that empty",
        )
        .into()),
        _ => Ok(()),
    }
}

fn content(value: GivenValue, kind: Kind) -> Result<(SecretContent, Option<GivenText>)> {
    match (value, kind) {
        (GivenValue::File(bytes), Kind::Binary) => Ok((SecretContent::of_bytes(&bytes), None)),
        (GivenValue::Text(given), Kind::Binary) => {
            let Ok(bytes) = BASE64_STANDARD.decode(given.text.expose_secret().trim()) else {
                bail!(
                    "input secretValue: a binary value is given in base64, or as a file in secretValueFile"
                );
            };
            Ok((SecretContent::of_bytes(&bytes), Some(given)))
        }
        (value, Kind::Text) => {
            let given = value.into_text("secretValueFile")?;
            Ok((SecretContent::Text(given.text.clone()), Some(given)))
        }
    }
}

#[async_trait]
impl Command for PutSecret {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        if let Some(given) = &self.text {
            console.mask(&SecretString::clone(&given.text));
            given.warn_if_literal(step, "secretValue");
        }
        let written = put_secret(&signed_in.config, &self.write).await?;
        for (variable, value) in
            [(&self.arn_variable, &written.arn), (&self.version_variable, &written.version)]
        {
            if let Some(variable) = variable {
                console.set_variable(variable, value);
            }
        }
        console.set_output("secretArn", &written.arn);
        console.set_output("storedVersion", &written.version);
        step.summary().stored(&self.write.id().to_string(), &written.version);
        let what = if written.created { "created" } else { "given a new version" };
        console.info(&format!("Secret {} is {what}: {}", self.write.id(), written.version));
        Ok(())
    }
}
