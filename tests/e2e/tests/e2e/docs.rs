//! The YAML examples of the command pages (`docs/examples/`) run as they stand there; and what the task editor hides for a
//! command, the task ignores.

mod page;
mod rules;

use causeway_harness::agent::{Action, Job, JobResult, Outcome, Step};

use crate::assert_succeeds;
use page::{ACCOUNT, Documented, examples};
use rules::{Given, Task};

/// Runs every example of a page; each must succeed, and its summary must name the account.
fn run(command: &str) -> Vec<JobResult> {
    let run = |example| {
        let job = Documented::of(command).run(example);
        assert_succeeds(&job);
        let mut summaries = job.steps.iter().flat_map(|step| &step.summaries);
        assert!(summaries.any(|summary| summary.contains(ACCOUNT)), "{}", job.log());
        job
    };
    examples(command).into_iter().map(run).collect()
}

/// That a job's log has this in it.
#[track_caller]
fn assert_says(job: &JobResult, words: &str) {
    assert!(job.log().contains(words), "\"{words}\" is missing in:\n{}", job.log());
}

#[test]
fn verify() {
    let jobs = run("verify");
    assert_says(&jobs[0], &format!("account {ACCOUNT}, arn:aws:sts::{ACCOUNT}:assumed-role/deploy/"));
}

#[test]
fn assume_role() {
    let jobs = run("assumeRole");
    assert_says(&jobs[0], "terraform would run in eu-west-1 with key ***");
    assert_says(&jobs[1], "assumed-role/prod/");
    assert_says(&jobs[2], "profile production");
}

#[test]
fn script() {
    let jobs = run("script");
    assert_says(&jobs[0], "terraform apply would run in eu-west-1");
    assert_says(&jobs[1], "deploying web to eu-west-1");
}

#[test]
fn aws_cli() {
    assert_says(&run("awsCli")[0], "aws was called with: sts get-caller-identity --output text");
}

#[test]
fn get_parameters() {
    let jobs = run("getParameters");
    assert!(jobs[0].is_secret("NuGetToken"));
    assert_says(&jobs[0], "the token has 26 characters");
    assert_says(&jobs[1], "database at db.example.invalid");
    assert_says(&jobs[2], "database at db.example.invalid");
    for (job, value) in [(&jobs[0], "nuget-token-of-the-example"), (&jobs[1], "password-of-the-example")] {
        assert!(!job.first().summaries[0].contains(value));
    }
    assert!(jobs[0].first().summaries[0].contains("| `/web/nuget-token` | `NuGetToken` |"));
}

#[test]
fn put_parameter() {
    // Worlds share an AWS for as long as one of them lives.
    let documented = Documented::of("putParameter");
    run("putParameter");
    let stored = documented.world.seed().parameter("/web/production/password").unwrap();
    let (kind, value) = ("SecureString", "password-that-the-example-stores");
    assert_eq!((stored.kind.as_str(), stored.value.as_str()), (kind, value));
}

#[test]
fn get_secrets() {
    let jobs = run("getSecrets");
    assert_says(&jobs[0], "user 10 characters, licence 22 characters");
    assert!(jobs[0].is_secret("DATABASE_password"));
    assert!(jobs[1].is_secret("LICENCE"));
}

#[test]
fn put_secret() {
    let arn = format!("stored arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:web/production/database-");
    assert_says(&run("putSecret")[0], &arn);
}

#[test]
fn ecr_login() {
    assert_says(&run("ecrLogin")[0], &format!("docker push {ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web:"));
}

#[test]
fn ecr_push() {
    let jobs = run("ecrPush");
    let image = format!("{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.0");
    assert_says(&jobs[0], &format!("{image} is sha256:"));
    let summary = &jobs[0].step("web").summaries[0];
    assert!(summary.contains(&format!("| `{image}` | `sha256:")), "{summary}");
}

#[test]
fn ecr_pull() {
    assert_says(&run("ecrPull")[0], "pulled sha256:");
}

#[test]
fn ecr_retag() {
    assert_says(&run("ecrRetag")[0], "/web:production is sha256:");
}

#[test]
fn s3_upload() {
    let jobs = run("s3Upload");
    assert_says(&jobs[0], "uploaded 2 files, 17 bytes");
    let summary = &jobs[0].step("site").summaries[0];
    assert!(summary.contains("`2 objects, 17 bytes, s3://example-web-releases`"), "{summary}");
}

#[test]
fn s3_download() {
    assert_says(&run("s3Download")[0], "downloaded 2 files");
}

#[test]
fn no_page_is_forgotten() {
    let tests = include_str!("docs.rs");
    for command in Task::read().commands() {
        assert!(tests.contains(&format!("run(\"{command}\")")), "no test runs the examples of {command}");
    }
}

