//! The built task under node, as the agent runs it, in a world of its own a test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]
#![allow(clippy::print_stderr, reason = "what could not be tested here is said")]
#![allow(clippy::type_complexity, reason = "tables of cases")]

mod agent_identity;
mod cdk;
mod chains;
mod company;
mod consumers;
mod docs;
mod ecr_engine;
mod ecr_login;
mod ecr_pull;
mod ecr_push;
mod export;
mod faults;
mod identity;
mod incumbent;
mod network;
mod parameter_lists;
mod parameters;
mod pipelines;
mod profile;
mod put_parameter;
mod refresh;
mod refusals;
mod s3_interrupted;
mod s3_renewal;
mod script;
mod secrecy;
mod secrets;
mod setup;
mod summary;
mod terraform;
mod token;
mod traffic;
mod trust;
mod upload;
mod values;
mod verify;

use causeway_harness::agent::{JobResult, Outcome};

/// The message of a step that must have failed with exactly one error.
#[track_caller]
fn failure(job: &JobResult) -> String {
    let step = job.first();
    assert_eq!(step.outcome, Outcome::Failed, "{}", step.log);
    assert_eq!(step.errors().len(), 1, "one error, no more: {}", step.log);
    assert_eq!(step.exit_code, Some(0), "the agent would add an error of its own");
    step.errors()[0].to_owned()
}

/// That a step failed with all of these words, before or after asking AWS.
#[track_caller]
fn assert_fails(job: &JobResult, words: &[&str]) {
    let message = failure(job);
    for word in words {
        assert!(message.contains(word), "\"{word}\" is missing in: {message}");
    }
}

/// That every step succeeded.
#[track_caller]
fn assert_succeeds(job: &JobResult) {
    assert_eq!(job.outcome, Outcome::Succeeded, "{}", job.log());
}
