//! What a process finds in its environment (`Handler.cs`, `NodeHandler.cs`).

use std::collections::BTreeMap;

use serde_json::json;

use super::variables::{Variables, environment_name};

/// An environment, later entries replacing earlier ones.
pub(super) type Environment = BTreeMap<String, String>;

/// The step's `env:` over the machine's own environment, and then the public variables, which win.
pub(super) fn begin(machine: &Environment, env: Vec<(String, String)>, variables: &Variables) -> Environment {
    let mut environment = machine.clone();
    environment.extend(env);
    let mut names = Vec::new();
    for variable in variables.iter().filter(|variable| !variable.secret) {
        if variable.name.eq_ignore_ascii_case("Agent.JobStatus") {
            environment.insert(variable.name.clone(), variable.value.clone());
        }
        environment.insert(environment_name(&variable.name), variable.value.clone());
        names.push(&variable.name);
    }
    environment.insert("VSTS_PUBLIC_VARIABLES".into(), json!(names).to_string());
    let secret = variables.iter().filter(|variable| variable.secret);
    let names: Vec<&String> = secret.map(|variable| &variable.name).collect();
    environment.insert("VSTS_SECRET_VARIABLES".into(), json!(names).to_string());
    environment
}

/// The secret variables, which only tasks get.
pub(super) fn add_secrets(environment: &mut Environment, variables: &Variables) {
    for variable in variables.iter().filter(|variable| variable.secret) {
        environment.insert(format!("SECRET_{}", environment_name(&variable.name)), variable.value.clone());
    }
}

pub(super) fn add_inputs(environment: &mut Environment, inputs: &[(String, String)]) {
    for (name, value) in inputs {
        environment.insert(format!("INPUT_{}", environment_name(name)), value.clone());
    }
}

pub(super) fn add_task_variables(environment: &mut Environment, variables: &Variables) {
    for variable in variables.iter() {
        let name = environment_name(&variable.name);
        environment.insert(format!("VSTS_TASKVARIABLE_{name}"), variable.value.clone());
    }
}

/// The folders of `task.prependpath`, the last first.
pub(super) fn prepend_path(environment: &mut Environment, folders: &[String]) {
    if !folders.is_empty() {
        let path = environment.get("PATH").cloned().unwrap_or_default();
        let folders: Vec<&str> = folders.iter().rev().map(String::as_str).collect();
        environment.insert("PATH".into(), format!("{}:{path}", folders.join(":")));
    }
}
