//! Causeway's one binary: what the pipeline task runs, and what a person at a terminal can run.

mod aws;
mod cleanup;
mod commands;
mod failure;
mod files;
mod identity;
mod network;
mod state;
mod step;
mod summary;
mod task;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Use AWS from Azure Pipelines without stored keys.
#[derive(Parser)]
#[command(name = "causeway", version)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Run the pipeline task: inputs, variables and connections come from the agent's environment
    Task,
    /// Run the task's post-job step: log out and remove what the task left on the agent
    Cleanup,
}

fn main() -> ExitCode {
    match Arguments::parse().action {
        Action::Task => task::run(),
        Action::Cleanup => cleanup::run(),
    }
}
