//! `command: getParameters`

use causeway_harness::agent::Step;
use causeway_harness::gateway::Fault;
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds};

const PARAMETERS: (&str, &str) = ("command", "getParameters");
const CONNECTION: (&str, &str) = ("connection", "federated");

#[test]
fn values_with_every_hazard_arrive_unchanged() {
    for value in [
        "plain-value",
        "50% off; done] ##vso[task.setvariable variable=evil]x",
        "%0Aliteral %AZP25 %3B",
        "two\nlines",
        "\r\nframed\r\n",
        "ünïcode 😀 \u{200b}hidden",
        "   spaces around   ",
    ] {
        let world = World::with_aws();
        world.seed().put_parameter("/shop/plain", "String", value);
        let job = world.step(&[PARAMETERS, CONNECTION, ("parameterName", "/shop/plain")]);
        assert_succeeds(&job);
        assert_eq!(job.variable("/shop/plain"), Some(value));
        assert!(!job.is_secret("/shop/plain"));
        assert_eq!(job.variable("evil"), None);
    }
}

#[test]
fn a_secure_string_is_secret_and_scripts_get_it_only_by_mapping() {
    for value in ["hunter2hunter2", "p%w;d]##vso[task.complete result=Failed]", "short"] {
        let world = World::with_aws();
        world.seed().put_parameter("/shop/token", "SecureString", value);
        let inputs = [
            PARAMETERS,
            CONNECTION,
            ("parameterName", "/shop/token"),
            ("singleNameTransform", "custom"),
            ("customVariableName", "TOKEN"),
        ];
        let job = world.run(vec![
            world.causeway(&inputs),
            // What a script prints is read by the agent too, so it compares instead of printing.
            Step::script("echo \"unmapped [$TOKEN]\"; [ \"$MAPPED\" = \"$EXPECTED\" ] && echo mapped")
                .named("use")
                .with_env("MAPPED", "$(TOKEN)")
                .with_env("EXPECTED", value),
        ]);
        assert_succeeds(&job);
        assert_eq!(job.variable("TOKEN"), Some(value));
        assert!(job.is_secret("TOKEN"));
        let stdout = job.step("use").stdout();
        assert!(stdout.contains("unmapped []"), "{stdout}");
        assert!(stdout.contains("\nmapped"), "{stdout}");
        let mut secrets = world.secrets();
        secrets.add("the parameter", value);
        let only_first = world.step(&inputs);
        secrets.assert_none_in(&only_first);
    }
}

#[test]
fn a_secret_of_several_lines_goes_to_a_file_that_is_gone_after_the_job() {
    let world = World::with_aws();
    let key = "-----BEGIN KEY-----\nline one of it\nline two of it\n-----END KEY-----\n";
    world.seed().put_parameter("/shop/key", "SecureString", key);
    let job = world.run(vec![
        world.causeway(&[
            PARAMETERS,
            CONNECTION,
            ("parameterName", "/shop/key"),
            ("singleNameTransform", "leaf"),
        ]),
        Step::script("stat -c '%a' \"$(key)\"; sha256sum < \"$(key)\"; cat \"$(key)\"").named("use"),
    ]);
    assert_succeeds(&job);
    let use_step = job.step("use");
    assert!(use_step.stdout().starts_with("600\n"), "{}", use_step.stdout());
    assert!(use_step.stdout().contains("line two of it"));
    assert!(!use_step.log.contains("line two of it"), "each line is masked: {}", use_step.log);
    let path = job.variable("key").unwrap();
    assert!(!std::path::Path::new(path).exists(), "{path} is left");
    let mut secrets = world.secrets();
    secrets.add("the key", key);
    let only_first = world.step(&[
        PARAMETERS,
        CONNECTION,
        ("parameterName", "/shop/key"),
        ("singleNameTransform", "leaf"),
    ]);
    secrets.assert_none_in(&only_first);
}

