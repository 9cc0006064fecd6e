use anyhow::{Context, Result};
use async_trait::async_trait;
use causeway_agent::{Inputs, Masked};
use causeway_secrets::{
    NameTransform, Parameter, ParameterQuery, Substitution, SubstitutionScope, name_variables, read,
};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::files;
use crate::state::State;
use crate::step::{SignedIn, Step};

pub(super) const NAME: &str = "getParameters";

/// Reads SSM parameters into variables.
struct GetParameters {
    query: ParameterQuery,
    transform: NameTransform,
}

#[derive(Clone, Copy)]
enum Mode {
    Single,
    Hierarchy,
}

#[derive(Clone, Copy)]
enum Naming {
    None,
    Leaf,
    Substitute,
    Custom,
}

pub(super) fn plan(step: &Step) -> Result<Box<dyn Command>> {
    let inputs = step.inputs();
    let modes = [("single", Mode::Single), ("hierarchy", Mode::Hierarchy)];
    let (query, transform) = match inputs.choice("readMode", &modes)?.unwrap_or(Mode::Single) {
        Mode::Single => (single(&inputs)?, single_naming(&inputs)?),
        Mode::Hierarchy => (hierarchy(&inputs)?, hierarchy_naming(&inputs)?),
    };
    Ok(Box::new(GetParameters { query, transform }))
}

fn single(inputs: &Inputs<'_>) -> Result<ParameterQuery> {
    inputs.required_with("parameterName", " with readMode single")?;
    let name = inputs.parsed("parameterName")?.context("input parameterName is required")?;
    let version = inputs.parsed("parameterVersion")?;
    ParameterQuery::single(name, version).context("input parameterVersion")
}

fn hierarchy(inputs: &Inputs<'_>) -> Result<ParameterQuery> {
    inputs.required_with("parameterPath", " with readMode hierarchy")?;
    let path = inputs.parsed("parameterPath")?.context("input parameterPath is required")?;
    Ok(ParameterQuery::hierarchy(path, inputs.flag("recursive", false)?))
}

const NAMINGS: [(&str, Naming); 4] = [
    ("none", Naming::None),
    ("leaf", Naming::Leaf),
    ("substitute", Naming::Substitute),
    ("custom", Naming::Custom),
];

fn single_naming(inputs: &Inputs<'_>) -> Result<NameTransform> {
    naming(inputs, inputs.choice("singleNameTransform", &NAMINGS)?)
}

/// A hierarchy has no custom name: its parameters would all share it.
fn hierarchy_naming(inputs: &Inputs<'_>) -> Result<NameTransform> {
    naming(inputs, inputs.choice("hierarchyNameTransform", &NAMINGS[..3])?)
}

fn naming(inputs: &Inputs<'_>, naming: Option<Naming>) -> Result<NameTransform> {
    Ok(match naming.unwrap_or(Naming::None) {
        Naming::None => NameTransform::None,
        Naming::Leaf => NameTransform::Leaf,
        Naming::Substitute => NameTransform::Substitute(substitution(inputs)?),
        Naming::Custom => {
            let name = inputs.required_with("customVariableName", " with singleNameTransform custom")?;
            NameTransform::Custom(name.to_owned())
        }
    })
}

fn substitution(inputs: &Inputs<'_>) -> Result<Substitution> {
    inputs.required_with("replacementPattern", " with a substitute transform")?;
    // Space counts in an expression and in its replacement.
    let pattern = inputs.verbatim("replacementPattern").unwrap_or_default();
    let replacement = inputs.verbatim("replacementText").unwrap_or_default();
    let scope = SubstitutionScope {
        global: inputs.flag("globalMatch", true)?,
        ignore_case: inputs.flag("caseInsensitiveMatch", true)?,
    };
    Substitution::new(pattern, replacement, scope).context("input replacementPattern")
}

#[async_trait]
impl Command for GetParameters {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let parameters = read(&signed_in.config, &self.query).await?;
        let masked: Vec<Option<Masked>> = parameters.iter().map(|parameter| mask(step, parameter)).collect();
        if let (true, ParameterQuery::Hierarchy { path, .. }) = (parameters.is_empty(), &self.query) {
            step.console().warning(&format!("There are no parameters below {path}; no variable was set."));
        }
        let named = name_variables(parameters, &self.transform)?;
        for ((variable, parameter), masked) in named.into_iter().zip(masked) {
            set(step, &variable, &parameter, masked.as_ref())?;
            step.summary().variable(&parameter.name, &variable);
        }
        Ok(())
    }
}

/// Every secret is masked before the first variable is set.
fn mask(step: &Step, parameter: &Parameter) -> Option<Masked> {
    parameter.is_secret().then(|| step.console().mask(&parameter.value))
}

fn set(step: &Step, variable: &str, parameter: &Parameter, masked: Option<&Masked>) -> Result<()> {
    let console = step.console();
    let name = &parameter.name;
    let Some(masked) = masked else {
        console.set_variable(variable, parameter.value.expose_secret());
        console.info(&format!("{name} -> variable {variable}"));
        return Ok(());
    };
    if console.set_secret_variable(variable, masked).is_ok() {
        console.info(&format!("{name} -> secret variable {variable}"));
        return Ok(());
    }
    let path = secret_file(step, masked)?;
    console.set_variable(variable, &path);
    console.info(&format!(
        "{name} has several lines, which the agent takes in no secret variable: it is in a file until the job ends, and variable {variable} holds the file's path"
    ));
    Ok(())
}

/// A file in the job's temp folder that only this user reads and that the post-job step removes.
fn secret_file(step: &Step, masked: &Masked) -> Result<String> {
    let path = files::fresh_path(&step.temp_directory()?, ".secret");
    let mut state = State::load(step)?;
    state.files.push(path.clone());
    state.save(step)?;
    files::write_secret(&path, masked.secret())?;
    Ok(path.display().to_string())
}
