//! A whole world in one line: organization, accounts, roles, connections, and an agent with the built task.
//!
//! ```no_run
//! use causeway_harness::world::World;
//!
//! let world = World::with_aws();
//! world.seed().put_parameter("/shop/token", "SecureString", "hunter2hunter2");
//! let job = world.step(&[
//!     ("command", "getParameters"),
//!     ("connection", "federated"),
//!     ("parameterName", "/shop/token"),
//! ]);
//! assert_eq!(job.variable("shop.token"), Some("hunter2hunter2"));
//! world.secrets().assert_none_in(&job);
//! ```

mod installed;
mod trust;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use installed::{binary, own_task, workspace};
pub use trust::{federated_trust, key_trust};

use crate::agent::{Agent, Connection, Job, JobResult, Step, TaskFolder, Variable};
use crate::azure_devops::{AUDIENCE, AzureDevOps, Organization};
use crate::gateway::Gateway;
use crate::leak::{Holder, Secrets, listed};
use crate::moto::{Moto, Seed};
use crate::pipeline::{Pipeline, PipelineRun, Runner, Trigger};
use crate::random;
use crate::sts::{AccessKey, Iam, Role};

/// The region of the seeds and of steps that do not name one.
pub const REGION: &str = "eu-west-1";

/// The external ID that the role `deploy-keys` wants.
pub const EXTERNAL_ID: &str = "contoso-7f3a";

/// What a world is made of.
#[derive(Debug, Default)]
pub struct Settings {
    /// The AWS account; a random one keeps tests on one moto apart.
    pub account: Option<String>,
    /// The services behind STS.
    pub moto: Option<Arc<Moto>>,
    /// A task folder instead of the built task.
    pub task: Option<PathBuf>,
    /// The organization.
    pub organization: Organization,
}

/// A world. Everything in it may be changed by a test.
///
/// | connection | type | how |
/// |---|---|---|
/// | `federated` | Causeway | the job's token, role `deploy` |
/// | `causeway-keys` | Causeway | keys of user `ci`, no role |
/// | `aws-oidc` | AWS | `useOIDC`, role `deploy` |
/// | `aws-role` | AWS | keys of user `ci`, role `deploy-keys`, external ID |
/// | `aws-keys` | AWS | keys of user `ci` |
///
/// Role `deploy` trusts the connections `federated` and `aws-oidc` and the pipeline itself; `deploy-keys` trusts user `ci`
/// with the external ID; `prod` trusts role `deploy`. None of them allows tags or a source identity.
#[derive(Debug)]
pub struct World {
    /// The organization.
    pub azure_devops: AzureDevOps,
    /// The account's users, roles and sessions.
    pub iam: Iam,
    /// The task's `AWS_ENDPOINT_URL`.
    pub gateway: Gateway,
    /// The agent.
    pub agent: Agent,
    /// The account's twelve digits.
    pub account: String,
    /// The key of user `ci`.
    pub user_key: AccessKey,
    /// Who may have the key of user `ci` in its environment: programs, where a test gives it to them without a role.
    pub user_key_holder: Holder,
    /// The values that a test calls secret, by name: what lies in SSM or Secrets Manager.
    pub secret_values: Vec<(String, String)>,
    /// Variables that every job of this world begins with.
    pub variables: Vec<Variable>,
    moto: Option<Arc<Moto>>,
    /// Keeps the shared copy of the built task.
    _task: Option<Arc<tempfile::TempDir>>,
}

