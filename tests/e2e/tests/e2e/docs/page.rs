//! The pages of `docs/commands/`, and the world that their examples speak of.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, PoisonError};

use causeway_harness::agent::{Connection, Job, JobResult, Variable};
use causeway_harness::azure_devops::AUDIENCE;
use causeway_harness::moto::Moto;
use causeway_harness::registry::Registry;
use causeway_harness::registry::image::Layout;
use causeway_harness::sts::Role;
use causeway_harness::world::{Settings, World, federated_trust, key_trust, workspace};

/// The account of the examples.
pub(super) const ACCOUNT: &str = "123456789012";

/// A comment on the line before a block: why it is shown and not run.
const NOT_RUN: &str = "<!-- not run: ";

/// A world in which the examples of one command's page can be run.
pub(super) struct Documented {
    pub(super) world: World,
    /// Where ECR is played, for the commands that push and pull.
    _registry: Option<Registry>,
}

impl Documented {
    pub(super) fn of(command: &str) -> Self {
        let settings =
            Settings { account: Some(ACCOUNT.into()), moto: Some(Moto::shared()), ..Settings::default() };
        let mut world = World::of(settings);
        connect(&mut world);
        seed(&world);
        world.variables.push(Variable::secret("DatabasePassword", "password-that-the-example-stores"));
        let registry = ["ecrPush", "ecrPull", "ecrRetag"].contains(&command).then(|| registry(&mut world));
        if command == "awsCli" {
            play_the_aws_cli(&mut world);
        }
        Self { world, _registry: registry }
    }

    /// Runs a job; what the world holds as secret must not be found afterwards.
    pub(super) fn run(&self, job: Job) -> JobResult {
        let job = self.world.run_job(job);
        self.world.secrets().assert_none_in(&job);
        job
    }
}

/// The connection of the examples, and the roles that they name.
fn connect(world: &mut World) {
    world.agent.add_connection(
        Connection::new("aws-production", "Causeway", "None")
            .with_data("identitySource", "federated")
            .with_data("roleArn", &world.role_arn("deploy")),
    );
    let issuer = world.azure_devops.issuer();
    world.iam.add_provider(ACCOUNT, &issuer, &[AUDIENCE]);
    let subjects =
        [world.azure_devops.subject_of("aws-production").unwrap(), world.azure_devops.pipeline_subject()];
    world.iam.add_role(Role::new(ACCOUNT, "deploy", federated_trust(ACCOUNT, &issuer, &subjects)));
    world.iam.add_role(Role::new(ACCOUNT, "prod", key_trust(&world.role_arn("deploy"), None)));
}

/// What the examples read. Worlds share the account and, as long as one of them lives, the AWS behind it.
fn seed(world: &World) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = world.seed();
    if seed.parameter("/web/nuget-token").is_some() {
        return;
    }
    seed.put_secret("web/database", r#"{"username":"shopkeeper","password":"pass-of-the-example"}"#);
    seed.put_secret("web/licence", "licence-of-the-example");
    seed.create_bucket("example-web-assets");
    for key in ["images/logo.svg", "images/deep/arrow.svg", "images/photo.png", "other/logo.svg"] {
        seed.put_object("example-web-assets", key, b"<svg/>", &[]);
    }
    seed.put_parameter("/web/database/host", "String", "db.example.invalid");
    seed.put_parameter("/web/database/password", "SecureString", "password-of-the-example");
    seed.put_parameter("/web/nuget-token", "SecureString", "nuget-token-of-the-example");
}

/// A registry with `web:1.4.0`, and the layout of another image in the sources folder.
fn registry(world: &mut World) -> Registry {
    let registry = Registry::of(world);
    let layout = |name: &str, seed| {
        let folder = world.agent.sources().join(name);
        let _ = Layout::new(&folder, seed).image(&[3000, 500]);
        folder
    };
    layout("image", 1);
    let there = layout("there", 2);
    let (from, to) =
        (format!("oci:{}:1.0", there.display()), format!("docker://{}/web:1.4.0", registry.host()));
    let copied = registry.skopeo(&["copy", &from, &to]);
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    registry
}

/// What the AWS CLI does with the credentials is no matter of its page.
fn play_the_aws_cli(world: &mut World) {
    let folder = world.agent.root().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let program = "#!/bin/sh\ntest -n \"$AWS_SESSION_TOKEN\" && echo \"aws was called with: $*\"\n";
    fs::write(folder.join("aws"), program).unwrap();
    fs::set_permissions(folder.join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    world.agent.machine.push(("PATH".into(), format!("{}:{path}", folder.display())));
}

/// The examples of a page that are to be run.
pub(super) fn examples(command: &str) -> Vec<Job> {
    let page = fs::read_to_string(workspace().join(format!("docs/commands/{command}.md"))).unwrap();
    let jobs: Vec<Job> = blocks(&page).iter().map(|yaml| parsed(yaml)).collect();
    assert!(!jobs.is_empty(), "the page of {command} has no example that is run");
    jobs
}

fn blocks(page: &str) -> Vec<String> {
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
