//! `causeway setup …`: federation from a file, for a person at a terminal.

mod act;
mod ask;
mod emit;
mod look;
mod screen;
mod sides;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use causeway_agent::Environment;
use causeway_setup::Setup;
use clap::{Args, Subcommand, ValueEnum};

use screen::Screen;
use sides::Sides;

/// Everything is as it should be.
const FINE: u8 = 0;
/// Something is not, or the person said no.
const NOT_FINE: u8 = 1;
/// It could not be done.
const FAILED: u8 = 2;

/// The options of `causeway setup`.
#[derive(Args)]
#[command(after_help = "Environment:
  AZURE_DEVOPS_EXT_PAT   personal access token, or AZURE_DEVOPS_TOKEN or SYSTEM_ACCESSTOKEN: one of these, or a token of
                         Microsoft Entra. Scopes: Service Connections (read, query, manage), Project and Team (read)
  AWS_PROFILE, AWS_…     credentials for the accounts that name no profile
  NO_COLOR               no colours

Exit codes: 0 fine; 1 check found something, plan --exit-code found changes, or you said no; 2 it failed")]
pub(crate) struct Arguments {
    /// The file that says what to set up
    #[arg(long, global = true, value_name = "FILE", default_value = "causeway.yaml")]
    file: PathBuf,
    /// Print JSON for machines
    #[arg(long, global = true)]
    json: bool,
    /// Do not ask
    #[arg(long, short, global = true)]
    yes: bool,
    /// Also remove what this set-up made and the file no longer names
    #[arg(long, global = true)]
    prune: bool,
    /// Write the same as code for another tool instead
    #[arg(long, global = true, value_name = "FORMAT")]
    emit: Option<Format>,
    /// With --emit cloudformation: the account, by the file's name for it. Default: the only one
    #[arg(long, global = true, value_name = "NAME")]
    account: Option<String>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Terraform,
    Cloudformation,
}

#[derive(Clone, Copy, Subcommand)]
enum Action {
    /// Show what apply would change; touches nothing
    Plan {
        /// End with exit code 1 if there is something to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Show it, ask, and do it
    Apply,
    /// Say whether everything lines up, from both sides, without running a pipeline
    Check,
    /// Remove what this set-up made, and nothing else
    Remove,
    /// List the project's AWS connections and how they authenticate
    List,
}

/// Runs it and tells the person how it ended. Without an action: apply, then check.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut screen = Screen::new(arguments.json);
    let ended = runtime().and_then(|runtime| runtime.block_on(act(arguments, &mut screen)));
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            screen.complain(&error);
            ExitCode::from(FAILED)
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")
}

async fn act(arguments: &Arguments, screen: &mut Screen) -> Result<u8> {
    let environment = Environment::capture();
    let setup = read(&arguments.file)?;
    let sides = Sides::open(&setup, &environment).await?;
    if let Some(format) = arguments.emit {
        let plans = matches!(arguments.action, None | Some(Action::Plan { .. }));
        ensure!(plans, "--emit writes code instead of doing anything: give it alone, or with plan");
        return emit::run(&sides, &setup, format, arguments.account.as_deref(), screen).await;
    }
    match arguments.action {
        Some(Action::Plan { exit_code }) => act::plan(&sides, &setup, arguments, exit_code, screen).await,
        Some(Action::Apply) => Ok(act::apply(&sides, &setup, arguments, screen).await?.code),
        Some(Action::Check) => look::check(&sides, &setup, screen).await,
        Some(Action::Remove) => act::remove(&sides, &setup, arguments, screen).await,
        Some(Action::List) => look::list(&sides, &setup, screen).await,
        None => {
            ensure!(
                !arguments.json,
                "--json goes with one action: setup apply --json, then setup check --json"
            );
            let applied = act::apply(&sides, &setup, arguments, screen).await?;
            match applied.code {
                FINE if applied.had_steps => look::check_what_was_done(&sides, &setup, screen).await,
                FINE => look::check(&sides, &setup, screen).await,
                other => Ok(other),
            }
        }
    }
}

fn read(file: &Path) -> Result<Setup> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    Setup::read(&text, folder).with_context(|| file.display().to_string())
}
