//! The job summary (`task.uploadsummary`), which the agent shows unmasked.

use causeway_harness::agent::Variable;
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds};

#[test]
fn it_is_not_shown_when_it_is_switched_off_or_there_is_nothing_to_say() {
    let world = World::new();
    let inputs = [("command", "verify"), ("connection", "federated")];
    let summaries = |more: &[(&str, &str)]| world.step(&[&inputs, more].concat()).first().summaries.clone();
    assert_eq!(summaries(&[]).len(), 1);
    assert_eq!(summaries(&[("summary", "false")]), Vec::<String>::new());
    assert_eq!(summaries(&[("roleArn", "nonsense")]), Vec::<String>::new());
    assert_fails(&world.step(&[&inputs[..], &[("summary", "perhaps")]].concat()), &["input summary"]);
}

#[test]
fn it_says_who_it_was_and_names_in_it_are_text_whatever_stands_in_them() {
    let world = World::with_aws();
    world.seed().put_parameter("/shop/one", "SecureString", "hunter2hunter2");
    let job = world.step(&[
        ("command", "getParameters"),
        ("connection", "federated"),
        ("parameterName", "/shop/one"),
        ("singleNameTransform", "custom"),
        ("customVariableName", "A|B<img src=x>`[x](javascript:1)`##vso[task.complete]"),
    ]);
    assert_succeeds(&job);
    let summary = &job.first().summaries[0];
    let arn = format!("| Caller | `arn:aws:sts::{}:assumed-role/deploy/causeway-", world.account);
    for part in [arn.as_str(), "| Role | `deploy` |", "| Valid until | `20", "| Result | `succeeded` |"] {
        assert!(summary.contains(part), "\"{part}\" is missing in:\n{summary}");
    }
    let variable = r"`A\u{7c}B\u{3c}img src=x\u{3e}\u{60}[x](javascript:1)\u{60}# #vso[task.complete]`";
    assert!(summary.contains(variable), "{summary}");
    assert!(!summary.contains("hunter2"));
}

#[test]
fn a_step_that_fails_half_way_still_says_who_it_was() {
    let world = World::with_aws();
    let job = world.step(&[
        ("command", "getParameters"),
        ("connection", "federated"),
        ("parameterName", "/no/such"),
    ]);
    assert_fails(&job, &["/no/such"]);
    let summary = &job.first().summaries[0];
    assert!(summary.contains("failed") && summary.contains(&world.account), "{summary}");
}

#[test]
fn what_the_log_masks_is_masked_here_too() {
    let mut world = World::with_aws();
    world.variables.push(Variable::secret("Account", &world.account));
    world.variables.push(Variable::secret("Role", "deploy"));
    world.seed().put_parameter("/shop/kind", "SecureString", "customers");
    let job = world.step(&[
        ("command", "getParameters"),
        ("connection", "federated"),
        ("parameterName", "/shop/kind"),
        ("singleNameTransform", "custom"),
        ("customVariableName", "kind_customers"),
    ]);
    assert_succeeds(&job);
    let summary = &job.first().summaries[0];
    for part in [
        "| AWS account | `***` |",
        "| Role | `***` |",
        "`arn:aws:sts::***:assumed-role/***/causeway-",
        "`kind_***`",
    ] {
        assert!(summary.contains(part), "\"{part}\" is missing in:\n{summary}");
    }
    for secret in [world.account.as_str(), "deploy", "customers"] {
        assert!(!summary.contains(secret), "{secret} stands in:\n{summary}");
    }
}

#[test]
fn it_names_what_was_written_logged_in_to_and_deleted() {
    let world = World::with_aws();
    let summary = |more: &[(&str, &str)]| {
        let job = world.step(&[&[("connection", "federated")], more].concat());
        assert_succeeds(&job);
        job.first().summaries[0].clone()
    };
    let page = summary(&[
        ("command", "putParameter"),
        ("parameterName", "/shop/written"),
        ("parameterType", "SecureString"),
        ("parameterValue", "value-that-is-written"),
    ]);
    assert!(page.contains("| Stored | `/shop/written, version 1` |"), "{page}");
    assert!(!page.contains("value-that"), "{page}");
    let page = summary(&[
        ("command", "putSecret"),
        ("secretNameOrId", "shop/written"),
        ("secretValue", "secret-that-is-written"),
    ]);
    assert!(page.contains("| Stored | `shop/written, version ") && !page.contains("secret-that"), "{page}");
    let page = summary(&[("command", "ecrLogin"), ("registries", "111122223333\n444455556666.us-east-1")]);
    for host in
        ["111122223333.dkr.ecr.eu-west-1.amazonaws.com", "444455556666.dkr.ecr.us-east-1.amazonaws.com"]
    {
        assert!(page.contains(&format!("| Logged in to | `{host}` |")), "{page}");
    }
    let bucket = world.bucket("summary");
    world.seed().put_object(&bucket, "site/old.txt", b"old", &[]);
    let file = world.agent.sources().join("site/new.txt");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, "new").unwrap();
    let page = summary(&[
        ("command", "s3Upload"),
        ("bucketName", &bucket),
        ("sourceFolder", "site"),
        ("targetFolder", "site"),
        ("deleteRemoved", "true"),
    ]);
    assert!(page.contains("| Deleted | `1` |"), "{page}");
}
