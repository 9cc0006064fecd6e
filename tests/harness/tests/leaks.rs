//! The search for secrets finds what it should, and only that.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

mod support;

use causeway_harness::agent::Step;
use causeway_harness::leak::Secrets;

const SECRET: &str = "first line/of it\nsecond;line";

/// Where a step that runs this code leaks [`SECRET`]: form and place of each.
fn leaks(code: &str) -> Vec<String> {
    let (world, _task) = support::world();
    let prelude = format!(
        "const secret = {SECRET:?}; const first = secret.split('\\n')[0]; const b64 = t => Buffer.from(t).toString('base64');"
    );
    let job = world.run(vec![Step::task("Causeway@1", &[("text", &(prelude + code))]).named("step")]);
    let mut secrets = Secrets::default();
    secrets.add("it", SECRET);
    let found = secrets.ignoring(&job.sources().join("wanted.env")).search(&job);
    found.into_iter().map(|leak| format!("{} in {}", leak.form, leak.place)).collect()
}

#[test]
fn a_proper_hand_over_is_no_leak() {
    let code = "
        for (const line of secret.split('\\n')) console.log('##vso[task.setsecret]' + line);
        console.log('##vso[task.setvariable variable=X]' + first);
        console.log('##vso[task.settaskvariable variable=Y;issecret=true]' + first);
        require('fs').writeFileSync('wanted.env', secret);
        console.log('read a value of', secret.length, 'characters')";
    assert_eq!(leaks(code), [""; 0]);
}

#[test]
fn text_commands_files_and_command_lines_are_searched() {
    for (code, expected) in [
        ("console.log('value: ' + first)", "a line in line 1 of the output"),
        ("console.log('##vso[task.debug]' + first)", "a line in line 1 of the output"),
        ("console.log('##vso[task.setvariable variable=X]' + first)", "a line in line 1 of the output"),
        (
            "console.log('##vso[task.setsecret]' + first); console.log(first)",
            "a line in line 2 of the output",
        ),
        ("console.error('x' + b64('ab' + secret) + 'y')", "base64 in line 1 of the output"),
        ("console.log(JSON.stringify({ a: secret }))", "JSON-escaped in the masked log"),
        ("console.log(encodeURIComponent(secret))", "URI-escaped in the masked log"),
        (
            "require('fs').writeFileSync(process.env.AGENT_TEMPDIRECTORY + '/x', b64('AWS:' + secret))",
            "base64 in /",
        ),
        (
            "require('fs').mkdirSync('sub'); require('fs').writeFileSync('sub/second;line', '')",
            "a line in the name of",
        ),
        (
            "require('child_process').execFileSync('bash', ['-c', 'sleep 0.2; true', 'second;line'])",
            "a line in a command line",
        ),
    ] {
        let found = leaks(code);
        assert!(found.iter().any(|leak| leak.starts_with(expected)), "{code}: {found:?}");
    }
}
