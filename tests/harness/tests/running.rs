//! The agent: environment in, commands out, masks, conditions, post-job.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

mod support;

use std::time::Duration;

use causeway_harness::agent::{Cancel, Condition, Outcome, Step, Variable};

fn eval(code: &str) -> Step {
    Step::task("Causeway@1", &[("text", code)])
}

#[test]
fn a_task_gets_its_inputs_connections_and_variables() {
    let (mut world, _task) = support::world();
    world.variables.push(Variable::public("My.public name", "open"));
    world.variables.push(Variable::secret("My.secret", "closed!!"));
    let code = "console.log(Object.keys(process.env).sort().map(k => k + '=' + process.env[k].replace(/\\n/g, ' ')).join('\\n'))";
    let inputs = [("text", code), ("awsCredentials", "AWS-role"), ("sourceFolder", "web/../dist")];
    let job = world.run(vec![Step::task("Causeway@1", &inputs)]);
    let out = job.first().stdout();
    let id = world.azure_devops.find_connection("aws-role").unwrap().id;
    let sources = job.sources().display().to_string();
    let key = &world.user_key;
    for expected in [
        "INPUT_COMMAND=\n".to_owned(),
        "INPUT_RECURSIVE=false\n".to_owned(),
        format!("INPUT_AWSCREDENTIALS={id}\n"),
        format!("INPUT_SOURCEFOLDER={sources}/dist\n"),
        format!("ENDPOINT_AUTH_SCHEME_{id}=UsernamePassword\n"),
        format!("ENDPOINT_AUTH_PARAMETER_{id}_ASSUMEROLEARN={}\n", world.role_arn("deploy-keys")),
        format!("ENDPOINT_AUTH_PARAMETER_{id}_PASSWORD={}\n", key.secret),
        format!("ENDPOINT_AUTH_{id}={{\"parameters\":{{\"username\":\"{}\"", key.id),
        format!("ENDPOINT_DATA_{id}={{}}\n"),
        "ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN=".to_owned(),
        "MY_PUBLIC_NAME=open\n".to_owned(),
        "SECRET_MY_SECRET=closed!!\n".to_owned(),
        "SECRET_SYSTEM_ACCESSTOKEN=".to_owned(),
        "VSTS_SECRET_VARIABLES=[\"My.secret\",\"System.AccessToken\"]\n".to_owned(),
        "SYSTEM_HOSTTYPE=build\n".to_owned(),
        "agent.jobstatus=Succeeded\n".to_owned(),
        format!("AWS_ENDPOINT_URL={}\n", world.gateway.url()),
    ] {
        let found = out.contains(&expected)
            || out.to_lowercase().contains(&expected.to_lowercase()) && expected.starts_with("agent.");
        assert!(found, "{expected} is missing in\n{out}");
    }
    assert!(!out.contains("federated"), "a connection that the step does not reference was handed over");
    assert!(!job.log().contains("closed!!") && !job.log().contains(&key.secret));
}

#[test]
fn an_empty_path_input_is_the_sources_folder() {
    let (world, _task) = support::world();
    let job = world.run(vec![eval("console.log(process.env.INPUT_SOURCEFOLDER)")]);
    assert_eq!(job.first().stdout().trim_end().trim_end_matches('/'), job.sources().to_str().unwrap());
}

#[test]
fn variables_reach_later_steps_and_secret_ones_only_through_env() {
    let (world, _task) = support::world();
    let job = world.job(
        r#"
variables:
  who: world
  greeting: hello $(who)
steps:
- task: Causeway@1
  name: first
  inputs:
    words: |
      console.log('##vso[task.setvariable variable=Public]$(greeting)')
      console.log('##vso[task.setvariable variable=Token;issecret=true]s3cr3t%3Bx')
      console.error('and ##vso[task.setvariable variable=Result;isoutput=true]4%AZP252')
      console.log('##vso[task.setvariable variable=declared]only as output')
- script: |
    echo "public=$PUBLIC token=[$TOKEN] mapped=[$MAPPED]"
    echo "output=$FIRST_RESULT $(first.Result) declared=$DECLARED/$FIRST_DECLARED"
    echo 'unknown=$(Unknown)'
  displayName: look
  env:
    MAPPED: $(Token)
"#,
    );
    assert_eq!(job.outcome, Outcome::Succeeded, "{}", job.log());
    let out = job.step("look").stdout();
    assert!(out.contains("public=hello world token=[] mapped=[s3cr3t;x]"), "{out}");
    assert!(out.contains("unknown=$(Unknown)\n"), "{out}");
    assert!(out.contains("output=4%2 4%2 declared=/only as output"), "{out}");
    assert!(job.is_secret("token") && !job.is_secret("public"));
    assert!(job.log().contains("mapped=[***]"), "{}", job.log());
}

