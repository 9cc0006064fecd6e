//! One job with every kind of secret in it, and none of them anywhere afterwards.

use causeway_harness::agent::Step;
use causeway_harness::world::World;

use crate::assert_succeeds;

#[test]
fn no_secret_is_left_anywhere() {
    let world = World::with_aws();
    let bucket = world.bucket("secrecy");
    let parameter = "a-secret-parameter-value";
    let lines = "first secret line\nsecond secret line";
    world.seed().put_parameter("/shop/secret", "SecureString", parameter);
    world.seed().put_parameter("/shop/lines", "SecureString", lines);
    std::fs::write(world.agent.sources().join("a.txt"), "content").unwrap();
    let step = |inputs: &[(&str, &str)], name: &str| world.causeway(inputs).named(name);
    let job = world.run(vec![
        step(&[("command", "verify"), ("awsCredentials", "aws-role")], "verify"),
        step(
            &[("command", "getParameters"), ("connection", "federated"), ("parameterName", "/shop/secret")],
            "one",
        ),
        step(
            &[("command", "getParameters"), ("awsCredentials", "aws-oidc"), ("parameterName", "/shop/lines")],
            "lines",
        ),
        step(&[("command", "ecrLogin"), ("connection", "causeway-keys")], "login"),
        step(&[("command", "s3Upload"), ("awsCredentials", "aws-keys"), ("bucketName", &bucket)], "upload"),
        step(&[("command", "assumeRole"), ("connection", "federated")], "export"),
        Step::script("echo \"$AWS_SESSION_TOKEN\"; cat \"$DOCKER_CONFIG/config.json\"").named("careless"),
    ]);
    assert_succeeds(&job);
    let mut secrets = world.secrets();
    secrets.add("the parameter", parameter);
    secrets.add("the lines", lines);
    let leaks: Vec<_> =
        secrets.search(&job).into_iter().filter(|leak| !format!("{leak:?}").contains("careless")).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(
        !job.log().contains(&world.iam.sessions().last().unwrap().key.secret),
        "the log masks even the careless step"
    );
}
