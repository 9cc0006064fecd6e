//! `causeway trust …`: trust policies for a person at a terminal, and what `command: verify` shares with it.

mod check;
mod generate;
mod identities;
mod terminal;
mod token;
mod verdict;

use std::process::ExitCode;

use anyhow::Result;
use causeway_identity::trust::Format;
use causeway_identity::{IdentityPlan, RoleRequest, Session, SessionName};
use clap::Subcommand;

pub(crate) use identities::{Identities, NewForm};
pub(crate) use verdict::Verdict;

use terminal::Terminal;

/// What a role is called where none is named.
const DEFAULT_ROLE: &str = "azure-pipelines";

/// The formats by the names that inputs and options give them.
pub(crate) const FORMATS: [(&str, Format); 3] =
    [("json", Format::Json), ("terraform", Format::Terraform), ("cloudformation", Format::CloudFormation)];

/// What `causeway trust` can do.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Write the OIDC provider and the role's trust policy that a service connection needs
    Generate(Box<generate::Arguments>),
    /// Say whether a trust policy lets a token in, and if not, which condition fails and how
    ///
    /// Ends with exit code 0 when the policy lets the token in, 1 when it does not, and 2 when that depends on
    /// something that is not known here, or when something went wrong.
    Check(check::Arguments),
}

/// Runs it and tells the person how it ended.
pub(crate) fn run(action: Action) -> ExitCode {
    let mut terminal = Terminal::new();
    let ended = match action {
        Action::Generate(arguments) => generate::run(&arguments, &mut terminal),
        Action::Check(arguments) => check::run(&arguments, &mut terminal),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            terminal.complain(&error);
            ExitCode::from(terminal::FAILED)
        }
    }
}

/// The role that a token would be for: the plan's first, or one yet to be made in the session's account.
pub(crate) fn role_to_trust(plan: &IdentityPlan, session: &Session) -> Result<RoleRequest> {
    if let Some(first) = plan.roles().first() {
        return Ok(first.clone());
    }
    let partition = plan.region().partition().id();
    let arn = format!("arn:{partition}:iam::{}:role/{DEFAULT_ROLE}", session.caller.account).parse()?;
    Ok(RoleRequest::new(arn, SessionName::unnamed()))
}
