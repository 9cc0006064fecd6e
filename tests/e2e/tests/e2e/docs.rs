//! The YAML examples of the command pages (`docs/examples/`) run as they stand there; and what the task editor hides for a
//! command, the task ignores.

mod rules;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Once;

use causeway_harness::agent::{Action, Connection, Job, JobResult, Variable};
use causeway_harness::azure_devops::AUDIENCE;
use causeway_harness::moto::Moto;
use causeway_harness::sts::Role;
use causeway_harness::world::{Settings, World, federated_trust, key_trust, workspace};

use crate::assert_succeeds;
use rules::Task;

/// The account of the pages' examples.
const ACCOUNT: &str = "123456789012";

/// A comment on the line before a block: why it is shown and not run.
const NOT_RUN: &str = "<!-- not run: ";

/// The account, the connections and everything else that the pages' examples speak of.
fn documented() -> World {
    let settings =
        Settings { account: Some(ACCOUNT.into()), moto: Some(Moto::shared()), ..Settings::default() };
    let mut world = World::of(settings);
    world.agent.add_connection(
        Connection::new("aws-production", "Causeway", "None")
            .with_data("identitySource", "federated")
            .with_data("roleArn", &world.role_arn("deploy")),
    );
    let issuer = world.azure_devops.issuer();
    world.iam.add_provider(ACCOUNT, &issuer, &[AUDIENCE]);
    let subjects =
        [world.azure_devops.subject_of("aws-production").unwrap(), world.azure_devops.pipeline_subject()];
    let trust = federated_trust(ACCOUNT, &issuer, &subjects);
    world.iam.add_role(Role::new(ACCOUNT, "deploy", trust));
    world.iam.add_role(Role::new(ACCOUNT, "prod", key_trust(&world.role_arn("deploy"), None)));
    world.seed().put_parameter("/web/nuget-token", "SecureString", "nuget-token-of-the-example");
    world.seed().put_parameter("/web/database/host", "String", "db.example.invalid");
    world.seed().put_parameter("/web/database/password", "SecureString", "password-of-the-example");
    world.variables.push(Variable::secret("DatabasePassword", "password-that-the-example-stores"));
    world
}

/// The examples of a page that are to be run.
fn examples(command: &str) -> Vec<String> {
    let page = fs::read_to_string(workspace().join(format!("docs/commands/{command}.md"))).unwrap();
    let mut found = Vec::new();
    let (mut block, mut before) = (None::<String>, "");
    for line in page.lines() {
        match &mut block {
            Some(text) if line == "```" => {
                found.push(std::mem::take(text));
                block = None;
            }
            Some(text) => *text += &format!("{line}\n"),
            None if line == "```yaml" && !before.starts_with(NOT_RUN) => block = Some(String::new()),
            None => {}
        }
        before = line;
    }
    found
}

