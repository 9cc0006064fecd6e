//! The way between a broker and those who ask it, open to one user: a Unix socket, or a named pipe on Windows.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use secrecy::SecretString;

#[cfg(unix)]
pub(super) use unix::Listener;
#[cfg(unix)]
use unix::connect;
#[cfg(windows)]
pub(super) use windows::Listener;
#[cfg(windows)]
use windows::connect;

use super::protocol::{Request, Response};
use crate::profile::{JobFolder, ProfileName};

/// Longer than a broker lets anybody wait for credentials.
const PATIENCE: Duration = Duration::from_secs(120);

/// A broker that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// There is no socket.
    #[error(
        "nothing here gives credentials for profile {0}: no step of this job made it, or the job is over and its credentials are gone"
    )]
    Unknown(ProfileName),
    /// There is a socket and nobody behind it.
    #[error(
        "the Causeway process that gave credentials for profile {0} is not running any more: it was ended by force (a kill, or too little memory). A new assumeRole step brings it back"
    )]
    Gone(ProfileName),
    /// Something else.
    #[error("profile {profile}: the Causeway process that gives its credentials could not be asked")]
    Failed {
        /// Whose credentials.
        profile: ProfileName,
        /// Why.
        #[source]
        error: std::io::Error,
    },
}

/// Asks the broker of a profile.
///
/// # Errors
/// [`AskError`] when it does not answer; a refusal is an answer.
pub(crate) fn ask(folder: &JobFolder, profile: &ProfileName, request: Request) -> Result<Response, AskError> {
    let asked = || -> std::io::Result<String> {
        let mut stream = connect(folder.path(), &JobFolder::socket_name(profile), PATIENCE)?;
        stream.write_all(request.line().as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        if text.is_empty() { Err(ErrorKind::ConnectionReset.into()) } else { Ok(text) }
    };
    match asked() {
        Ok(text) => Ok(Response::read(SecretString::from(text))),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound => AskError::Unknown(profile.clone()),
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                AskError::Gone(profile.clone())
            }
            _ => AskError::Failed { profile: profile.clone(), error },
        }),
    }
}