#[test]
fn a_hierarchy_is_read_whole_and_named() {
    let world = World::with_aws();
    for number in 0..23 {
        world.seed().put_parameter(&format!("/app/dev/p{number:02}"), "String", &format!("v{number}"));
    }
    world.seed().put_parameter("/app/dev/deep/one", "SecureString", "deep-secret");
    world.seed().put_parameter("/appendix/no", "String", "no");
    let inputs = [
        PARAMETERS,
        CONNECTION,
        ("readMode", "hierarchy"),
        ("parameterPath", "app/dev/"),
        ("hierarchyNameTransform", "leaf"),
    ];
    let job = world.step(&inputs);
    assert_succeeds(&job);
    assert_eq!(
        (job.variable("p00"), job.variable("p22"), job.variable("one")),
        (Some("v0"), Some("v22"), None)
    );

    let mut inputs = inputs.to_vec();
    inputs.retain(|(name, _)| *name != "hierarchyNameTransform");
    inputs.extend([
        ("recursive", "true"),
        ("hierarchyNameTransform", "substitute"),
        ("replacementPattern", "^/(\\w+)/DEV/"),
        ("replacementText", "$1_"),
    ]);
    let job = world.step(&inputs);
    assert_succeeds(&job);
    assert_eq!(job.variable("app_p07"), Some("v7"));
    assert_eq!(job.variable("app_deep/one"), Some("deep-secret"));
    assert!(job.is_secret("app_deep/one"));
}

#[test]
fn an_empty_hierarchy_is_a_warning() {
    let world = World::with_aws();
    let job = world.step(&[PARAMETERS, CONNECTION, ("readMode", "hierarchy"), ("parameterPath", "/nothing")]);
    assert_succeeds(&job);
    assert!(job.first().warnings()[0].contains("/nothing"));
}

#[test]
fn versions_are_asked_for() {
    let world = World::with_aws();
    world.seed().put_parameter("/shop/v", "String", "one");
    world.seed().put_parameter("/shop/v", "String", "two");
    let job = world.step(&[PARAMETERS, CONNECTION, ("parameterName", "/shop/v"), ("parameterVersion", "1")]);
    assert_succeeds(&job);
    assert_eq!(job.variable("/shop/v"), Some("one"));
}

#[test]
fn what_is_not_there_or_not_allowed_is_said() {
    let world = World::with_aws();
    let inputs = [PARAMETERS, CONNECTION, ("parameterName", "/no/such")];
    assert_fails(&world.step(&inputs), &["/no/such", "does not exist", "eu-west-1", "ParameterNotFound"]);

    world.gateway.fail(
        "ssm",
        "GetParameter",
        Fault::error(400, "AccessDeniedException", "not authorized to perform: ssm:GetParameter"),
    );
    assert_fails(&world.step(&inputs), &["/no/such", "AccessDeniedException", "ssm:GetParameter"]);
}

#[test]
fn throttling_is_tried_again() {
    let world = World::with_aws();
    world.seed().put_parameter("/shop/t", "String", "value");
    world.gateway.fail("ssm", "GetParameter", Fault::throttling().times(2));
    assert_succeeds(&world.step(&[PARAMETERS, CONNECTION, ("parameterName", "/shop/t")]));
    assert_eq!(world.gateway.calls_of("ssm", "GetParameter").len(), 3);
}

#[test]
fn two_parameters_that_end_in_one_variable_are_refused() {
    let world = World::with_aws();
    world.seed().put_parameter("/app/a/url", "String", "1");
    world.seed().put_parameter("/app/b/URL", "String", "2");
    let inputs = [
        PARAMETERS,
        CONNECTION,
        ("readMode", "hierarchy"),
        ("parameterPath", "/app"),
        ("recursive", "true"),
        ("hierarchyNameTransform", "leaf"),
    ];
    let job = world.step(&inputs);
    assert_fails(&job, &["/app/a/url", "/app/b/URL"]);
    assert_eq!(job.variable("url"), None);
}
