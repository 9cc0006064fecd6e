use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use causeway_agent::{InputError, Inputs};
use causeway_secrets::{
    HierarchyPlan, NameTransform, Parameter, ParameterKind, ParameterName, ParameterQuery, SecretContent,
    Substitution, SubstitutionScope, read,
};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::failure;
use crate::step::{SignedIn, Step};
use crate::values::{Named, Settings, Value, check_names, publish};

pub(super) const NAME: &str = "getParameters";

/// Reads SSM parameters into variables.
struct GetParameters {
    sources: Vec<Source>,
    settings: Settings,
}

/// What is read together, and what its variables are called.
struct Source {
    query: ParameterQuery,
    transform: NameTransform,
    /// For a list: the variables that its lines name.
    variables: Vec<Option<String>>,
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
    let names: Vec<Named<ParameterName>> = inputs.parsed_lines("parameterNames")?;
    let modes = [("single", Mode::Single), ("hierarchy", Mode::Hierarchy)];
    let mut sources = Vec::new();
    match inputs.choice("readMode", &modes)?.unwrap_or(Mode::Single) {
        Mode::Single if !names.is_empty() && inputs.text("parameterName").is_none() => {}
        Mode::Single => sources.push(single(&inputs)?),
        Mode::Hierarchy => sources.push(hierarchy(&inputs)?),
    }
    let settings = Settings::read(step)?.with_lists(step)?;
    if !names.is_empty() {
        sources.push(list(&inputs, names, settings.parse_json)?);
    }
    let known: Vec<(String, String)> = sources.iter().flat_map(Source::known_names).collect();
    check_names(known.iter().map(|(name, variable)| (name.as_str(), variable.as_str())))?;
    Ok(Box::new(GetParameters { sources, settings }))
}

fn single(inputs: &Inputs<'_>) -> Result<Source> {
    inputs.required_with("parameterName", " with readMode single")?;
    let name = inputs.parsed("parameterName")?.context("input parameterName is required")?;
    let version = inputs.parsed("parameterVersion")?;
    let query = ParameterQuery::single(name, version).context("input parameterVersion")?;
    Ok(Source { query, transform: single_naming(inputs)?, variables: Vec::new() })
}

fn hierarchy(inputs: &Inputs<'_>) -> Result<Source> {
    inputs.required_with("parameterPath", " with readMode hierarchy")?;
    let plans =
        [("auto", HierarchyPlan::Quickest), ("true", HierarchyPlan::Listed), ("false", HierarchyPlan::Pages)];
    let plan = inputs.choice("describeParameters", &plans)?.unwrap_or_default();
    let paths = inputs.parsed_lines("parameterPath")?;
    let query = ParameterQuery::hierarchy(paths, inputs.flag("recursive", false)?, plan);
    Ok(Source { query, transform: hierarchy_naming(inputs)?, variables: Vec::new() })
}

fn list(inputs: &Inputs<'_>, names: Vec<Named<ParameterName>>, parse_json: bool) -> Result<Source> {
    let transform = match single_naming(inputs)? {
        // It belongs to parameterName; a line has its own.
        NameTransform::Custom(_) if names.iter().all(|line| line.variable.is_some()) => NameTransform::None,
        NameTransform::Custom(_) => bail!(
            "input singleNameTransform is \"custom\", which is for one parameter: write name=VARIABLE in parameterNames"
        ),
        other => other,
    };
    if let Some(line) = names.iter().find(|line| line.variable.as_deref() == Some("") && !parse_json) {
        let problem = "no variable stands behind the = (only with parseJson may there be none)";
        bail!(InputError::invalid("parameterNames", &format!("{}=", line.what), problem));
    }
    let (names, variables) = names.into_iter().map(|line| (line.what, line.variable)).unzip();
    Ok(Source { query: ParameterQuery::names(names), transform, variables })
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

impl Source {
    /// The names and variables that are known before anything is read; what only JSON keys name is not.
    fn known_names(&self) -> Vec<(String, String)> {
        let names = match &self.query {
            ParameterQuery::Single { name, .. } => std::slice::from_ref(name),
            ParameterQuery::Names(names) => names,
            _ => &[],
        };
        let named =
            names.iter().enumerate().map(|(at, name)| (name.to_string(), self.variable(at, name.as_str())));
        named.filter(|(_, variable)| !variable.is_empty()).collect()
    }

    fn variable(&self, at: usize, name: &str) -> String {
        let given = self.variables.get(at).cloned().flatten();
        given.unwrap_or_else(|| self.transform.apply(name))
    }

    async fn values(&self, step: &Step, signed_in: &SignedIn) -> Result<Vec<Value>> {
        let reading = read(&signed_in.config, &self.query).await?;
        if let Some(refused) = reading.listing_refused {
            step.console().info(&format!(
                "The names could not be listed first, so the hierarchy was read page by page: {}",
                failure::describe(&refused.into())
            ));
        }
        if let (true, ParameterQuery::Hierarchy { paths, .. }) = (reading.parameters.is_empty(), &self.query)
        {
            let paths: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
            step.console().warning(&format!(
                "There are no parameters below {}; no variable was set.",
                paths.join(", ")
            ));
        }
        let parameters = reading.parameters.into_iter().enumerate();
        Ok(parameters.map(|(at, parameter)| self.value(at, parameter)).collect())
    }

    fn value(&self, at: usize, parameter: Parameter) -> Value {
        Value {
            variable: self.variable(at, &parameter.name),
            secret: parameter.is_secret(),
            list: parameter.kind == ParameterKind::StringList,
            origin: parameter.name,
            content: SecretContent::Text(parameter.value),
        }
    }
}

#[async_trait]
impl Command for GetParameters {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Calls go side by side unless there is one.
    fn threads(&self) -> usize {
        match self.sources[..] {
            [Source { query: ParameterQuery::Single { .. }, .. }] => 1,
            _ => 2,
        }
    }

    async fn execute(&self, step: &Step, signed_in: &SignedIn, _cancel: &CancellationToken) -> Result<()> {
        let mut values = Vec::new();
        for source in &self.sources {
            values.extend(source.values(step, signed_in).await?);
        }
        publish(step, &self.settings, values)
    }
}
