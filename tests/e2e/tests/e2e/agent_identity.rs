//! `identity: agent`: everything that a machine may have of its own, each also as the beginning of a role.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use causeway_harness::world::{EXTERNAL_ID, World};
use serde_json::json;

use crate::{assert_fails, assert_succeeds};

/// A machine's metadata: answers GET and PUT by path, and remembers what it was asked. Ends with the process.
struct Metadata {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Metadata {
    fn start(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                log.lock().unwrap().push(format!("{request}\n{}", headers.join("\n")));
                let words: Vec<&str> = request.split(' ').collect();
                let (status, body) = match answer(&words[..2].join(" ")) {
                    Some(body) => ("200 OK", body),
                    None => ("404 Not Found", String::new()),
                };
                let head = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\nConnection: close";
                let _ = write!(
                    &stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{head}\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Credentials as container and instance metadata write them.
fn credentials(world: &World) -> String {
    let key = &world.user_key;
    let (id, secret) = (&key.id, &key.secret);
    // A long-lived key under a token: the strict STS takes a token with a session's key only, so none is given.
    json!({
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z", "Expiration": "2036-01-01T00:00:00Z",
        "AccessKeyId": id, "SecretAccessKey": secret, "Token": "",
    })
    .to_string()
}

/// Alone, and with a role, external ID and length.
fn assert_is_ci_and_becomes_a_role(world: &World) {
    let job = world.step(&[("command", "verify")]);
    assert_succeeds(&job);
    assert!(job.first().log.contains("the agent's own credentials"), "{}", job.first().log);
    assert!(job.variable("step.callerArn").unwrap().ends_with(":user/ci"));

    let role = world.role_arn("deploy-keys");
    let inputs = [
        ("command", "verify"),
        ("identity", "agent"),
        ("roleArn", &role),
        ("externalId", EXTERNAL_ID),
        ("durationSeconds", "1234"),
    ];
    let job = world.step(&inputs);
    assert_succeeds(&job);
    let session = world.iam.sessions().pop().unwrap();
    assert_eq!((session.role_arn, session.duration), (role, (1234, true)));
    world.secrets().assert_none_in(&job);
}

#[test]
fn the_environments_key() {
    let mut world = World::new();
    let key = world.user_key.clone();
    world.agent.machine.push(("AWS_ACCESS_KEY_ID".into(), key.id));
    world.agent.machine.push(("AWS_SECRET_ACCESS_KEY".into(), key.secret));
    assert_is_ci_and_becomes_a_role(&world);
}

#[test]
fn the_shared_profile() {
    let mut world = World::new();
    let folder = world.agent.root().join("profiles");
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "[build]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        world.user_key.id, world.user_key.secret
    );
    let file = folder.join("credentials");
    std::fs::write(&file, text).unwrap();
    world.agent.machine.push(("AWS_SHARED_CREDENTIALS_FILE".into(), file.display().to_string()));
    world.agent.machine.push(("AWS_PROFILE".into(), "build".into()));
    let job = world.step(&[("command", "verify")]);
    assert_succeeds(&job);
    assert!(job.variable("step.callerArn").unwrap().ends_with(":user/ci"));
}

#[test]
fn a_profile_whose_tool_hands_out_the_key() {
    let mut world = World::new();
    let folder = world.agent.root().join("profiles");
    std::fs::create_dir_all(&folder).unwrap();
    let key = &world.user_key;
    let answer = json!({ "Version": 1, "AccessKeyId": key.id, "SecretAccessKey": key.secret });
    std::fs::write(folder.join("answer.json"), answer.to_string()).unwrap();
    let text = format!("[profile build]\ncredential_process = cat {}/answer.json\n", folder.display());
    let file = folder.join("config");
    std::fs::write(&file, text).unwrap();
    world.agent.machine.push(("AWS_CONFIG_FILE".into(), file.display().to_string()));
    world.agent.machine.push(("AWS_PROFILE".into(), "build".into()));
    let job = world.step(&[("command", "verify")]);
    assert_succeeds(&job);
    assert!(job.variable("step.callerArn").unwrap().ends_with(":user/ci"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_containers_role() {
    let mut world = World::new();
    let body = credentials(&world);
    let metadata = Metadata::start(move |request| (request == "GET /role").then(|| body.clone()));
    let uri = format!("http://127.0.0.1:{}/role", metadata.port);
    world.agent.machine.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI".into(), uri));
    assert_is_ci_and_becomes_a_role(&world);
}

#[test]
fn the_instances_role_and_region_by_metadata_version_two() {
    let mut world = World::new();
    let body = credentials(&world);
    let metadata = Metadata::start(move |request| match request {
        "PUT /latest/api/token" => Some("metadata-token".to_owned()),
        "GET /latest/meta-data/iam/security-credentials/" => Some("agents".to_owned()),
        "GET /latest/meta-data/iam/security-credentials/agents" => Some(body.clone()),
        "GET /latest/meta-data/placement/region" => Some("eu-central-1".to_owned()),
        _ => None,
    });
    let endpoint = format!("http://127.0.0.1:{}", metadata.port);
    world.agent.machine.push(("AWS_EC2_METADATA_SERVICE_ENDPOINT".into(), endpoint));
    assert_is_ci_and_becomes_a_role(&world);

    let job = world.step(&[("command", "assumeRole"), ("regionName", "")]);
    assert_succeeds(&job);
    assert_eq!(job.variable("AWS_REGION"), Some("eu-central-1"));
    let asked = metadata.asked();
    let reads = asked.iter().filter(|request| request.starts_with("GET"));
    assert!(
        reads
            .into_iter()
            .all(|request| request.to_lowercase().contains("x-aws-ec2-metadata-token: metadata-token")),
        "{asked:#?}"
    );

    // That a chained session is cut to an hour is told though the region came late.
    let roles = format!("{}\n{}", world.role_arn("deploy-keys"), world.role_arn("prod"));
    let wish = [("roleArn", roles.as_str()), ("durationSeconds", "7200"), ("externalId", EXTERNAL_ID)];
    let job = world.step(&[&[("command", "assumeRole"), ("regionName", "")][..], &wish].concat());
    let warnings = job.first().warnings();
    assert!(warnings.iter().any(|warning| warning.contains("one hour at most")), "{warnings:?}");
}

#[test]
fn a_machine_without_any_says_so() {
    let mut world = World::new();
    world.agent.machine.push(("AWS_EC2_METADATA_DISABLED".into(), "true".into()));
    let job = world.step(&[("command", "assumeRole")]);
    assert_fails(&job, &["no AWS credentials of its own", "connection"]);
}