fn parsed(yaml: &str) -> Job {
    causeway_harness::pipeline::parse(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

fn run(command: &str) -> Vec<JobResult> {
    run_in(command, documented)
}

/// Runs every example of a page; each must succeed, and its summary must name the account.
fn run_in(command: &str, world: impl Fn() -> World) -> Vec<JobResult> {
    let examples = examples(command);
    assert!(!examples.is_empty(), "the page of {command} has no example that is run");
    let job = |yaml: &String| {
        let world = world();
        let job = world.run_job(parsed(yaml));
        assert_succeeds(&job);
        let summaries = job.steps.iter().flat_map(|step| &step.summaries);
        assert!(summaries.into_iter().any(|summary| summary.contains(ACCOUNT)), "{}", job.log());
        world.secrets().assert_none_in(&job);
        job
    };
    examples.iter().map(job).collect()
}

#[test]
fn verify() {
    let jobs = run("verify");
    assert!(jobs[0].log().contains(&format!("account {ACCOUNT}, arn:aws:sts::{ACCOUNT}:assumed-role/deploy/")));
}

#[test]
fn assume_role() {
    let jobs = run("assumeRole");
    assert!(jobs[0].log().contains("terraform would run in eu-west-1 with key ***"), "{}", jobs[0].log());
    assert!(jobs[1].first().log.contains("assumed-role/prod/"), "{}", jobs[1].log());
}

#[test]
fn get_parameters() {
    let jobs = run("getParameters");
    assert!(jobs[0].is_secret("NuGetToken"));
    assert!(jobs[0].log().contains("the token has 26 characters"), "{}", jobs[0].log());
    assert!(jobs[1].log().contains("database at db.example.invalid"), "{}", jobs[1].log());
    for (job, value) in [(&jobs[0], "nuget-token-of-the-example"), (&jobs[1], "password-of-the-example")] {
        assert!(!job.first().summaries[0].contains(value));
    }
    assert!(jobs[0].first().summaries[0].contains("| `/web/nuget-token` | `NuGetToken` |"));
}

#[test]
fn ecr_login() {
    let jobs = run("ecrLogin");
    assert!(jobs[0].log().contains(&format!("docker push {ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web:")));
}

#[test]
fn s3_upload() {
    let jobs = run("s3Upload");
    assert!(jobs[0].log().contains("uploaded 2 files, 17 bytes"), "{}", jobs[0].log());
    let summary = &jobs[0].step("site").summaries[0];
    assert!(summary.contains("`2 objects, 17 bytes, s3://example-web-releases`"), "{summary}");
}

#[test]
fn s3_download() {
    let world = || {
        let world = documented();
        // The bucket's name is the page's, and buckets of one moto are shared.
        static MADE: Once = Once::new();
        MADE.call_once(|| {
            world.seed().create_bucket("example-web-assets");
            for key in ["images/logo.svg", "images/deep/arrow.svg", "images/photo.png", "other/logo.svg"] {
                world.seed().put_object("example-web-assets", key, b"<svg/>", &[]);
            }
        });
        world
    };
    assert!(run_in("s3Download", world)[0].log().contains("downloaded 2 files"));
}

#[test]
fn get_secrets() {
    let world = || {
        let world = documented();
        static MADE: Once = Once::new();
        MADE.call_once(|| {
            world.seed().put_secret("web/database", r#"{"username":"shopkeeper","password":"pass-of-example"}"#);
            world.seed().put_secret("web/licence", "licence-of-the-example");
        });
        world
    };
    let jobs = run_in("getSecrets", world);
    assert!(jobs[0].log().contains("user 10 characters, licence 22 characters"), "{}", jobs[0].log());
    assert!(jobs[0].is_secret("DATABASE_password"));
    assert!(jobs[1].is_secret("LICENCE"));
}

#[test]
fn put_parameter() {
    run("putParameter");
    let stored = documented().seed().parameter("/web/production/password").unwrap();
    assert_eq!((stored.kind.as_str(), stored.value.as_str()), ("SecureString", "password-that-the-example-stores"));
}

#[test]
fn put_secret() {
    let jobs = run("putSecret");
    let arn = format!("stored arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:web/production/database-");
    assert!(jobs[0].log().contains(&arn), "{}", jobs[0].log());
}

#[test]
fn script() {
    let jobs = run("script");
    assert!(jobs[0].log().contains("terraform apply would run in eu-west-1"), "{}", jobs[0].log());
    assert!(jobs[1].log().contains("deploying web to eu-west-1"), "{}", jobs[1].log());
}

/// The AWS CLI is played here: what it does with the credentials is no matter of the page.
#[test]
fn aws_cli() {
    let world = || {
        let mut world = documented();
        let folder = world.agent.root().join("bin");
        fs::create_dir_all(&folder).unwrap();
        let program = "#!/bin/sh\ntest -n \"$AWS_SESSION_TOKEN\" && echo \"aws was called with: $*\"\n";
        fs::write(folder.join("aws"), program).unwrap();
        fs::set_permissions(folder.join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        world.agent.machine.push(("PATH".into(), format!("{}:{path}", folder.display())));
        world
    };
    let jobs = run_in("awsCli", world);
    assert!(jobs[0].log().contains("aws was called with: sts get-caller-identity --output text"));
}

/// Every command's examples are run by a test above.
#[test]
fn no_page_is_forgotten() {
    let tested = include_str!("docs.rs");
    for command in Task::read().commands() {
        assert!(tested.contains(&format!("(\"{command}\"")), "{command}");
    }
}

/// The agent evaluates no visible rule and hands over every input: one that the editor hides, filled in for another
/// command perhaps, must not change what this command does.
#[test]
fn what_the_editor_hides_is_ignored() {
    let task = Task::read();
    for command in task.commands() {
        for yaml in examples(command) {
            let mut job = parsed(&yaml);
            let mut filled = 0;
            for step in &mut job.steps {
                let Action::Task { inputs, .. } = &mut step.action else { continue };
                let hidden = task.hidden(inputs);
                filled += hidden.len();
                inputs.extend(hidden.into_iter().map(|name| (name, "what the editor hides".to_owned())));
            }
            assert!(filled > 0, "{command} hides nothing?");
            let job = documented().run_job(job);
            assert_succeeds(&job);
        }
    }
}

/// An input that is marked as required and shown must be what the task itself asks for when it is empty.
#[test]
fn what_the_editor_requires_is_required() {
    let task = Task::read();
    for command in task.commands() {
        let mut job = parsed(&examples(command)[0]);
        job.steps.retain(|step| matches!(step.action, Action::Task { .. }));
        let Action::Task { inputs, .. } = &job.steps[0].action else { panic!("a task") };
        for name in task.required_without_default(inputs) {
            let mut emptied = job.clone();
            let Action::Task { inputs, .. } = &mut emptied.steps[0].action else { panic!("a task") };
            inputs.retain(|(given, _)| *given != name);
            crate::assert_fails(&documented().run_job(emptied), &[&format!("input {name} is required")]);
        }
    }
}

#[test]
fn a_summary_is_not_shown_when_it_is_switched_off_or_there_is_nothing_to_say() {
    let world = World::new();
    let inputs = [("command", "verify"), ("connection", "federated")];
    let summaries = |more: &[(&str, &str)]| world.step(&[&inputs, more].concat()).first().summaries.clone();
    assert_eq!(summaries(&[]).len(), 1);
    assert_eq!(summaries(&[("summary", "false")]), Vec::<String>::new());
    assert_eq!(summaries(&[("roleArn", "nonsense")]), Vec::<String>::new());
    crate::assert_fails(&world.step(&[&inputs[..], &[("summary", "perhaps")]].concat()), &["input summary"]);
}

#[test]
fn a_summary_says_who_it_was_and_names_in_it_are_text_whatever_stands_in_them() {
    let world = World::with_aws();
    world.seed().put_parameter("/shop/one", "SecureString", "hunter2hunter2");
    let job = world.step(&[
        ("command", "getParameters"),
        ("connection", "federated"),
        ("parameterName", "/shop/one"),
        ("singleNameTransform", "custom"),
        ("customVariableName", "A|B<img src=x>`[x](javascript:1)`##vso[task.complete]"),
    ]);
    assert_succeeds(&job);
    let summary = &job.first().summaries[0];
    let arn = format!("| Caller | `arn:aws:sts::{}:assumed-role/deploy/causeway-", world.account);
    for part in [arn.as_str(), "| Role | `deploy` |", "| Valid until | `20", "| Result | `succeeded` |"] {
        assert!(summary.contains(part), "\"{part}\" is missing in:\n{summary}");
    }
    let variable = r"`A\u{7c}B\u{3c}img src=x\u{3e}\u{60}[x](javascript:1)\u{60}# #vso[task.complete]`";
    assert!(summary.contains(variable), "{summary}");
    assert!(!summary.contains("hunter2"));
}
