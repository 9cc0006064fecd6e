//! `command: getParameters` with several at once: lists, JSON, files of all values, output variables.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use causeway_harness::agent::Step;
use causeway_harness::gateway::Fault;
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds, failure};

const PARAMETERS: (&str, &str) = ("command", "getParameters");
const CONNECTION: (&str, &str) = ("connection", "federated");

fn seeded() -> World {
    let world = World::with_aws();
    for (name, kind, value) in [
        ("/shop/url", "String", "https://shop.example/?a=1"),
        ("/shop/token", "SecureString", "hunter2-hunter2"),
        ("/shop/hosts", "StringList", "a.example,b.example"),
        (
            "/shop/db",
            "SecureString",
            r#"{"user":"admin-user","port":54321,"tls":true,"hosts":["h-one","h-two"]}"#,
        ),
    ] {
        world.seed().put_parameter(name, kind, value);
    }
    world
}

#[test]
fn a_list_is_read_in_one_call_and_named_line_by_line() {
    let world = seeded();
    let job = world.step(&[
        PARAMETERS,
        CONNECTION,
        ("parameterNames", "/shop/url\n/shop/token=TOKEN\n\n  /shop/hosts = HOSTS \n"),
        ("singleNameTransform", "leaf"),
    ]);
    assert_succeeds(&job);
    assert_eq!(job.variable("url"), Some("https://shop.example/?a=1"));
    assert_eq!(job.variable("TOKEN"), Some("hunter2-hunter2"));
    assert_eq!(job.variable("HOSTS"), Some("a.example,b.example"));
    assert_eq!((job.is_secret("url"), job.is_secret("TOKEN")), (false, true));
    assert_eq!(world.gateway.calls_of("ssm", "*").len(), 1);
    assert_eq!(world.gateway.calls_of("ssm", "GetParameters").len(), 1);
}

#[test]
fn versions_and_lists_come_beside_a_hierarchy() {
    let world = seeded();
    world.seed().put_parameter("/shop/url", "String", "second");
    world.seed().put_parameter("/other/x", "String", "other");
    let job = world.step(&[
        PARAMETERS,
        CONNECTION,
        ("parameterNames", "/shop/url:1=OLD\n/shop/url=NEW"),
        ("readMode", "hierarchy"),
        ("parameterPath", "/other\n/shop"),
        ("hierarchyNameTransform", "leaf"),
        ("secretMode", "always"),
        ("splitStringList", "true"),
    ]);
    assert_succeeds(&job);
    let values = ["OLD", "NEW", "url", "x", "hosts_0", "hosts_1"].map(|name| job.variable(name).unwrap());
    assert_eq!(values, ["https://shop.example/?a=1", "second", "second", "other", "a.example", "b.example"]);
    assert!(["OLD", "NEW", "url", "x", "hosts_0"].iter().all(|name| job.is_secret(name)));
}

#[test]
fn the_quick_plan_of_a_hierarchy_brings_the_same() {
    let world = World::with_aws();
    for number in 0..120 {
        world.seed().put_parameter(&format!("/big/area-{}/p{number}", number % 4), "String", "v");
    }
    let inputs = [
        PARAMETERS,
        CONNECTION,
        ("readMode", "hierarchy"),
        ("parameterPath", "/big"),
        ("recursive", "true"),
        ("describeParameters", "true"),
        ("hierarchyNameTransform", "leaf"),
    ];
    let job = world.step(&inputs);
    assert_succeeds(&job);
    assert!((0..120).all(|number| job.variable(&format!("p{number}")) == Some("v")));
    assert!(world.gateway.calls_of("ssm", "GetParametersByPath").is_empty());

    let denied = || Fault::error(400, "AccessDeniedException", "not authorized: ssm:DescribeParameters");
    world.gateway.fail("ssm", "DescribeParameters", denied().always());
    let job = world.step(&inputs);
    assert_succeeds(&job);
    assert!((0..120).all(|number| job.variable(&format!("p{number}")) == Some("v")));
    assert!(
        job.log().contains("page by page") && job.log().contains("ssm:DescribeParameters"),
        "{}",
        job.log()
    );
}

#[test]
fn everything_missing_is_named_once() {
    let world = seeded();
    let job = world.step(&[PARAMETERS, CONNECTION, ("parameterNames", "/no/one\n/shop/url\n/no/two:7=X")]);
    assert_fails(&job, &["/no/one", "/no/two:7", "eu-west-1"]);
    assert_eq!(job.variable("/shop/url"), None);
}

#[test]
fn what_cannot_work_is_refused_before_any_call() {
    let world = seeded();
    for (inputs, words) in [
        (vec![("parameterNames", "/a=X\n/b=x")], vec!["\"/a\"", "\"/b\"", "variable"]),
        (vec![("parameterNames", "/a.b\n/a_b")], vec!["/a.b", "/a_b"]),
        (vec![("parameterNames", "/a=")], vec!["parameterNames", "parseJson"]),
        (vec![("parameterNames", "/a b")], vec!["parameterNames", "/a b"]),
        (
            vec![
                ("parameterNames", "/a\n/b"),
                ("singleNameTransform", "custom"),
                ("customVariableName", "X"),
            ],
            vec!["name=VARIABLE"],
        ),
        (vec![("parameterNames", "/a"), ("secretMode", "never")], vec!["secretMode", "auto, always"]),
        (vec![("parameterNames", "/a"), ("outputFile", "."), ("outputFormat", "yaml")], vec!["outputFormat"]),
        (vec![], vec!["parameterName"]),
    ] {
        let mut all = vec![PARAMETERS, CONNECTION];
        all.extend(inputs);
        assert_fails(&world.step(&all), &words);
    }
    assert!(world.gateway.calls().is_empty());
}

