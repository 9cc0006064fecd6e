use anyhow::{Context, Result};
use async_trait::async_trait;
use causeway_secrets::{ParameterKind, ParameterTier, ParameterWrite, put_parameter};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::step::{SignedIn, Step};
use crate::values::{GivenText, read_value};

pub(super) const NAME: &str = "putParameter";

/// Writes an SSM parameter.
struct PutParameter {
    write: ParameterWrite,
    value: GivenText,
    is_secret: bool,
}

const KINDS: [(&str, ParameterKind); 3] = [
    ("String", ParameterKind::String),
    ("StringList", ParameterKind::StringList),
    ("SecureString", ParameterKind::SecureString),
];

const TIERS: [(&str, Option<ParameterTier>); 4] = [
    ("Default", None),
    ("Standard", Some(ParameterTier::Standard)),
    ("Advanced", Some(ParameterTier::Advanced)),
    ("Intelligent-Tiering", Some(ParameterTier::IntelligentTiering)),
];

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    inputs.required_with("parameterName", " with command putParameter")?;
    let name = inputs.parsed("parameterName")?.context("input parameterName is required")?;
    let kind = inputs.choice("parameterType", &KINDS)?.unwrap_or(ParameterKind::String);
    let value = read_value(step, "parameterValue", "parameterValueFile")?.into_text("parameterValueFile")?;
    let write = ParameterWrite::new(name, kind, value.text.clone())?
        .with_key(inputs.text("encryptionKeyId").map(str::to_owned))
        .context("input encryptionKeyId")?
        .with_tier(inputs.choice("parameterTier", &TIERS)?.flatten())?
        .with_overwrite(inputs.flag("overwriteParameter", true)?)
        .with_details(inputs.text("description").map(str::to_owned), inputs.parsed_lines("tags")?);
    Ok(Box::new(PutParameter { write, value, is_secret: kind == ParameterKind::SecureString }))
}

#[async_trait]
impl Command for PutParameter {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let console = step.console();
        if self.is_secret {
            console.mask(&self.value.text);
        }
        self.value.warn_if_literal(step, "parameterValue");
        let version = put_parameter(&signed_in.config, &self.write).await?;
        console.set_output("storedVersion", &version.to_string());
        step.summary().stored(self.write.name().as_str(), &version.to_string());
        console.info(&format!("{} is written, version {version}", self.write.name()));
        Ok(())
    }
}
