//! Causeway's one binary: what the pipeline task runs, and what a person at a terminal can run.

mod aws;
mod broker;
mod child;
mod cleanup;
mod commands;
mod credentials;
mod diagnosis;
mod ecr;
mod exports;
mod failure;
mod files;
mod identity;
mod network;
mod own_copy;
mod profile;
mod protection;
mod setup;
mod state;
mod step;
mod summary;
mod task;
mod trust;
mod values;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The allocator of the C library that the released binary is linked with has two locks, and waits for them by spinning:
/// with many threads at work half of the processor time goes there, and large buffers go back to the system each time.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

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
    /// Print a profile's credentials, as AWS tools ask for them (credential_process)
    Credentials {
        /// The profile of an assumeRole step of this job
        #[arg(long)]
        profile: String,
    },
    /// Hold a profile's credentials for later steps: started by an assumeRole step
    #[command(hide = true)]
    Broker {
        /// The profile
        #[arg(long)]
        profile: String,
    },
    /// Wait for a broker's end: started by a broker
    #[command(hide = true)]
    BrokerLifeline,
    /// Federation from a file: service connections, OIDC providers and roles, planned, applied, checked, removed
    Setup(Box<setup::Arguments>),
    /// Trust policies of roles that pipelines assume with an OIDC token
    #[command(subcommand)]
    Trust(trust::Action),
}

fn main() -> ExitCode {
    let action = Arguments::parse().action;
    if !matches!(action, Action::BrokerLifeline) {
        protection::close_process();
    }
    match action {
        Action::Task => then_remove_copy(task::run()),
        Action::Cleanup => then_remove_copy(cleanup::run()),
        Action::Credentials { profile } => credentials::run(&profile),
        Action::Broker { profile } => broker::run(&profile),
        Action::BrokerLifeline => broker::hold_lifeline(),
        Action::Setup(arguments) => setup::run(&arguments),
        Action::Trust(action) => trust::run(action),
    }
}

fn then_remove_copy(code: ExitCode) -> ExitCode {
    own_copy::remove(&causeway_agent::Environment::capture());
    code
}
