//! `command: putParameter`

use causeway_harness::agent::{JobResult, Variable};
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds};

const NAME: (&str, &str) = ("parameterName", "/shop/new");

fn put(world: &World, inputs: &[(&str, &str)]) -> JobResult {
    let mut all = vec![("command", "putParameter"), ("connection", "federated")];
    all.extend(inputs);
    world.step(&all)
}

#[test]
fn a_secret_variable_becomes_a_secure_string() {
    let mut world = World::with_aws();
    let value = "p%w;d]##vso[task.setvariable variable=evil]x";
    world.variables.push(Variable::secret("Password", value));
    let inputs = [
        NAME,
        ("parameterType", "SecureString"),
        ("parameterValue", "$(Password)"),
        ("parameterTier", "Standard"),
        ("tags", "team=shop"),
        ("description", "text"),
    ];
    let job = put(&world, &inputs);
    assert_succeeds(&job);
    assert!(job.first().warnings().is_empty());
    assert_eq!(job.variable("step.storedVersion"), Some("1"));
    let stored = world.seed().parameter("/shop/new").unwrap();
    assert_eq!((stored.kind.as_str(), stored.value.as_str()), ("SecureString", value));
    assert_eq!(world.seed().parameter_tags("/shop/new"), ["team=shop"]);
    let mut secrets = world.secrets();
    secrets.add("the value", value);
    secrets.assert_none_in(&job);

    let job = put(&world, &inputs);
    assert_succeeds(&job);
    assert_eq!(job.variable("step.storedVersion"), Some("2"));
    let mut inputs = inputs.to_vec();
    inputs.push(("overwriteParameter", "false"));
    assert_fails(&put(&world, &inputs), &["/shop/new", "exists already", "overwriting is off"]);
}

#[test]
fn a_value_in_the_pipeline_itself_is_warned_of() {
    let mut world = World::with_aws();
    let job = put(&world, &[NAME, ("parameterValue", "a literal")]);
    assert_succeeds(&job);
    assert!(job.first().warnings()[0].contains("parameterValue"));
    assert_eq!(world.seed().parameter("/shop/new").unwrap().kind, "String");

    // A secret within a longer text counts as one.
    world.variables.push(Variable::secret("Password", "hunter2-hunter2"));
    let job = put(&world, &[NAME, ("parameterValue", "user=a;password=$(Password)")]);
    assert_succeeds(&job);
    assert!(job.first().warnings().is_empty());
    assert_eq!(world.seed().parameter("/shop/new").unwrap().value, "user=a;password=hunter2-hunter2");
}

#[test]
fn a_file_is_stored_as_it_is() {
    let world = World::with_aws();
    std::fs::write(world.agent.sources().join("key.pem"), "-----BEGIN-----\nü\r\n-----END-----\n").unwrap();
    let job = put(&world, &[NAME, ("parameterType", "SecureString"), ("parameterValueFile", "key.pem")]);
    assert_succeeds(&job);
    assert!(job.first().warnings().is_empty());
    assert_eq!(world.seed().parameter("/shop/new").unwrap().value, "-----BEGIN-----\nü\r\n-----END-----\n");
}

#[test]
fn what_cannot_be_stored_is_refused_before_any_call() {
    let world = World::with_aws();
    let long = "x".repeat(4097);
    for (inputs, word) in [
        (vec![("parameterValue", "v")], "parameterName"),
        (vec![NAME], "parameterValueFile"),
        (vec![("parameterName", "/a:3"), ("parameterValue", "v")], "/a:3"),
        (vec![NAME, ("parameterValue", "v"), ("encryptionKeyId", "k")], "SecureString"),
        (vec![NAME, ("parameterValue", &long), ("parameterTier", "Standard")], "4097"),
        (vec![NAME, ("parameterValue", "v"), ("parameterTier", "Gold")], "Intelligent-Tiering"),
        (vec![NAME, ("parameterValue", "v"), ("parameterType", "Secure")], "StringList"),
        (vec![NAME, ("parameterValue", "v"), ("tags", "no-value")], "key=value"),
    ] {
        assert_fails(&put(&world, &inputs), &[word]);
    }
    assert!(world.gateway.calls().is_empty());
}
