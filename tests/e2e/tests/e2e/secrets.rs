//! `command: getSecrets` and `command: putSecret`

use causeway_harness::agent::{JobResult, Step, Variable};
use causeway_harness::gateway::Fault;
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds};

const GET: (&str, &str) = ("command", "getSecrets");
const PUT: (&str, &str) = ("command", "putSecret");
const CONNECTION: (&str, &str) = ("connection", "federated");

const LOGIN: &str =
    r#"{"username":"shop-admin","password":"p%w;d]##vso[x","engine":{"port":54321},"on":true}"#;

fn seeded() -> World {
    let world = World::with_aws();
    world.seed().put_secret("prod/login", LOGIN);
    world.seed().put_secret("prod/token", "hunter2-hunter2");
    world.seed().put_secret("prod/key", "-----BEGIN KEY-----\nthe middle of it\n-----END KEY-----\n");
    world.seed().put_secret("product", "another-secret");
    world.seed().put_binary_secret("prod/bytes", &[0, 255, 10, 13, 7, 200, 201, 202, 203]);
    world
}

fn get(world: &World, inputs: &[(&str, &str)]) -> JobResult {
    let mut all = vec![GET, CONNECTION];
    all.extend(inputs);
    world.step(&all)
}

#[test]
fn one_secret_by_name_and_by_arn() {
    let world = seeded();
    let arn = world.seed().secret("prod/token")["ARN"].as_str().unwrap().to_owned();
    for id in ["prod/token", arn.as_str()] {
        let job = get(&world, &[("secretIdOrName", id), ("variableName", "TOKEN")]);
        assert_succeeds(&job);
        assert_eq!((job.variable("TOKEN"), job.is_secret("TOKEN")), (Some("hunter2-hunter2"), true));
    }
    let job = get(&world, &[("secretIdOrName", "prod/token")]);
    assert_eq!(job.variable("prod/token"), Some("hunter2-hunter2"));
    assert_eq!(world.gateway.calls_of("secretsmanager", "*").len(), 3);
    let mut secrets = world.secrets();
    secrets.add("the token", "hunter2-hunter2");
    secrets.assert_none_in(&job);
}

#[test]
fn several_come_in_one_call_and_json_becomes_variables() {
    let world = seeded();
    let job =
        get(&world, &[("secretIds", "prod/login=LOGIN\nprod/token=TOKEN\nproduct"), ("parseJson", "true")]);
    assert_succeeds(&job);
    let names = ["LOGIN_username", "LOGIN_password", "LOGIN_engine_port", "LOGIN_on", "TOKEN", "product"];
    let values = ["shop-admin", "p%w;d]##vso[x", "54321", "true", "hunter2-hunter2", "another-secret"];
    assert_eq!(names.map(|name| job.variable(name).unwrap()), values);
    assert_eq!(names.map(|name| job.is_secret(name)), [true, true, true, false, true, true]);
    assert_eq!(world.gateway.calls_of("secretsmanager", "*").len(), 1);
    let mut secrets = world.secrets();
    secrets.add("the login", LOGIN);
    for value in values.iter().filter(|value| **value != "true") {
        secrets.add("a value", value);
    }
    secrets.assert_none_in(&job);

    let job = get(&world, &[("secretIds", "prod/login="), ("parseJson", "true")]);
    assert_succeeds(&job);
    assert_eq!(job.variable("username"), Some("shop-admin"));
}

#[test]
fn a_beginning_finds_its_secrets_and_no_others() {
    let world = seeded();
    let job = get(&world, &[("secretIds", "prod/*"), ("binaryForm", "base64")]);
    assert_succeeds(&job);
    assert_eq!(job.variable("prod/token"), Some("hunter2-hunter2"));
    assert_eq!(job.variable("prod/bytes"), Some("AP8KDQfIycrL"));
    assert_eq!(job.variable("product"), None);
    let job = get(&world, &[("secretIds", "none/*")]);
    assert_succeeds(&job);
    assert!(job.first().warnings()[0].contains("none/*"));
}

#[test]
fn lines_and_bytes_go_to_files_that_are_gone_after_the_job() {
    let world = seeded();
    let job = world.run(vec![
        world.causeway(&[GET, CONNECTION, ("secretIds", "prod/key=KEY\nprod/bytes=BYTES")]),
        Step::script(
            "stat -c %a \"$(KEY)\" \"$(BYTES)\"; od -An -tx1 \"$(BYTES)\"; tail -c 16 \"$(KEY)\"; cat \"$(KEY)\"",
        )
        .named("use"),
    ]);
    assert_succeeds(&job);
    let stdout = job.step("use").stdout();
    assert!(stdout.starts_with("600\n600\n 00 ff 0a 0d 07 c8 c9 ca cb\n"), "{stdout}");
    assert!(!job.step("use").log.contains("the middle of it"));
    let log = &job.first().log;
    assert!(log.contains("prod/key has several lines") && log.contains("prod/bytes is binary"), "{log}");
    for name in ["KEY", "BYTES"] {
        let path = job.variable(name).unwrap();
        assert!(!std::path::Path::new(path).exists(), "{path} is left");
    }
}

#[test]
fn everything_missing_is_named_and_refusals_are_told() {
    let world = seeded();
    let job = get(&world, &[("secretIds", "no/one\nprod/token=T\nno/two")]);
    assert_fails(&job, &["\"no/one\", \"no/two\"", "eu-west-1"]);
    assert_eq!(job.variable("T"), None);
    let denied = |operation| {
        Fault::error(400, "AccessDeniedException", &format!("not authorized: secretsmanager:{operation}"))
    };
    world.gateway.fail("secretsmanager", "BatchGetSecretValue", denied("BatchGetSecretValue"));
    assert_succeeds(&get(&world, &[("secretIds", "prod/token=T\nproduct=P")]));
    world.gateway.fail("secretsmanager", "GetSecretValue", denied("GetSecretValue"));
    let job = get(&world, &[("secretIdOrName", "prod/token")]);
    assert_fails(&job, &["prod/token", "AccessDeniedException", "secretsmanager:GetSecretValue"]);
}

