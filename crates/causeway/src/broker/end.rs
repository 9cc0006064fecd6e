use std::time::{Duration, Instant};

use anyhow::Result;

use super::protocol::{Request, Response};
use super::transport::{AskError, ask};
use crate::profile::{JobFolder, ProfileName};

/// How long a broker may take to end once it was asked to.
const END_TIME: Duration = Duration::from_secs(3);

/// Ends the broker of a profile and takes its socket away. One that is not there any more is no problem.
///
/// # Errors
/// When it is there and does not end.
pub(crate) fn end(folder: &JobFolder, profile: &ProfileName) -> Result<()> {
    let socket = folder.path().join(JobFolder::socket_name(profile));
    let asked = ask(folder, profile, Request::Stop);
    if matches!(asked, Ok(Response::Done(_))) {
        let end = Instant::now() + END_TIME;
        while socket.exists() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    // Without its socket a broker ends by itself.
    let _ = std::fs::remove_file(&socket);
    match asked {
        Err(error @ AskError::Failed { .. }) => Err(error.into()),
        _ => Ok(()),
    }
}