/// The agent evaluates no visible rule and hands over every input: one that the editor hides, filled in for another
/// command perhaps, must not change what this command does.
#[test]
fn what_the_editor_hides_is_ignored() {
    let task = Task::read();
    let mut problems = Vec::new();
    for command in task.commands() {
        for mut job in examples(command) {
            for step in &mut job.steps {
                let Action::Task { inputs, .. } = &mut step.action else { continue };
                let hidden = task.hidden(inputs);
                assert!(!hidden.is_empty(), "{command} hides nothing?");
                inputs.extend(hidden.into_iter().map(|name| (name, JUNK.to_owned())));
            }
            let job = Documented::of(command).run(job);
            if job.outcome != Outcome::Succeeded {
                let errors = job.steps.iter().flat_map(|step| step.errors());
                problems.push(format!("{command}: {}", errors.collect::<Vec<_>>().join("; ")));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What would be read of a step that the editor made, filled in for another form.
const JUNK: &str = "what the editor hides";

/// The same in every form that the editor can have, not only in those of the examples. The steps name what does not exist, so
/// they end soon after everything was read.
#[test]
fn what_the_editor_hides_is_ignored_in_every_form() {
    let task = Task::read();
    let mut problems = Vec::new();
    for command in task.commands() {
        let documented = Documented::of(command);
        for form in task.forms(command).into_iter().filter(|form| !is_of_the_other(command, form)) {
            let mut given = filled(&task, form.clone(), None);
            let hidden = task.hidden(&given);
            given.extend(hidden.iter().map(|name| (name.clone(), JUNK.to_owned())));
            let job = documented.run(one_step(&given));
            let about_hidden = |error: &str| {
                error.contains(JUNK)
                    || error.contains("is required")
                    || hidden.iter().any(|name| error.contains(&format!("input {name} ")))
            };
            let errors = job.steps[0].errors();
            let wrong = errors.iter().filter(|error| about_hidden(error));
            problems.extend(wrong.map(|error| format!("{form:?}: {error}")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// `imageSource` has the values of two commands in one list.
fn is_of_the_other(command: &str, form: &Given) -> bool {
    let others: &[&str] = match command {
        "ecrPush" => &["imagetag", "imagedigest"],
        "ecrPull" => &["imageid", "archive", "ociLayout"],
        _ => &[],
    };
    form.iter().any(|(name, value)| name == "imageSource" && others.contains(&value.as_str()))
}

/// `tests/demanded.json` says what the editor must show: the task itself asks for each of it.
#[test]
fn what_is_said_to_be_demanded_is() {
    let task = Task::read();
    let mut worlds = std::collections::HashMap::new();
    for (form, demands) in Task::demands() {
        let command = command_of(&form);
        let documented = worlds.entry(command.to_owned()).or_insert_with(|| Documented::of(command));
        for demand in demands {
            let job = documented.run(one_step(&filled(&task, form.clone(), Some(&demand))));
            let errors = job.steps[0].errors().join("; ");
            let named = demand.iter().any(|name| errors.contains(&format!("input {name}")));
            // The agent makes the sources' folder of an empty path.
            let asked = errors.contains("is required") || errors.contains("give the file");
            assert!(named && asked, "{form:?} without {demand:?}: {errors}");
        }
    }
}

fn command_of(form: &Given) -> &str {
    &form.iter().find(|(name, _)| name == "command").unwrap().1
}

/// A form with all that is demanded in it but for `without`.
fn filled(task: &Task, mut form: Given, without: Option<&[String]>) -> Given {
    for demand in task.demanded(&form) {
        if Some(demand.as_slice()) != without {
            form.push((demand[0].clone(), filler(&demand[0]).to_owned()));
        }
    }
    form
}

/// Something that is right and names nothing that exists.
fn filler(input: &str) -> &'static str {
    match input {
        "filePath" => "forms/none.sh",
        "inlineScript" => "true",
        "awsCommand" => "sts",
        "customVariableName" => "FormsVariable",
        "replacementPattern" => "^/forms/",
        "parameterName" | "parameterPath" => "/forms/none",
        "parameterValue" | "secretValue" => "value-of-a-form",
        "secretIdOrName" | "secretNameOrId" | "repositoryName" | "repository" => "forms/none",
        "sourceImageName" => "forms",
        "sourceImageId" => "0f1a2b3c4d5e",
        "archivePath" => "forms/none.tar",
        "imageDigest" => "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "sourceTag" | "pushTags" => "1.0",
        "bucketName" => "forms-none",
        "customerKey" => "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        _ => panic!("tests/demanded.json has {input}, and this does not"),
    }
}

fn one_step(given: &Given) -> Job {
    let mut inputs: Vec<(&str, &str)> =
        given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    inputs.extend([("connection", "aws-production"), ("regionName", "eu-west-1")]);
    Job { steps: vec![Step::task("Causeway@1", &inputs).named("step")], ..Job::default() }
}

/// An input that is marked as required and shown must be what the task itself asks for when it is empty.
#[test]
fn what_the_editor_requires_is_required() {
    let task = Task::read();
    for command in task.commands() {
        let mut job = examples(command).remove(0);
        job.steps.retain(|step| matches!(step.action, Action::Task { .. }));
        let Action::Task { inputs, .. } = &job.steps[0].action else { panic!("a task") };
        for name in task.required_without_default(inputs) {
            let mut emptied = job.clone();
            let Action::Task { inputs, .. } = &mut emptied.steps[0].action else { panic!("a task") };
            inputs.retain(|(given, _)| *given != name);
            let job = Documented::of(command).run(emptied);
            crate::assert_fails(&job, &[&format!("input {name} is required")]);
        }
    }
}
