//! Bad input is refused before the first network call, naming the input.

use causeway_harness::world::World;

use crate::failure;

#[test]
fn each_bad_input_is_named_and_nothing_is_sent() {
    let role = "arn:aws:iam::123456789012:role/deploy";
    let cases: [(&[(&str, &str)], &str); 18] = [
        (&[("command", "conquer")], "command"),
        (&[("regionName", "evil.example/x")], "regionName"),
        (&[("regionName", "eu-west-1@evil.example")], "regionName"),
        (&[("regionName", "cn-north-1")], "aws-cn"),
        (&[("roleArn", "arn:aws:iam::123456789012:role/my role")], "roleArn"),
        (&[("roleArn", "arn:aws-cn:iam::123456789012:role/deploy")], "aws-cn"),
        (&[("identity", "root")], "identity"),
        (&[("identity", "agent")], "identity"),
        (&[("durationSeconds", "60")], "durationSeconds"),
        (&[("roleSessionName", "a b")], "roleSessionName"),
        (&[("externalId", "contoso")], "external ID"),
        (&[("awsCredentials", "aws-keys"), ("roleArn", role)], "awsCredentials"),
        (&[("command", "getParameters")], "parameterName"),
        (
            &[("command", "getParameters"), ("parameterName", "/a"), ("parameterVersion", "0")],
            "parameterVersion",
        ),
        (
            &[
                ("command", "getParameters"),
                ("parameterName", "/a"),
                ("singleNameTransform", "substitute"),
                ("replacementPattern", "("),
            ],
            "replacementPattern",
        ),
        (&[("command", "getParameters"), ("readMode", "hierarchy")], "parameterPath"),
        (&[("command", "s3Upload"), ("bucketName", "UPPER")], "bucketName"),
        (
            &[("command", "s3Upload"), ("bucketName", "shop-bucket"), ("cacheControl", "*.js=")],
            "cacheControl",
        ),
    ];
    let world = World::new();
    for (inputs, word) in cases {
        let mut all = inputs.to_vec();
        for default in [("command", "verify"), ("connection", "federated")] {
            if !all.iter().any(|(name, _)| *name == default.0) {
                all.push(default);
            }
        }
        let job = world.step(&all);
        let message = failure(&job);
        assert!(message.contains(word), "\"{word}\" is missing in: {message}");
        assert!(message.ends_with('.'), "{message}");
    }
    assert!(world.gateway.calls().is_empty(), "{:?}", world.gateway.calls());
    assert!(world.azure_devops.received().is_empty());
}
