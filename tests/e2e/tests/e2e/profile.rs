//! `command: assumeRole`, exportAs profile.

use std::path::{Path, PathBuf};

use causeway_harness::agent::{JobResult, Step};
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds, consumers};

fn profile<'a>(connection: (&'a str, &'a str), name: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("command", "assumeRole"), connection, ("exportAs", "profile"), ("profileName", name)]
}

/// What lies in the temp folder beside the job's summaries, which the agent takes from there.
pub(crate) fn left_in(temp: &Path) -> Vec<PathBuf> {
    let below =
        |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_summary = |path: &PathBuf| {
        path.is_dir() && below(path).all(|file| file.extension().is_some_and(|end| end == "md"))
    };
    below(temp).filter(|path| !is_summary(path)).collect()
}

/// That the job has left nothing: no process, no file, no variable that leads to credentials.
#[track_caller]
pub(crate) fn assert_nothing_is_left(job: &JobResult) {
    assert_eq!(job.orphans, Vec::<String>::new(), "processes were left");
    assert_eq!(left_in(&job.temp()), Vec::<std::path::PathBuf>::new());
    for name in
        ["AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    {
        assert!(job.variable(name).unwrap_or_default().is_empty(), "{name} is {:?}", job.variable(name));
    }
}

#[test]
fn several_accounts_stand_side_by_side() {
    let world = World::new();
    let ask = |name: &str| {
        let line = consumers::python(&format!(
            "import boto3; print(\"{name}\", boto3.Session(profile_name=\"{name}\").client(\"sts\").get_caller_identity()[\"Arn\"])"
        ));
        line + "\n"
    };
    let job = world.run(vec![
        world.causeway(&profile(("connection", "federated"), "dev")).named("one"),
        world.causeway(&profile(("awsCredentials", "aws-role"), "staging")).named("two"),
        world.causeway(&profile(("awsCredentials", "aws-keys"), "prod")).named("three"),
        Step::script(&format!("{}{}{}echo \"now $AWS_PROFILE\"; cd \"$AGENT_TEMPDIRECTORY/causeway-job\"; echo modes $(stat -c %a . config credentials causeway dev.socket); cat \"$AWS_CONFIG_FILE\"", ask("dev"), ask("staging"), ask("prod")))
            .named("show"),
    ]);
    assert_succeeds(&job);
    let stdout = job.step("show").stdout();
    for words in [
        "dev arn:",
        "staging arn:",
        "prod arn:",
        ":assumed-role/deploy/",
        ":assumed-role/deploy-keys/",
        ":user/ci",
        "now prod",
    ] {
        assert!(stdout.contains(words), "{words}: {stdout}");
    }
    let temp = job.temp();
    let process = format!(
        "credential_process = {}/causeway-job/causeway credentials --profile staging\n",
        temp.display()
    );
    assert!(stdout.contains(&format!("[profile staging]\nregion = eu-west-1\n{process}")), "{stdout}");
    assert!(stdout.contains("modes 700 600 600 700 600"), "{stdout}");
    world.secrets().assert_none_in(&job);
    assert_nothing_is_left(&job);
}

#[test]
fn every_tool_takes_the_profile_and_nothing_of_the_machines() {
    let mut world = World::new();
    let folder = world.agent.root().join("home/.aws");
    std::fs::create_dir_all(&folder).unwrap();
    let foreign = "[default]\naws_access_key_id = AKIAFOREIGNFOREIGN00\naws_secret_access_key = foreign\n";
    std::fs::write(folder.join("credentials"), foreign).unwrap();
    for (name, value) in [
        ("AWS_PROFILE", "machine"),
        ("AWS_DEFAULT_PROFILE", "machine"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ] {
        world.agent.machine.push((name.into(), value.into()));
    }
    for (name, more) in [("default", &[][..]), ("prod", &[("refresh", "true")])] {
        let mut inputs = profile(("connection", "federated"), name);
        inputs.extend(more.iter().copied());
        let job = world.run(vec![world.causeway(&inputs), Step::script(&consumers::script()).named("show")]);
        assert_succeeds(&job);
        consumers::assert_all_have_role(&world, &job.step("show").stdout(), "deploy");
        assert_nothing_is_left(&job);
    }
}

#[test]
fn keys_after_a_profile_win_in_every_tool() {
    let world = World::new();
    let job = world.run(vec![
        world.causeway(&profile(("awsCredentials", "aws-role"), "dev")).named("one"),
        world.causeway(&[("command", "assumeRole"), ("connection", "federated")]).named("two"),
        Step::script(&consumers::script()).named("show"),
    ]);
    assert_succeeds(&job);
    consumers::assert_all_have_role(&world, &job.step("show").stdout(), "deploy");
    assert_nothing_is_left(&job);
}

#[test]
fn a_profile_after_keys_wins_in_every_tool() {
    let world = World::new();
    let job = world.run(vec![
        world.causeway(&[("command", "assumeRole"), ("awsCredentials", "aws-role")]).named("one"),
        world.causeway(&profile(("connection", "federated"), "dev")).named("two"),
        Step::script(&consumers::script()).named("show"),
    ]);
    assert_succeeds(&job);
    consumers::assert_all_have_role(&world, &job.step("show").stdout(), "deploy");
}

#[test]
fn a_deep_temp_folder_and_one_with_spaces_serve_as_well() {
    let mut world = World::new();
    let deep = world.agent.root().join("an agent's home, no less".replace('\'', "")).join("x".repeat(120));
    std::fs::create_dir_all(&deep).unwrap();
    world
        .variables
        .push(causeway_harness::agent::Variable::public("Agent.TempDirectory", &deep.display().to_string()));
    let job = world.run(vec![
        world.causeway(&profile(("connection", "federated"), "dev")),
        Step::script(&consumers::script()).named("show"),
    ]);
    assert_succeeds(&job);
    consumers::assert_all_have_role(&world, &job.step("show").stdout(), "deploy");
    assert_eq!(left_in(&deep), Vec::<PathBuf>::new());
}

#[test]
fn names_that_are_none_are_refused_before_any_call() {
    let world = World::new();
    for name in ["-dev", "a b", "../x", "causeway-environment"] {
        let job = world.step(&profile(("connection", "federated"), name));
        assert_fails(&job, &["profileName", name]);
    }
    assert!(world.gateway.calls().is_empty());
}

#[test]
fn a_session_that_is_not_renewed_ends_with_clear_words() {
    let world = World::new();
    world.iam.shorten_sessions(std::time::Duration::from_secs(2));
    let job = world.run(vec![
        world.causeway(&profile(("connection", "federated"), "dev")),
        Step::script("sleep 2.2; \"$AGENT_TEMPDIRECTORY/causeway-job/causeway\" credentials --profile dev || echo \"failed $?\"").named("late"),
    ]);
    assert_succeeds(&job);
    let late = job.step("late");
    assert!(late.stdout().contains("failed 1"), "{}", late.log);
    for words in ["Causeway: profile dev", "ended at 20", "refresh: true"] {
        assert!(late.stderr().contains(words), "{words}: {}", late.stderr());
    }
}
