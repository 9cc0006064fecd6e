//! `command: script` and `command: awsCli`.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use causeway_harness::agent::{Cancel, Outcome, Step, Variable};
use causeway_harness::world::{World, binary};

use crate::profile::left_in;
use crate::{assert_fails, assert_succeeds, consumers};

fn inline<'a>(script: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let base = [
        ("command", "script"),
        ("connection", "federated"),
        ("scriptType", "inline"),
        ("inlineScript", script),
    ];
    base.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn an_inline_script_has_the_credentials_and_nothing_else_of_the_task() {
    let mut world = World::new();
    for (name, value) in [
        ("AWS_PROFILE", "machine"),
        ("AWS_SECURITY_TOKEN", "stale"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
        ("AWS_CA_BUNDLE", ""),
    ] {
        world.agent.machine.push((name.into(), value.into()));
    }
    world.variables.push(Variable::secret("nuget.token", "a-secret-of-the-pipeline"));
    world.variables.push(Variable::public("stage", "prod"));
    let job = world.run(vec![
        world.causeway(&[("command", "assumeRole"), ("awsCredentials", "aws-role")]),
        world
            .causeway(&inline(
                "env | sort; stat -c 'mode %a' \"$0\"; echo \"key $AWS_SECRET_ACCESS_KEY\"",
                &[],
            ))
            .named("show"),
    ]);
    assert_succeeds(&job);
    let step = job.step("show");
    let stdout = step.stdout();
    let session = world.iam.sessions().pop().unwrap();
    assert!(stdout.contains(&format!("AWS_ACCESS_KEY_ID={}\n", session.key.id)), "{}", step.log);
    assert!(stdout.contains("AWS_REGION=eu-west-1\n") && stdout.contains("STAGE=prod\n"), "{}", step.log);
    assert!(stdout.contains("mode 600\n"), "{}", step.log);
    assert!(step.log.contains("key ***"), "{}", step.log);
    let gone = [
        "ENDPOINT_",
        "INPUT_",
        "SECRET_",
        "VSTS_TASKVARIABLE_",
        "AWS_PROFILE=",
        "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER",
        "AWS_WEB",
    ];
    for line in stdout.lines() {
        assert!(!gone.iter().any(|start| line.starts_with(start)), "{line}");
    }
    assert!(!stdout.contains("a-secret-of-the-pipeline") && !stdout.contains("stale"));
    assert_eq!(left_in(&job.temp()), Vec::<PathBuf>::new());
    for token in world.azure_devops.job_tokens() {
        assert!(!stdout.contains(&token), "the job's token");
    }
}

#[test]
fn its_ending_is_the_steps_ending() {
    let world = World::new();
    assert_fails(&world.step(&inline("exit 7", &[])), &["the script", "exit code 7"]);
    assert_fails(&world.step(&inline("kill -9 $$", &[])), &["signal 9"]);
    assert_succeeds(&world.step(&inline("echo careful >&2", &[])));
    let job = world.step(&inline("echo careful >&2; echo fine", &[("failOnStandardError", "true")]));
    assert_fails(&job, &["standard error", "failOnStandardError"]);
    assert_eq!(job.first().stderr(), "careful\n");
}

#[test]
fn its_own_logging_commands_work() {
    let world = World::new();
    let job = world.step(&inline("echo '##vso[task.setvariable variable=made]by script'", &[]));
    assert_succeeds(&job);
    assert_eq!(job.variable("made"), Some("by script"));
}

#[test]
fn a_file_runs_in_its_folder_unless_told_otherwise() {
    let world = World::new();
    let sources = world.agent.sources();
    let folder = sources.join("deploy scripts");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::create_dir_all(sources.join("other")).unwrap();
    std::fs::write(folder.join("run.sh"), "pwd; printf '<%s>' \"$@\"; echo").unwrap();
    let run = |more: &[(&str, &str)]| {
        let inputs =
            [("command", "script"), ("connection", "federated"), ("filePath", "deploy scripts/run.sh")];
        let job = world.step(&inputs.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>());
        assert_succeeds(&job);
        job.first().stdout()
    };
    let at = |folder: &Path| format!("\n{}\n", folder.display());
    assert!(run(&[]).contains(&at(&folder)));
    assert!(run(&[("disableAutoCwd", "true")]).contains(&at(&sources)));
    for disabled in ["true", "false"] {
        let inputs = [("workingDirectory", "other"), ("disableAutoCwd", disabled)];
        assert!(run(&inputs).contains(&at(&sources.join("other"))), "disableAutoCwd {disabled}");
    }
    let out = run(&[("arguments", r#"one 'two words' "three $HOME" `id` fo\ ur ''"#)]);
    assert!(out.contains("<one><two words><three $HOME><`id`><fo ur><>"), "nothing is carried out: {out}");
}

#[test]
fn what_cannot_run_is_refused_before_any_call() {
    let mut world = World::new();
    let base = [("command", "script"), ("connection", "federated")];
    let with = |more: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> {
        base.into_iter().chain(more.iter().copied()).collect()
    };
    for (more, words) in [
        (&[][..], ["filePath", "folder"]),
        (&[("filePath", "nowhere.sh")], ["filePath", "no such file"]),
        (&[("scriptType", "inline")], ["inlineScript", "required"]),
        (
            &[("scriptType", "inline"), ("inlineScript", "x"), ("arguments", "'open")],
            ["arguments", "quotation mark"],
        ),
        (&[("scriptType", "inline"), ("inlineScript", "x"), ("shell", "zsh")], ["shell", "auto, bash"]),
        (
            &[("scriptType", "inline"), ("inlineScript", "x"), ("shell", "cmd")],
            ["cmd is not on", "Windows only"],
        ),
        (
            &[("scriptType", "inline"), ("inlineScript", "x"), ("workingDirectory", "nowhere")],
            ["workingDirectory", "no such folder"],
        ),
    ] {
        assert_fails(&world.step(&with(more)), &words);
    }
    let tools = world.agent.root().join("tools");
    std::fs::create_dir_all(&tools).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let node = std::env::split_paths(&path).map(|folder| folder.join("node")).find(|file| file.is_file());
    symlink(node.unwrap(), tools.join("node")).unwrap();
    world.agent.machine.push(("PATH".into(), tools.display().to_string()));
    let aws =
        [("command", "awsCli"), ("connection", "federated"), ("awsCommand", "s3"), ("awsSubCommand", "ls")];
    assert_fails(&world.step(&aws), &["aws is not on this agent's PATH", "Install the AWS CLI"]);
    assert_fails(&world.step(&inline("x", &[])), &["bash is not on", "Install"]);
    assert!(world.gateway.calls().is_empty() && world.azure_devops.received().is_empty());
}

#[test]
fn the_aws_cli_runs_with_arguments_as_a_shell_would_split_them() {
    let mut world = World::new();
    world.agent.machine.push(("PATH".into(), consumers::path()));
    let run = |inputs: &[(&str, &str)]| {
        let base = [("command", "awsCli"), ("connection", "federated")];
        world.step(&base.into_iter().chain(inputs.iter().copied()).collect::<Vec<_>>())
    };
    for inputs in [
        &[
            ("awsCommand", "sts"),
            ("awsSubCommand", "get-caller-identity"),
            ("awsArguments", "--query 'join(`,`, [Account, Arn])' --output text"),
        ][..],
        &[("awsCommand", "sts get-caller-identity"), ("awsArguments", "--output json")],
    ] {
        let job = run(inputs);
        assert_succeeds(&job);
        assert!(job.first().stdout().contains(":assumed-role/deploy/"), "{}", job.first().log);
    }
    assert_fails(&run(&[("awsCommand", "sts"), ("awsSubCommand", "dance")]), &["aws sts", "exit code"]);
}

#[test]
fn tools_are_told_of_the_agents_proxy() {
    let mut world = World::new();
    for (name, value) in [
        ("Agent.ProxyUrl", "http://proxy.example:8080"),
        ("Agent.ProxyUsername", "build"),
        ("Agent.ProxyBypassList", r#"["^https://.*\\.contoso\\.com","a|b"]"#),
    ] {
        world.variables.push(Variable::public(name, value));
    }
    world.variables.push(Variable::secret("Agent.ProxyPassword", "p@ss-word"));
    let job = world.step(&inline("echo \"[$HTTPS_PROXY] [$NO_PROXY]\"", &[]));
    assert_succeeds(&job);
    let expected = "[http://build:p%40ss%2Dword@proxy.example:8080/] [localhost,127.0.0.1,169.254.169.254,169.254.170.2,.contoso.com]";
    assert!(job.first().stdout().contains(expected), "{}", job.first().stdout());
    assert!(job.first().log.contains("[http://build:***@proxy"), "{}", job.first().log);
    assert!(job.first().log.contains("a|b"));
}

#[test]
fn cancelling_reaches_the_whole_tree_and_leaves_time_to_tidy_up() {
    let world = World::new();
    let file = world.agent.root().join("log");
    let log = file.display();
    // One that tidies up, one in the background, one in a session of its own.
    let script = format!(
        "trap 'echo tidy >> {log}; exit 1' INT\nsleep 600 & echo $! >> {log}.pids\nsetsid sleep 601 & echo $! >> {log}.pids\n\
         sleep 0.3; echo ready; while :; do sleep 0.1; done"
    );
    let step = world.causeway(&inline(&script, &[])).cancelled(Cancel::At("ready".into()));
    let job = world.run(vec![step]);
    assert_eq!(job.first().outcome, Outcome::Canceled);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "tidy\n");
    assert!(job.first().usage.wall < Duration::from_millis(9500), "{:?}", job.first().usage.wall);
    let pids = std::fs::read_to_string(world.agent.root().join("log.pids")).unwrap();
    for pid in pids.lines() {
        let status = std::fs::read_to_string(Path::new("/proc").join(pid).join("status")).unwrap_or_default();
        assert!(status.is_empty() || status.contains("(zombie)"), "{status}");
    }
    assert_eq!(left_in(&job.temp()), Vec::<PathBuf>::new(), "the inline script's file is gone");
}

#[test]
fn what_a_script_leaves_behind_is_waited_for_when_it_ends() {
    let world = World::new();
    // Each `sleep` loses its parent at once and becomes a child of the step's process.
    let script = "for i in $(seq 30); do (sleep 0.2 &); done\n                  for i in $(seq 50); do sleep 0.1; n=$(pgrep -P $PPID | wc -l); [ $n -le 1 ] && break; done; echo \"left $n\"";
    let job = world.step(&inline(script, &[]));
    assert_succeeds(&job);
    assert!(job.first().stdout().contains("left 1"), "{}", job.first().log);
}

#[test]
fn the_script_cannot_read_the_tasks_environment() {
    // Root may read everything, so this runs as somebody else.
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let may = |program: &str| {
        Command::new("setpriv").args(nobody).arg(program).output().is_ok_and(|out| out.status.success())
    };
    if !may("true") {
        eprintln!("not run: it needs root and setpriv, to be somebody else");
        return;
    }
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("causeway");
    std::fs::copy(binary(), &program).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let script = "cat /proc/$PPID/environ >/dev/null && echo readable; head -c 1 /proc/$PPID/mem >/dev/null && echo open; echo done";
    let out = Command::new("setpriv")
        .args(nobody)
        .arg(&program)
        .arg("task")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("AGENT_TEMPDIRECTORY", folder.path())
        .env("AWS_ENDPOINT_URL", world.gateway.url())
        .env("INPUT_COMMAND", "script")
        .env("INPUT_SCRIPTTYPE", "inline")
        .env("INPUT_INLINESCRIPT", script)
        .env("INPUT_REGIONNAME", "eu-west-1")
        .env("AWS_ACCESSKEYID", &world.user_key.id)
        .env("SECRET_AWS_SECRETACCESSKEY", &world.user_key.secret)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(stdout.contains("done"), "{stdout}{stderr}");
    assert!(!stdout.contains("readable") && !stdout.contains("open"), "{stdout}");
    assert_eq!(stderr.matches("Permission denied").count(), 2, "{stderr}");
}

#[test]
fn a_step_after_a_profile_step_has_only_its_own_identity() {
    let world = World::new();
    let job = world.run(vec![
        world.causeway(&[("command", "assumeRole"), ("awsCredentials", "aws-role"), ("exportAs", "profile")]),
        world.causeway(&inline(&consumers::script(), &[])).named("show"),
        Step::script("echo \"profile $AWS_PROFILE\"").named("after"),
    ]);
    assert_succeeds(&job);
    consumers::assert_all_have_role(&world, &job.step("show").stdout(), "deploy");
    assert!(job.step("after").stdout().contains("profile default"));
}
