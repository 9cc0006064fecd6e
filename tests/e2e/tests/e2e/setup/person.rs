use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use causeway_harness::agent::Connection;
use causeway_harness::moto::{Moto, Seed};
use causeway_harness::sts::AccessKey;
use causeway_harness::world::{World, binary};
use serde_json::{Value, json};

/// A platform engineer at a terminal, with an account of their own.
pub(super) struct Person<'a> {
    world: &'a World,
    folder: tempfile::TempDir,
    pub(super) account: String,
    pub(super) connection: String,
    pub(super) token: String,
    key: AccessKey,
    profile: RefCell<Option<String>>,
}

pub(super) fn new_account() -> String {
    (0..12).map(|_| char::from(b'0' + fastrand::u8(0..10))).collect()
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

pub(super) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

impl<'a> Person<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let account = new_account();
        let key = world.iam.add_user(&account, "admin");
        let token = world.azure_devops.add_token();
        let connection = format!("aws-{}", fastrand::u32(..));
        let folder = tempfile::tempdir().unwrap();
        Self { world, folder, account, connection, token, key, profile: RefCell::default() }
    }

    /// Writes the usual file and answers it.
    pub(super) fn file(&self) -> String {
        let organization = self.world.azure_devops.organization();
        let file = format!(
            "organization: {}
project: {}
region: eu-west-1
accounts:
  dev: {{ id: \"{}\" }}
roles:
  shop-deploy:
    permissions:
      - ecrPush: {{ repositories: [shop/web] }}
      - readParameters: {{ path: /shop }}
connections:
  {}: {{ account: dev, role: shop-deploy }}
",
            organization.name, organization.project, self.account, self.connection
        );
        self.write(&file);
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("causeway.yaml")
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(super) fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    #[track_caller]
    pub(super) fn replace(&self, from: &str, to: &str) {
        let before = std::fs::read_to_string(self.path()).unwrap();
        assert!(before.contains(from), "{from} is not in {before}");
        self.write(&before.replace(from, to));
    }

    /// Puts the key into a profile, and takes it out of the environment.
    pub(super) fn profile(&self, name: &str) {
        let config = format!(
            "[profile {name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            self.key.id, self.key.secret
        );
        let path = self.folder.path().join("aws-config");
        std::fs::write(&path, config).unwrap();
        *self.profile.borrow_mut() = Some(path.to_str().unwrap().to_owned());
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .arg("setup")
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", self.world.gateway.url())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("CAUSEWAY_AZURE_DEVOPS_URL", self.world.azure_devops.url())
            .env("AZURE_DEVOPS_EXT_PAT", &self.token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        match self.profile.borrow().as_ref() {
            Some(path) => command.env("AWS_CONFIG_FILE", path),
            None => {
                command.env("AWS_ACCESS_KEY_ID", &self.key.id).env("AWS_SECRET_ACCESS_KEY", &self.key.secret)
            }
        };
        command
    }

    pub(super) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    pub(super) fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.start(arguments);
        // A command that asks nothing does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    pub(super) fn run_without_token(&self, arguments: &[&str]) -> Output {
        self.command(arguments).env_remove("AZURE_DEVOPS_EXT_PAT").stdin(Stdio::null()).output().unwrap()
    }

    /// The document of an action that succeeds, or of a check that found something.
    #[track_caller]
    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(
            output.status.code().is_some_and(|code| code < 2),
            "{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        self.json_of(output)
    }

    #[track_caller]
    pub(super) fn json_of(&self, output: Output) -> Value {
        assert!(!text(&output.stdout).contains(&self.token));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)))
    }

    /// Every call so far that changed something.
    pub(super) fn changes(&self) -> Vec<String> {
        self.world.azure_devops.tripwire().changes()
    }

    pub(super) fn seed(&self, account: &str) -> Seed {
        Seed::new(Moto::shared(), account, "us-east-1")
    }

    /// A call of IAM in this person's account that must succeed.
    #[track_caller]
    pub(super) fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let reply = self.seed(&self.account).iam(action, parameters);
        assert_eq!(reply.status, 200, "{action}: {}", reply.text());
        reply.text()
    }

    /// Makes the managed policy `common` in an account.
    pub(super) fn managed_policy(&self, account: &str) {
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}"#;
        let made =
            self.seed(account).iam("CreatePolicy", &[("PolicyName", "common"), ("PolicyDocument", document)]);
        assert_eq!(made.status, 200, "{}", made.text());
    }

    /// A role's trust policy, which IAM answers URL-encoded inside XML.
    pub(super) fn trust(&self, role: &str) -> Value {
        let xml = self.iam("GetRole", &[("RoleName", role)]);
        let text = xml.split("<AssumeRolePolicyDocument>").nth(1).unwrap().split("</").next().unwrap();
        let text = text.replace("&quot;", "\"").replace("&amp;", "&");
        serde_json::from_str(&text).or_else(|_| serde_json::from_str(&decoded(&text))).unwrap()
    }

    pub(super) fn endpoint(&self, name: &str) -> Option<Value> {
        self.world.azure_devops.endpoints().into_iter().find(|endpoint| endpoint["name"] == name)
    }

    /// A connection of the AWS Toolkit's type with a key, as somebody made it years ago; its GUID.
    pub(super) fn key_connection(&self, name: &str) -> String {
        let id = format!("{:08x}-1111-4222-8333-444444444444", fastrand::u32(..));
        let project = self.world.azure_devops.organization();
        self.world.azure_devops.put_endpoint(json!({
            "id": id,
            "name": name,
            "type": "AWS",
            "url": "https://aws.amazon.com/",
            "description": "Deploys the shop",
            "authorization": {
                "scheme": "UsernamePassword",
                "parameters": {
                    "username": "AKIAOLDKEY0000000000",
                    "password": "aVeryOldSecretKeyThatNobodyRotates000000",
                    "assumeRoleArn": null,
                },
            },
            "data": {},
            "createdBy": { "id": "4adb1680-0eac-6149-b5ee-fc8b4f6ca227", "displayName": "Chuck Reinhart" },
            "isShared": false,
            "isReady": true,
            "owner": "library",
            "serviceEndpointProjectReferences": [{
                "projectReference": { "id": project.project_id, "name": project.project },
                "name": name,
                "description": "Deploys the shop",
            }],
        }));
        id
    }

    /// What the agent is given of the connections that were made.
    pub(super) fn connections(&self) -> Vec<Connection> {
        let texts = |value: &Value| -> Vec<(String, String)> {
            let fields = value.as_object().into_iter().flatten();
            fields.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
        };
        let of = |endpoint: Value| {
            let text = |name: &str| endpoint[name].as_str().unwrap().to_owned();
            let mut connection = Connection::new(
                &text("name"),
                &text("type"),
                endpoint["authorization"]["scheme"].as_str().unwrap(),
            );
            connection.id = text("id").parse().unwrap();
            connection.url = text("url");
            connection.parameters = texts(&endpoint["authorization"]["parameters"]);
            connection.data = texts(&endpoint["data"]);
            connection
        };
        self.world.azure_devops.endpoints().into_iter().map(of).collect()
    }
}