impl World {
    /// The built task with STS alone.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Settings::default())
    }

    /// The built task with STS, and moto for the other services.
    #[must_use]
    pub fn with_aws() -> Self {
        Self::of(Settings { moto: Some(Moto::shared()), ..Settings::default() })
    }

    /// STS alone, and a task of the test's own, for tests of the harness.
    #[must_use]
    pub fn with_task(folder: &Path) -> Self {
        Self::of(Settings { task: Some(folder.to_owned()), ..Settings::default() })
    }

    /// A world of these settings.
    ///
    /// # Panics
    /// When the task is not built.
    #[must_use]
    pub fn of(settings: Settings) -> Self {
        let account = settings.account.unwrap_or_else(|| random::digits(12));
        let azure_devops = AzureDevOps::start(settings.organization);
        let iam = Iam::new(azure_devops.clone());
        let gateway = Gateway::start(iam.clone(), settings.moto.clone());
        let (task, kept) = match settings.task {
            Some(folder) => (TaskFolder::open(&folder), None),
            None => {
                let copy = installed::task();
                (TaskFolder::open(copy.path()), Some(copy))
            }
        };
        let mut agent = Agent::new(azure_devops.clone());
        agent.tasks.push(task);
        agent.machine.push(("AWS_ENDPOINT_URL".into(), gateway.url()));
        let user_key = iam.add_user(&account, "ci");
        let (variables, moto) = (Vec::new(), settings.moto);
        let mut world = Self {
            azure_devops,
            iam,
            gateway,
            agent,
            account,
            user_key,
            user_key_holder: Holder::Nobody,
            secret_values: Vec::new(),
            variables,
            moto,
            _task: kept,
        };
        world.add_connections();
        world.add_roles();
        world
    }

    /// The ARN of a role of this account.
    #[must_use]
    pub fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.account)
    }

    /// Seeds and reads back what moto holds, in this account and [`REGION`].
    ///
    /// # Panics
    /// When the world was made without AWS services.
    #[must_use]
    pub fn seed(&self) -> Seed {
        let moto = self.moto.clone().expect("this world has no moto: make it with World::with_aws()");
        Seed::new(moto, &self.account, REGION)
    }

    /// Creates a bucket that no other test has.
    #[must_use]
    pub fn bucket(&self, name: &str) -> String {
        let bucket = format!("{name}-{}", random::digits(8));
        self.seed().create_bucket(&bucket);
        bucket
    }

    /// Runs one `Causeway@1` step, named `step`, in [`REGION`] unless the inputs say otherwise.
    #[must_use]
    pub fn step(&self, inputs: &[(&str, &str)]) -> JobResult {
        self.run(vec![self.causeway(inputs)])
    }

    /// A `Causeway@1` step, named `step`, in [`REGION`] unless the inputs say otherwise.
    #[must_use]
    pub fn causeway(&self, inputs: &[(&str, &str)]) -> Step {
        let mut inputs = inputs.to_vec();
        let takes_region = self.agent.tasks.iter().any(|task| task.input("regionName").is_some());
        if takes_region && !inputs.iter().any(|(name, _)| *name == "regionName") {
            inputs.push(("regionName", REGION));
        }
        Step::task("Causeway@1", &inputs).named("step")
    }

    /// Runs steps as one job.
    ///
    /// # Panics
    /// When the server or the agent would not begin it.
    #[must_use]
    pub fn run(&self, steps: Vec<Step>) -> JobResult {
        self.run_job(Job { steps, ..Job::default() })
    }

    /// Runs an Azure Pipelines YAML text.
    ///
    /// # Panics
    /// When it cannot be read, or the server or the agent would not begin it.
    #[must_use]
    pub fn job(&self, yaml: &str) -> JobResult {
        self.run_job(crate::pipeline::parse(yaml).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Runs a whole pipeline file as the given trigger would, and fails when a secret was found anywhere.
    ///
    /// # Panics
    /// When it cannot be read or begun, or a secret leaked.
    #[must_use]
    pub fn pipeline(&self, yaml: &str, trigger: &Trigger) -> PipelineRun {
        let pipeline = Pipeline::parse(yaml).unwrap_or_else(|error| panic!("{error}"));
        let run = Runner { world: self, trigger: trigger.clone(), change: None }.run(&pipeline);
        assert!(run.leaks.is_empty(), "secrets leaked:\n{}\n{}", listed(&run.leaks), run.log());
        run
    }

    /// Runs a job with this world's variables before its own.
    ///
    /// # Panics
    /// When the server or the agent would not begin it.
    #[must_use]
    pub fn run_job(&self, mut job: Job) -> JobResult {
        job.variables = self.variables.iter().cloned().chain(job.variables).collect();
        self.agent.run(&job).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every secret that this world has made so far: keys, session tokens, job tokens, OIDC tokens, the ECR password.
    /// A test adds its own: parameter values, for example.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        let sessions = self.iam.sessions();
        let keys = std::iter::once(&self.user_key).chain(sessions.iter().map(|session| &session.key));
        for key in keys {
            let holder = if key.session_token.is_some() { Holder::Programs } else { self.user_key_holder };
            secrets.add_for(&format!("the secret key of {}", key.id), &key.secret, holder);
            if let Some(token) = &key.session_token {
                secrets.add_for(&format!("the session token of {}", key.id), token, holder);
            }
        }
        for token in self.azure_devops.issued_tokens() {
            secrets.add("an OIDC token", &token);
        }
        for token in self.azure_devops.job_tokens() {
            secrets.add("the job's token", &token);
        }
        for (name, value) in &self.secret_values {
            secrets.add_for(name, value, Holder::ScriptSteps);
        }
        secrets.add("the ECR password", &format!("{}-auth-token", self.account));
        secrets
    }

    fn add_connections(&mut self) {
        let (key, secret) = (self.user_key.id.clone(), self.user_key.secret.clone());
        let keys = |connection: Connection| {
            connection.with_parameter("username", &key).with_parameter("password", &secret)
        };
        let (deploy, deploy_keys) = (self.role_arn("deploy"), self.role_arn("deploy-keys"));
        let federated = Connection::new("federated", "Causeway", "None")
            .with_data("identitySource", "federated")
            .with_data("roleArn", &deploy);
        let aws = |name: &str| Connection::new(name, "AWS", "UsernamePassword");
        let oidc = aws("aws-oidc").with_parameter("assumeRoleArn", &deploy).with_parameter("useOIDC", "true");
        let role = keys(aws("aws-role"))
            .with_parameter("assumeRoleArn", &deploy_keys)
            .with_parameter("externalId", EXTERNAL_ID);
        let causeway_keys = keys(Connection::new("causeway-keys", "Causeway", "UsernamePassword"));
        for connection in [federated, oidc, role, keys(aws("aws-keys")), causeway_keys] {
            self.agent.add_connection(connection);
        }
    }

    fn add_roles(&self) {
        let issuer = self.azure_devops.issuer();
        self.iam.add_provider(&self.account, &issuer, &[AUDIENCE]);
        let subject = |name: &str| self.azure_devops.subject_of(name).expect("a connection");
        let subjects = [subject("federated"), subject("aws-oidc"), self.azure_devops.pipeline_subject()];
        let user = format!("arn:aws:iam::{}:user/ci", self.account);
        for (name, trust) in [
            ("deploy", federated_trust(&self.account, &issuer, &subjects)),
            ("deploy-keys", key_trust(&user, Some(EXTERNAL_ID))),
            ("prod", key_trust(&self.role_arn("deploy"), None)),
        ] {
            self.iam.add_role(Role::new(&self.account, name, trust));
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