#[test]
fn json_is_divided_and_only_the_words_are_no_secrets() {
    let world = seeded();
    let job = world.step(&[
        PARAMETERS,
        CONNECTION,
        ("parameterNames", "/shop/db=DB\n/shop/url=URL\n"),
        ("parseJson", "true"),
    ]);
    assert_succeeds(&job);
    let names = ["DB_user", "DB_port", "DB_tls", "DB_hosts_0", "DB_hosts_1", "URL"];
    let values = ["admin-user", "54321", "true", "h-one", "h-two", "https://shop.example/?a=1"];
    assert_eq!(names.map(|name| job.variable(name).unwrap()), values);
    assert_eq!(names.map(|name| job.is_secret(name)), [true, true, false, true, true, false]);
    assert_eq!(job.variable("DB"), None);

    world.seed().put_parameter("/shop/clash", "String", r#"{"a":{"b":1},"a_b":2}"#);
    let job =
        world.step(&[PARAMETERS, CONNECTION, ("parameterNames", "/shop/clash="), ("parseJson", "true")]);
    assert_fails(&job, &["/shop/clash (a.b)", "/shop/clash (a_b)", "variable \"a_b\""]);
}

#[test]
fn values_reach_other_jobs_as_output_variables() {
    let world = seeded();
    world.seed().put_parameter("/shop/key", "SecureString", "line one of it\nline two of it");
    let job = world.step(&[
        PARAMETERS,
        CONNECTION,
        ("parameterNames", "/shop/url=URL\n/shop/token=TOKEN\n/shop/key=KEY"),
        ("isOutput", "true"),
    ]);
    assert_succeeds(&job);
    for (name, value, secret) in
        [("URL", "https://shop.example/?a=1", false), ("TOKEN", "hunter2-hunter2", true)]
    {
        for name in [name.to_owned(), format!("step.{name}")] {
            assert_eq!((job.variable(&name), job.is_secret(&name)), (Some(value), secret), "{name}");
        }
    }
    assert_eq!(job.variable("step.KEY"), None);
    assert!(job.first().warnings()[0].contains("KEY"), "{:?}", job.first().warnings());
}

#[test]
fn a_dotenv_file_is_read_by_a_script_and_gone_after_the_job() {
    let world = seeded();
    world.seed().put_parameter("/shop/odd", "SecureString", "it's $HOME `x`\r\n\"y\"");
    let job = world.run(vec![
        world.causeway(&[
            PARAMETERS,
            CONNECTION,
            ("parameterNames", "/shop/url=URL\n/shop/token\n/shop/db=DB\n/shop/odd=ODD"),
            ("outputFile", "$(Agent.TempDirectory)/shop.env"),
        ]),
        Step::script(
            "f=\"$AGENT_TEMPDIRECTORY/shop.env\"; stat -c %a \"$f\"; . \"$f\"; \
             printf '%s' \"$_shop_token\" | sha256sum; printf '%s' \"$ODD\" | sha256sum",
        )
        .named("use"),
    ]);
    assert_succeeds(&job);
    let stdout = job.step("use").stdout();
    assert!(stdout.starts_with("600\n"), "{stdout}");
    let expected = ["hunter2-hunter2", "it's $HOME `x`\r\n\"y\""].map(sha256);
    assert_eq!(stdout.lines().skip(1).map(|line| &line[..64]).collect::<Vec<_>>(), expected);
    let warnings = job.step("step").warnings().join("\n");
    assert!(warnings.contains("DB, ODD") && warnings.contains("docker"), "{warnings}");
    assert!(warnings.contains("only bash reads") && !warnings.contains("_shop_token"), "{warnings}");
    assert!(!job.temp().join("shop.env").exists());
}

/// As `sha256sum` writes it.
fn sha256(text: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut sum =
        Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sha256sum");
    sum.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = sum.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

#[test]
fn a_json_file_outside_the_temp_folder_stays_and_is_private() {
    let world = seeded();
    let file = world.agent.sources().join("values.json");
    std::fs::write(&file, "old").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let inputs = [
        PARAMETERS,
        CONNECTION,
        ("parameterNames", "/shop/url\n/shop/token=TOKEN"),
        ("outputFile", "values.json"),
        ("outputFormat", "json"),
    ];
    let job = world.step(&inputs);
    assert_succeeds(&job);
    let file = job.sources().join("values.json");
    let values: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        values,
        serde_json::json!({ "/shop/url": "https://shop.example/?a=1", "TOKEN": "hunter2-hunter2" })
    );
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert!(job.log().contains("and stay there"), "{}", job.log());
    let mut secrets = world.secrets().ignoring(&file);
    secrets.add("the token", "hunter2-hunter2");
    secrets.assert_none_in(&job);
}

#[test]
fn no_file_is_written_through_a_link_and_nothing_is_set_then() {
    let world = seeded();
    let aim = world.agent.sources().join("aim");
    std::fs::write(&aim, "untouched").unwrap();
    symlink("aim", world.agent.sources().join("link.env")).unwrap();
    let job = world.step(&[
        PARAMETERS,
        CONNECTION,
        ("parameterNames", "/shop/token=TOKEN"),
        ("outputFile", "link.env"),
    ]);
    let message = failure(&job);
    assert!(message.contains("link.env") && message.contains("is a link"), "{message}");
    assert_eq!(job.variable("TOKEN"), None);
    assert_eq!(std::fs::read_to_string(aim).unwrap(), "untouched");
}
