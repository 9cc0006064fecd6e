//! Tools that read AWS credentials: each prints whose it has, or takes part in a test by name.

use std::path::PathBuf;

use causeway_harness::world::{World, workspace};

/// A tool by how it is asked for the access key id that it would sign with, or for the ARN that AWS then knows it by.
pub struct Consumer {
    /// For messages.
    pub name: &'static str,
    /// A shell command that prints it.
    pub whose: String,
}

/// Every tool that is on this machine. Those that `scripts/setup` brings must be; the others are named when they are missing.
pub fn all() -> Vec<Consumer> {
    let mut found = vec![
        Consumer { name: "boto3", whose: python("import boto3; print(boto3.Session().get_credentials().access_key)") },
        Consumer { name: "JavaScript SDK v3", whose: javascript() },
    ];
    if on_path("aws") {
        let whose = "aws sts get-caller-identity --query Arn --output text".to_owned();
        found.push(Consumer { name: "AWS CLI", whose });
    } else {
        eprintln!("not tested with the AWS CLI: there is no aws on PATH");
    }
    found
}

/// A shell command that runs a line of Python with boto3.
pub fn python(line: &str) -> String {
    let python = workspace().join(".venv/bin/python");
    assert!(python.is_file(), "there is no {}: run scripts/setup", python.display());
    format!("{} -c '{line}'", python.display())
}

fn javascript() -> String {
    let modules = node_modules();
    assert!(
        modules.join("@aws-sdk/credential-provider-node").is_dir(),
        "@aws-sdk/credential-provider-node is missing: run scripts/setup"
    );
    format!(
        "NODE_PATH={} node -e 'require(\"@aws-sdk/credential-provider-node\").defaultProvider()().then((found) => console.log(found.accessKeyId), (error) => {{ console.error(error); process.exitCode = 1; }})'",
        modules.display()
    )
}

fn node_modules() -> PathBuf {
    workspace().join("node_modules")
}

/// Whether this machine has a program.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A script that runs every tool and says, for each, which key it has: `boto3=ASIA…`.
pub fn script() -> String {
    let line = |consumer: &Consumer| format!("echo \"{}=$({})\"", consumer.name, consumer.whose);
    all().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// That every tool of [`script`] had a key of a session of this role.
#[track_caller]
pub fn assert_all_have_role(world: &World, output: &str, role: &str) {
    for consumer in all() {
        let name = consumer.name;
        let start = format!("{name}=");
        let line = output.lines().find_map(|line| line.strip_prefix(&start));
        let key = line.unwrap_or_else(|| panic!("{name} said nothing: {output}"));
        let sessions = world.iam.sessions();
        let session = sessions.iter().find(|session| session.key.id == key || session.arn == key);
        let session = session.unwrap_or_else(|| panic!("{name} has \"{key}\", which is no session's: {output}"));
        assert!(session.role_arn.ends_with(&format!(":role/{role}")), "{name} is {}", session.arn);
    }
}
