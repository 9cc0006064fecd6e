use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use causeway_agent::{Environment, Job};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::deadline;
use super::handover::Handover;
use super::http::Endpoint;
use super::keeper::Keeper;
use super::lifeline::Lifeline;
use super::renewal::Renewal;
use super::transport::Listener;
use crate::failure;
use crate::profile::{JobFolder, ProfileName};

/// How often it is looked whether anybody still needs this broker.
const LOOK: Duration = Duration::from_secs(1);

/// The broker process: takes what the step hands over on standard input, says on standard output that it is ready, and serves
/// until the job is over.
pub(crate) fn run(profile: &str) -> ExitCode {
    leave_the_steps_session();
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime")
        .and_then(|runtime| runtime.block_on(serve(profile)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&json!({ "error": failure::describe(&error) }));
            ExitCode::FAILURE
        }
    }
}

/// What ends the step's processes must not end this one.
fn leave_the_steps_session() {
    #[cfg(unix)]
    {
        // It fails only for who leads a group already, and then there is nothing to leave.
        let _ = rustix::process::setsid();
    }
}

async fn serve(profile: &str) -> Result<()> {
    let profile = ProfileName::read(profile)?;
    let mut handover = read_handover()?;
    let session = handover.session()?;
    let endpoint = match handover.endpoint_token() {
        Some(token) => Some(Endpoint::open(token).await?),
        None => None,
    };
    let url = endpoint.as_ref().map(Endpoint::url).transpose()?;
    let environment = handover.take_environment();
    let deadline = deadline::of_job(Job::new(&environment), SystemTime::now());
    let renewal = handover.refresh.then(|| Renewal::new(environment)).transpose()?;
    let keeper = Arc::new(Keeper::new(session, handover.refresh));
    drop(handover);
    let folder = JobFolder::of_this_program()?;
    let listener = Listener::open(folder.path(), JobFolder::socket_name(&profile))?;
    say(&json!({ "url": url }));

    let (stop, mut lifeline) = (Arc::new(Notify::new()), Lifeline::throw(&Environment::capture()));
    tokio::select! {
        () = listener.serve(&keeper, &stop) => {}
        () = serve_endpoint(endpoint, keeper.clone()) => {}
        () = renew(&keeper, renewal.as_ref()) => {}
        () = stop.notified() => {}
        () = unwanted(&listener, deadline) => {}
        () = lifeline.cut() => {}
        () = crate::task::signalled() => {}
    }
    lifeline.end().await;
    listener.remove();
    Ok(())
}

fn read_handover() -> Result<Handover> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input")?;
    Handover::read(&SecretString::from(text))
}

/// To the step that waits for it. Nobody reads what comes later.
fn say(word: &Value) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{word}").and_then(|()| out.flush());
}

async fn serve_endpoint(endpoint: Option<Endpoint>, keeper: Arc<Keeper>) {
    match endpoint {
        Some(endpoint) => endpoint.serve(keeper).await,
        None => std::future::pending().await,
    }
}

async fn renew(keeper: &Keeper, renewal: Option<&Renewal<'_>>) {
    match renewal {
        Some(renewal) => keeper.keep(renewal, &|_| ()).await,
        None => std::future::pending().await,
    }
}

/// Until the job must be over, or the agent has emptied the temp folder, or a later step has taken the profile over.
async fn unwanted(listener: &Listener, deadline: SystemTime) {
    while listener.is_current() && SystemTime::now() < deadline {
        tokio::time::sleep(LOOK).await;
    }
}