#[test]
fn what_cannot_work_is_refused_before_any_call() {
    let world = seeded();
    for (inputs, word) in [
        (vec![], "secretIds"),
        (vec![("secretIds", "*")], "every secret"),
        (vec![("secretIds", "a b")], "a b"),
        (vec![("secretIds", "prod/*=X")], "share one variable"),
        (vec![("secretIds", "prod/a=")], "parseJson"),
        (vec![("secretIds", "a=X\nb=x")], "\"b\""),
        (vec![("secretIds", "a\nb"), ("versionId", "01234567-89ab-cdef-0123-456789abcdef")], "versionId"),
        (vec![("secretIdOrName", "a"), ("versionId", "7")], "32 to 64"),
    ] {
        assert_fails(&get(&world, &inputs), &[word]);
    }
    assert!(world.gateway.calls().is_empty());
}

fn put(world: &World, inputs: &[(&str, &str)]) -> JobResult {
    let mut all = vec![PUT, CONNECTION];
    all.extend(inputs);
    world.step(&all)
}

#[test]
fn a_secret_variable_becomes_a_secret_and_then_its_new_version() {
    let mut world = World::with_aws();
    world.variables.push(Variable::secret("Login", "first-secret-value"));
    let inputs = [
        ("secretNameOrId", "new/login"),
        ("secretValue", "$(Login)"),
        ("description", "of the shop"),
        ("tags", "team=shop\ncost=1"),
        ("arnOutputVariable", "ARN"),
        ("versionIdOutputVariable", "VERSION"),
    ];
    let job = put(&world, &inputs);
    assert_succeeds(&job);
    assert!(job.first().warnings().is_empty(), "{:?}", job.first().warnings());
    let stored = world.seed().secret("new/login");
    assert_eq!(stored["SecretString"], "first-secret-value");
    assert_eq!(job.variable("ARN"), stored["ARN"].as_str());
    assert_eq!(job.variable("VERSION"), stored["VersionId"].as_str());
    assert_eq!(job.variable("step.storedVersion"), stored["VersionId"].as_str());
    let details = world.seed().secret_details("new/login");
    assert_eq!(
        (&details["Description"], &details["Tags"][1]["Key"]),
        (&"of the shop".into(), &"cost".into())
    );
    let mut secrets = world.secrets();
    secrets.add("the value", "first-secret-value");
    secrets.assert_none_in(&job);

    world.variables = vec![Variable::secret("Login", "second-secret-value")];
    assert_succeeds(&put(&world, &inputs[..2]));
    assert_eq!(world.seed().secret("new/login")["SecretString"], "second-secret-value");
}

#[test]
fn files_are_stored_byte_for_byte() {
    let world = World::with_aws();
    let bytes = [0_u8, 255, 13, 10, 7, 128, 129];
    std::fs::write(world.agent.sources().join("bytes"), bytes).unwrap();
    std::fs::write(world.agent.sources().join("text"), "line one\nline two ü\n").unwrap();
    let job =
        put(&world, &[("secretNameOrId", "b"), ("secretValueType", "binary"), ("secretValueFile", "bytes")]);
    assert_succeeds(&job);
    assert_eq!(world.seed().secret("b")["SecretBinary"], "AP8NCgeAgQ==");
    assert_succeeds(&put(&world, &[("secretNameOrId", "t"), ("secretValueFile", "text")]));
    assert_eq!(world.seed().secret("t")["SecretString"], "line one\nline two ü\n");
}

#[test]
fn a_literal_is_stored_with_a_warning_and_masked() {
    let world = World::with_aws();
    let job = put(&world, &[("secretNameOrId", "x"), ("secretValue", "literal-secret-value")]);
    assert_succeeds(&job);
    let warnings = job.first().warnings();
    assert!(warnings[0].contains("secretValue") && warnings[0].contains("secret variable"), "{warnings:?}");
    let mut secrets = world.secrets();
    secrets.add("the literal", "literal-secret-value");
    secrets.assert_none_in(&job);
}

#[test]
fn what_cannot_be_stored_is_refused_before_any_call() {
    let world = World::with_aws();
    std::fs::write(world.agent.sources().join("bytes"), [255_u8; 8]).unwrap();
    std::fs::write(world.agent.sources().join("large"), vec![b'x'; 65_537]).unwrap();
    let id = ("secretNameOrId", "x");
    for (inputs, words) in [
        (vec![("secretValue", "v")], vec!["secretNameOrId"]),
        (vec![id], vec!["secretValue", "secretValueFile"]),
        (vec![id, ("secretValue", "v"), ("secretValueFile", "bytes")], vec!["not both"]),
        (vec![id, ("secretValueFile", "bytes")], vec!["UTF-8"]),
        (vec![id, ("secretValueFile", "large")], vec!["65537"]),
        (vec![id, ("secretValueFile", "no-such")], vec!["no-such"]),
        (vec![id, ("secretValueType", "binary"), ("secretValue", "no base64!")], vec!["base64"]),
        (vec![id, ("secretValue", "v"), ("tags", "aws:x=y")], vec!["tags", "aws:"]),
    ] {
        assert_fails(&put(&world, &inputs), &words);
    }
    assert!(world.gateway.calls().is_empty());
    assert_fails(
        &put(&world, &[id, ("secretValue", "v"), ("autoCreateSecret", "false")]),
        &["\"x\"", "does not exist"],
    );
}
