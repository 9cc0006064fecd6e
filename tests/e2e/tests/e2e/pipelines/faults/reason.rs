//! Whether a failed step says why: in the product's own words, of what, and with a cause that fits what happened.

use causeway_harness::agent::{Outcome, StepResult};

use super::kind::Kind;
use crate::company::{AZURE, STS};

/// What no reader should meet: a crash, a shrug, or a value printed for programmers.
const NEVER: [&str; 16] = [
    "panicked",
    "crashed",
    "backtrace",
    "unknown",
    "an error occurred",
    "something went wrong",
    "os {",
    "custom {",
    "kind: ",
    "error {",
    "some(",
    "err(",
    "dispatch failure",
    "unhandled",
    "interceptor",
    "error parsing",
];

/// Causes that none of the faults has: whoever reads one of them looks in the wrong place.
const FOREIGN: [&str; 11] = [
    "access denied",
    "accessdenied",
    "not authorized",
    "forbidden",
    "needs the right",
    "invalidclienttokenid",
    "signaturedoesnotmatch",
    "the certificate of",
    "does not accept the",
    "does not trust",
    "does not exist",
];

/// What a command calls the thing that failed, beside the values of its own inputs, hosts and files.
const SUBJECTS: [(&str, &[&str]); 9] = [
    ("", &["role arn:", "OIDC token", "access key …", "AWS identity", "Causeway binary"]),
    ("ecrLogin", &["GetAuthorizationToken"]),
    ("ecrPush", &["GetAuthorizationToken", "docker push", "sha256:", "repository"]),
    ("s3Upload", &["bucket", "objects", "files"]),
    ("s3Download", &["bucket", "objects", "files"]),
    ("script", &["the script"]),
    ("awsCli", &["aws "]),
    ("getParameters", &["parameter"]),
    ("getSecrets", &["secret"]),
];

/// Hosts, and the files of the machine.
const PLACES: [&str; 6] = ["127.0.0.1", ".invalid", ".amazonaws.com", AZURE, STS, "/_work/"];

/// Inputs whose values say nothing of what failed.
const NOT_SUBJECTS: [&str; 4] = ["command", "connection", "awsCredentials", "regionName"];

/// Commands whose program speaks for itself: the error names it and its exit code, the cause stands in the log above.
const PROGRAMS: [&str; 2] = ["script", "awsCli"];

/// What the agent says of a step that takes too long.
const TOO_LONG: &str = "The task has timed out.";

/// What is wrong with how a failed step of the task tells it.
pub(super) fn judge(step: &StepResult, met: &[Kind]) -> Result<(), String> {
    if step.outcome != Outcome::Failed || !step.is_task {
        return Ok(());
    }
    let errors = own(step);
    // Who is killed, or terminated before he could hear it, says nothing: the agent does.
    let silenced = step.struck && step.signal.is_some() && !step.errors().is_empty();
    if errors.is_empty() && !silenced {
        return Err(format!("no error of the task's own, only {:?}", step.errors()));
    }
    errors
        .into_iter()
        .try_for_each(|error| tells(error, step, met).map_err(|wrong| format!("{wrong}: {error}")))
}

/// The product's own errors: `task.logissue`, or a message with `task.complete`.
fn own(step: &StepResult) -> Vec<&str> {
    let commands = step.commands.iter().filter(|command| {
        (command.is("task", "logissue") && command.property("type") == Some("error"))
            || (command.is("task", "complete") && command.property("result") == Some("Failed"))
    });
    commands.map(|command| command.data.as_str()).filter(|said| !said.is_empty()).collect()
}

fn tells(error: &str, step: &StepResult, met: &[Kind]) -> Result<(), String> {
    let said = error.to_lowercase();
    if let Some(word) = NEVER.iter().find(|word| said.contains(**word)) {
        return Err(format!("no reader should see \"{word}\""));
    }
    if let Some(word) = FOREIGN.iter().find(|word| said.contains(**word)) {
        return Err(format!("\"{word}\" is none of the faults {met:?}"));
    }
    let other = Kind::ALL.into_iter().filter(|kind| !met.contains(kind));
    if let Some(kind) = other.into_iter().find(|kind| kind.marks().iter().any(|mark| said.contains(mark))) {
        return Err(format!("it speaks of \"{kind}\", which did not happen, but {met:?}"));
    }
    let is_cancelled = said.contains("cancelled");
    // Another program waits for what never comes for as long as the step may take.
    if is_cancelled && met.contains(&Kind::Silence) && step.errors().contains(&TOO_LONG) {
        return Ok(());
    }
    let is_struck = is_cancelled && step.struck;
    if !is_struck && !names(error, step) {
        return Err("it does not name what failed".to_owned());
    }
    let log = step.log.to_lowercase();
    let fits = |kind: &Kind| {
        let told = if PROGRAMS.contains(&command(step)) && said.contains("exit code") { &log } else { &said };
        kind.causes().iter().any(|cause| told.contains(cause))
    };
    if met.iter().any(fits) { Ok(()) } else { Err(format!("no cause of it fits {met:?}")) }
}

fn names(error: &str, step: &StepResult) -> bool {
    let given = step.inputs.iter().filter(|(name, _)| !NOT_SUBJECTS.contains(&name.as_str()));
    let mut values = given.flat_map(|(_, value)| value.lines()).filter(|value| value.len() > 3);
    let subjects = SUBJECTS.iter().filter(|(of, _)| of.is_empty() || *of == command(step));
    values.any(|value| error.contains(value.trim_matches('/')))
        || subjects.flat_map(|(_, subjects)| *subjects).chain(&PLACES).any(|subject| error.contains(subject))
}

fn command(step: &StepResult) -> &str {
    step.inputs.iter().find(|(name, _)| name == "command").map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A failed `getParameters` that says this under these faults.
    fn said(error: &str, met: &[Kind]) -> Result<(), String> {
        use causeway_harness::agent::Step;
        let world = causeway_harness::world::World::new();
        let mut job = world.run(vec![Step::script("true")]);
        let step = &mut job.steps[0];
        step.inputs =
            vec![("command".into(), "getParameters".into()), ("parameterName".into(), "/shop/a".into())];
        tells(error, step, met)
    }

    #[test]
    fn the_judge_wants_subject_and_fitting_cause() {
        for (error, met, good) in [
            ("\"/shop/a\" could not be read: GetParameter: connection closed", Kind::Reset, true),
            ("\"/shop/a\" could not be read: AccessDenied, not authorized", Kind::Reset, false),
            ("\"/shop/a\" could not be read: connection closed", Kind::DiskFull, false),
            ("it could not be read: connection closed", Kind::Reset, false),
            ("\"/shop/a\" could not be read: an unknown error, connection closed", Kind::Reset, false),
            (
                "/shop/a: Os { code: 28, kind: StorageFull, message: \"No space left on device\" }",
                Kind::DiskFull,
                false,
            ),
            (
                "/tmp/x/_work/a could not be written: No space left on device (os error 28)",
                Kind::DiskFull,
                true,
            ),
            (
                "/tmp/x/_work/a could not be written: No space left on device (os error 28)",
                Kind::Reset,
                false,
            ),
            ("\"/shop/a\" could not be read", Kind::Reset, false),
        ] {
            assert_eq!(said(error, &[met]).is_ok(), good, "{error}: {:?}", said(error, &[met]));
        }
    }
}
