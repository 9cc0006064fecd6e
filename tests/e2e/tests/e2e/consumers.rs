//! Tools that read AWS credentials: each prints whose it has, or takes part in a test by name.

use std::path::PathBuf;

use causeway_harness::world::{World, workspace};

/// A tool by how it is asked for the access key id that it would sign with, or for the ARN that AWS then knows it by.
pub(crate) struct Consumer {
    /// For messages.
    pub(crate) name: &'static str,
    /// A shell command that prints it.
    pub(crate) whose: String,
}

/// The tools that `scripts/setup` brings.
pub(crate) fn all() -> Vec<Consumer> {
    let cli = format!("{}/aws sts get-caller-identity --query Arn --output text", venv().display());
    vec![
        Consumer {
            name: "boto3",
            whose: python("import boto3; print(boto3.Session().get_credentials().access_key)"),
        },
        Consumer { name: "JavaScript SDK v3", whose: javascript() },
        Consumer { name: "AWS CLI", whose: cli },
    ]
}

/// Where `scripts/setup` puts boto3 and the AWS CLI.
pub(crate) fn venv() -> PathBuf {
    let folder = workspace().join(".venv/bin");
    assert!(folder.join("aws").is_file(), "there is no aws in {}: run scripts/setup", folder.display());
    folder
}

/// A `PATH` on which `aws` is.
pub(crate) fn path() -> String {
    format!("{}:{}", venv().display(), std::env::var("PATH").unwrap())
}

/// A shell command that runs a line of Python with boto3.
pub(crate) fn python(line: &str) -> String {
    format!("{}/python -c '{line}'", venv().display())
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

/// The CDK's command line, which `scripts/setup` brings.
pub(crate) fn cdk() -> PathBuf {
    let program = node_modules().join(".bin/cdk");
    assert!(program.is_file(), "there is no {}: run scripts/setup", program.display());
    program
}

/// Whether this machine has a program.
pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A script that runs every tool and says, for each, which key it has: `boto3=ASIA…`.
pub(crate) fn script() -> String {
    let line = |consumer: &Consumer| format!("echo \"{}=$({})\"", consumer.name, consumer.whose);
    all().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// That every tool of [`script`] had a key of a session of this role.
#[track_caller]
pub(crate) fn assert_all_have_role(world: &World, output: &str, role: &str) {
    for consumer in all() {
        let name = consumer.name;
        let start = format!("{name}=");
        let line = output.lines().find_map(|line| line.strip_prefix(&start));
        let key = line.unwrap_or_else(|| panic!("{name} said nothing: {output}"));
        let sessions = world.iam.sessions();
        let session = sessions.iter().find(|session| session.key.id == key || session.arn == key);
        let session =
            session.unwrap_or_else(|| panic!("{name} has \"{key}\", which is no session's: {output}"));
        assert!(session.role_arn.ends_with(&format!(":role/{role}")), "{name} is {}", session.arn);
    }
}
