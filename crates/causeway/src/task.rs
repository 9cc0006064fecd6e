use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use causeway_identity::Claims;
use tokio_util::sync::CancellationToken;

use crate::aws;
use crate::broker::{Keeper, keep_for};
use crate::commands::{self, Command};
use crate::diagnosis::Diagnosed;
use crate::failure;
use crate::identity::{Chosen, Log};
use crate::network::Network;
use crate::step::{SignedIn, Step};
use crate::trust;

/// How long work on files may go on after the step has ended.
const LAST_WORK: Duration = Duration::from_secs(2);

/// Runs the step and tells the agent how it ended.
///
/// A failure that the agent has been told of ends the process normally, as the agent expects; otherwise it would add an
/// error of its own.
pub(crate) fn run() -> ExitCode {
    let step = Step::from_agent();
    if let Err(error) = run_command(&step) {
        step.console().fail(&failure::describe(&error));
    }
    if step.console().is_broken() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Inputs, then plan, then network: nothing is sent before everything that can be checked has been.
fn run_command(step: &Step) -> Result<()> {
    let command = commands::plan(step)?;
    let chosen = Chosen::from_step(step)?;
    let network = Network::for_step(step.environment(), step.console(), step.traffic()?)?;
    let summary = step.inputs().flag("summary", true)?;
    let runtime = runtime(command.as_ref())?;
    let ending = runtime.block_on(async {
        let cancel = CancellationToken::new();
        let mut work = pin!(execute(step, command.as_ref(), &chosen, &network, &cancel));
        tokio::select! {
            ending = &mut work => ending,
            () = signalled() => {
                cancel.cancel();
                if command.winds_down() {
                    let _ = tokio::time::timeout(command.wind_down_time(), work).await;
                }
                Err(anyhow!("the step was cancelled"))
            }
        }
    });
    // What still reads or hashes a large file must not hold a cancelled step until the agent kills it.
    runtime.shutdown_timeout(LAST_WORK);
    if summary {
        step.summary().publish(step, command.name(), ending.is_ok());
    }
    ending
}

async fn execute(
    step: &Step,
    command: &dyn Command,
    chosen: &Chosen,
    network: &Network,
    cancel: &CancellationToken,
) -> Result<()> {
    let console = step.console();
    console.info(chosen.described());
    let signed_in = sign_in(step, command, chosen, network).await?;
    let caller = &signed_in.session.caller;
    console.info(&format!("AWS account {}, caller {}", caller.account, caller.arn));
    console.set_output("accountId", caller.account.as_str());
    console.set_output("callerArn", &caller.arn);
    step.summary().signed_in(&signed_in.session);
    let work = command.execute(step, &signed_in, cancel);
    match &signed_in.keeper {
        Some(keeper) => keep_for(keeper, step, work).await,
        None => work.await,
    }
}

/// One deadline for the token, every role, and all their retries.
async fn sign_in(step: &Step, command: &dyn Command, chosen: &Chosen, network: &Network) -> Result<SignedIn> {
    let deadline = aws::identity_deadline(step.variables())?;
    let work = resolve(step, command, chosen, network, deadline);
    tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| Err(out_of_time(deadline, network)))
}

async fn resolve(
    step: &Step,
    command: &dyn Command,
    chosen: &Chosen,
    network: &Network,
    deadline: Duration,
) -> Result<SignedIn> {
    let log = Log::new(step.console(), command.tells_claims());
    let tokens = chosen.token_source(network, deadline);
    let mut told = None;
    if command.tells_claims() && !chosen.is_federated() {
        // The claims are only told here: most of the time is kept for what the step needs.
        let telling = tokio::time::timeout(deadline / 3, log.tell_claims_of(tokens.as_ref()));
        match telling.await {
            Ok(claims) => told = claims,
            Err(_) => step.console().info("This job got no OIDC token in time."),
        }
    }
    let plan = chosen.plan(network).await?;
    chosen.warn_late(step.console(), &plan);
    let first = plan.roles().first();
    let hear = |claims: &Claims| first.into_iter().for_each(|role| command.token_known(step, claims, role));
    let log = log.with(&hear);
    let base = aws::base_config(plan.region(), network, command.name()).await?;
    let tokens = tokens.as_ref().ok().map(|tokens| tokens as &dyn causeway_identity::TokenSource);
    let resolved = plan.resolve(&aws::for_identity(&base, deadline), tokens, &log).await;
    let session = resolved.map_err(|error| Diagnosed::new(error, command.verdict()))?;
    if let Some(claims) = told {
        command.token_known(step, &claims, &trust::role_to_trust(&plan, &session)?);
    }
    chosen.check_account(&session)?;
    let registries = network.patient_connector();
    // A key without a session token is one for ever.
    let ends = session.key.session_token.is_some();
    let keeper = (command.outlives_sessions() && ends).then(|| Arc::new(Keeper::new(session.clone(), true)));
    let config = match &keeper {
        Some(keeper) => aws::signed_by(&base, keeper),
        None => aws::signed_with(&base, &session),
    };
    Ok(SignedIn {
        config,
        keeper,
        region: plan.region().clone(),
        session,
        registries,
        objects: network.object_route(),
    })
}

fn out_of_time(deadline: Duration, network: &Network) -> anyhow::Error {
    let fault = network.last_fault().map(|fault| format!(": {fault}")).unwrap_or_default();
    anyhow!(
        "no AWS identity within {} seconds, the deadline for the token and all roles with their retries{fault}. \
         Check the agent's network and proxy; variable {} sets another deadline",
        deadline.as_secs(),
        aws::DEADLINE_VARIABLE
    )
}

/// One thread is enough for a few calls one after the other; transfers ask for more.
fn runtime(command: &dyn Command) -> Result<tokio::runtime::Runtime> {
    let mut builder = match command.threads() {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    Ok(builder.enable_all().build()?)
}

/// Waits until the agent cancels the step. Where signals cannot be listened to, that is never noticed, and the agent
/// ends the process by force.
pub(crate) async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
            }
        }
    }
    #[cfg(windows)]
    {
        use tokio::signal::windows::{ctrl_break, ctrl_c};
        if let (Ok(mut interrupt), Ok(mut end)) = (ctrl_c(), ctrl_break()) {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = end.recv() => {}
            }
            // The agent sends a break some seconds after the first signal. Windows would end the process at it, in the
            // middle of winding down, if nobody listened any more.
            tokio::spawn(async move { while end.recv().await.is_some() {} });
            return;
        }
    }
    std::future::pending().await
}
