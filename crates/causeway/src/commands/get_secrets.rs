use std::collections::HashSet;

use anyhow::{Result, bail};
use async_trait::async_trait;
use causeway_agent::{InputError, Inputs};
use causeway_secrets::{FoundSecret, SecretId, SecretPattern, SecretVersion, read_secrets};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::step::{SignedIn, Step};
use crate::values::{Named, Settings, Value, check_names, publish};

pub(super) const NAME: &str = "getSecrets";

/// Reads secrets of Secrets Manager into variables.
struct GetSecrets {
    patterns: Vec<SecretPattern>,
    /// The variable of each pattern, if it names one.
    variables: Vec<Option<String>>,
    version: Option<SecretVersion>,
    settings: Settings,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    let settings = Settings::read(step)?.with_binary(step)?;
    let mut lines: Vec<Named<SecretPattern>> = inputs.parsed_lines("secretIds")?;
    if let Some(id) = inputs.parsed::<SecretId>("secretIdOrName")? {
        let variable = inputs.text("variableName").map(str::to_owned);
        lines.insert(0, Named { what: SecretPattern::Exact(id), variable });
    }
    if lines.is_empty() {
        bail!("input secretIdOrName or input secretIds is required");
    }
    lines.iter().try_for_each(|line| check_line(line, settings.parse_json))?;
    let version = version(&inputs)?;
    if matches!(version, Some(SecretVersion::Id(_))) && (lines.len() > 1 || is_prefix(&lines[0])) {
        bail!("input versionId is for one secret: a version's id belongs to no other");
    }
    let known: Vec<(String, &str)> = lines
        .iter()
        .filter_map(|line| Some((line.what.to_string(), line.variable.as_deref()?)))
        .filter(|(_, variable)| !variable.is_empty())
        .collect();
    check_names(known.iter().map(|(id, variable)| (id.as_str(), *variable)))?;
    let (patterns, variables) = lines.into_iter().map(|line| (line.what, line.variable)).unzip();
    Ok(Box::new(GetSecrets { patterns, variables, version, settings }))
}

fn is_prefix(line: &Named<SecretPattern>) -> bool {
    matches!(line.what, SecretPattern::Prefix(_))
}

fn check_line(line: &Named<SecretPattern>, parse_json: bool) -> Result<()> {
    let problem = match line.variable.as_deref() {
        None => return Ok(()),
        Some("") if parse_json => return Ok(()),
        Some("") => "no variable stands behind the = (only with parseJson may there be none)",
        Some(_) if is_prefix(line) => "several secrets cannot share one variable",
        Some(_) => return Ok(()),
    };
    bail!(InputError::invalid("secretIds", &line.what.to_string(), problem))
}

/// A version's id beats its stage, as in the AWS Toolkit.
fn version(inputs: &Inputs<'_>) -> Result<Option<SecretVersion>> {
    // Lengths: "GetSecretValue", Secrets Manager API reference.
    let checked = |name: &'static str, lengths: std::ops::RangeInclusive<usize>| match inputs.text(name) {
        Some(text) if !lengths.contains(&text.len()) => Err(InputError::invalid(
            name,
            text,
            format!("give {} to {} characters", lengths.start(), lengths.end()),
        )),
        text => Ok(text.map(str::to_owned)),
    };
    let stage = checked("versionStage", 1..=256)?.map(SecretVersion::Stage);
    Ok(checked("versionId", 32..=64)?.map(SecretVersion::Id).or(stage))
}

#[async_trait]
impl Command for GetSecrets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn threads(&self) -> usize {
        if self.patterns.len() > 20 { 2 } else { 1 }
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let found = read_secrets(&signed_in.config, &self.patterns, self.version.as_ref()).await?;
        for (at, pattern) in self.patterns.iter().enumerate() {
            if !found.iter().any(|found| found.pattern == at) {
                step.console()
                    .warning(&format!("There are no secrets whose name is {pattern}; no variable was set."));
            }
        }
        let mut known = HashSet::new();
        let values = found
            .into_iter()
            .map(|found| (found.secret.arn.clone(), self.value(found)))
            // A secret that two lines mean, for one variable, is no clash.
            .filter(|(arn, value)| known.insert((arn.clone(), value.variable.clone())))
            .map(|(_, value)| value)
            .collect();
        publish(step, &self.settings, values)
    }
}

impl GetSecrets {
    fn value(&self, found: FoundSecret) -> Value {
        let secret = found.secret;
        let variable = self.variables.get(found.pattern).cloned().flatten();
        Value {
            variable: variable.unwrap_or_else(|| secret.name.clone()),
            origin: secret.name,
            content: secret.content,
            secret: true,
            list: false,
        }
    }
}
