use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use causeway_identity::{Claims, OidcToken};
use clap::Args;
use secrecy::SecretString;

use super::terminal;

/// Where the claims of a token are. A token itself never stands on a command line, where every process could read it.
#[derive(Args)]
#[group(multiple = false)]
pub(super) struct Source {
    /// File that holds an OIDC token as Azure DevOps made it; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// JSON file with the claims of a token (iss, sub and aud at least); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
}

impl Source {
    /// The claims, if a file is given.
    pub(super) fn read(&self) -> Result<Option<Claims>> {
        if let Some(path) = &self.token_file {
            let text = SecretString::from(terminal::read(path)?.trim());
            let token = OidcToken::read(text).map_err(|_| {
                anyhow!("{}: this is not a JSON web token with the claims iss, sub and aud", path.display())
            })?;
            return Ok(Some(token.claims().clone()));
        }
        let Some(path) = &self.claims else {
            return Ok(None);
        };
        let text = terminal::read(path)?;
        let claims = Claims::from_json(text.trim_start_matches('\u{feff}').as_bytes());
        claims.ok().map(Some).with_context(|| {
            format!("{}: this is not a JSON object with the claims iss, sub and aud", path.display())
        })
    }

    pub(super) fn is_standard_input(&self) -> bool {
        self.token_file.iter().chain(&self.claims).any(|path| path.as_os_str() == "-")
    }
}