#[test]
fn a_secret_of_several_lines_is_refused() {
    let (world, _task) = support::world();
    let job =
        world.run(vec![eval("console.log('##vso[task.setvariable variable=Key;issecret=true]one%0Atwo')")]);
    assert_eq!(job.outcome, Outcome::Failed);
    assert!(job.first().errors().contains(&"Secrets cannot contain multiple lines"));
    assert_eq!(job.variable("Key"), None);
}

#[test]
fn post_job_runs_last_in_reverse_and_always_with_its_own_task_variables() {
    let (world, _task) = support::world();
    let set = |state: &str| {
        format!("console.log('##vso[task.settaskvariable variable=STATE;issecret=true]{state}')")
    };
    let job = world.run(vec![
        eval(&set("state-of-one")).named("one"),
        eval("console.log('##vso[task.complete result=Failed;]no')").named("two"),
        eval(&set("never")).named("three"),
        Step::script("echo after all").named("four").when(Condition::Always),
    ]);
    let names: Vec<&str> = job.steps.iter().map(|step| step.display_name.as_str()).collect();
    assert_eq!(names, ["one", "two", "three", "four", "Post-job: three", "Post-job: two", "Post-job: one"]);
    assert_eq!(job.outcome, Outcome::Failed);
    assert_eq!(job.step("three").outcome, Outcome::Skipped);
    assert_eq!(job.step("four").outcome, Outcome::Succeeded);
    assert_eq!(job.step("post:three").stdout(), "cleaning up nothing\n");
    assert_eq!(job.step("post:one").stdout(), "cleaning up state-of-one\n");
    assert_eq!(job.step("post:one").log, "cleaning up ***\n");
}

#[test]
fn outcomes_follow_exit_codes_and_commands() {
    let (world, _task) = support::world();
    for (code, outcome) in [
        ("", Outcome::Succeeded),
        ("process.exitCode = 3", Outcome::Failed),
        ("console.log('##vso[task.complete result=SucceededWithIssues]')", Outcome::SucceededWithIssues),
        (
            "console.log('##vso[task.complete result=Failed]'); console.log('##vso[task.complete result=Succeeded]')",
            Outcome::Failed,
        ),
        ("console.log('##vso[task.complete result=failed]')", Outcome::Failed),
        ("console.log('##vso[task.nosuch]')", Outcome::Failed),
        ("console.log('##vso[task.logissue type=error]only said')", Outcome::Succeeded),
    ] {
        let job = world.run(vec![eval(code)]);
        assert_eq!(job.first().outcome, outcome, "{code}\n{}", job.log());
    }
}

#[test]
fn folders_can_be_put_before_the_path() {
    let (world, _task) = support::world();
    let job = world.run(vec![
        Step::script("mkdir -p bin && printf '#!/bin/sh\\necho mine' > bin/hello && chmod +x bin/hello"),
        Step::script("echo \"##vso[task.prependpath]$PWD/bin\""),
        Step::script("hello").named("last"),
    ]);
    assert_eq!(job.step("last").stdout(), "mine\n");
}

#[test]
fn a_cancelled_step_gets_sigint_and_the_job_goes_on_to_post_job() {
    let (world, _task) = support::world();
    let wait = "process.on('SIGINT', () => { console.log('tidying'); process.exit(0) }); console.log('ready'); setTimeout(() => {}, 60000)";
    let job = world.run(vec![
        eval(wait).named("one").cancelled(Cancel::At("ready".into())),
        Step::script("echo no").named("two"),
    ]);
    assert_eq!(job.outcome, Outcome::Canceled);
    assert_eq!(job.step("one").stdout(), "ready\ntidying\n");
    assert_eq!(job.step("two").outcome, Outcome::Skipped);
    assert_eq!(job.step("post:one").outcome, Outcome::Succeeded);
}

#[test]
fn processes_left_behind_are_ended_with_the_job() {
    let (world, _task) = support::world();
    let job = world.run(vec![Step::script("sleep 300 >/dev/null 2>&1 &")]);
    assert_eq!(job.orphans, ["sleep 300"]);
}

#[test]
fn the_machines_own_aws_variables_do_not_reach_a_step() {
    let (world, _task) = support::world();
    let job = world.run(vec![Step::script("env | grep -i ^aws | sort")]);
    assert_eq!(job.first().stdout(), format!("AWS_ENDPOINT_URL={}\n", world.gateway.url()));
}

#[test]
fn usage_and_command_lines_are_measured() {
    let (world, _task) = support::world();
    let code = "require('child_process').execFileSync('sleep', ['0.15']); let x = 0; for (let i = 0; i < 3e7; i++) x += i";
    let job = world.run(vec![eval(code)]);
    let step = job.first();
    assert!(step.usage.wall >= Duration::from_millis(150) && step.usage.cpu > Duration::from_millis(20));
    assert!(step.usage.peak_memory > 20 << 20, "{:?}", step.usage);
    assert!(
        step.command_lines.contains(&vec!["sleep".to_owned(), "0.15".to_owned()]),
        "{:?}",
        step.command_lines
    );
}
