//! Trust policies: what `verify` prints and checks, and `causeway trust` at a terminal. What is generated is put before
//! the harness's own STS, which judges it with code of its own.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use causeway_harness::azure_devops::{IssuerForm, Organization};
use causeway_harness::sts::Role;
use causeway_harness::world::{Settings, World, binary, federated_trust};
use serde_json::{Value, json};

use crate::{assert_fails, assert_succeeds, failure};

/// `causeway trust …` with something on its standard input.
fn trust(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(binary())
        .arg("trust")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn document(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Makes a policy that of role `deploy`.
fn put_on_role(world: &World, policy: &Value) {
    world.iam.add_role(Role::new(&world.account, "deploy", policy.clone()));
}

fn verify(world: &World, more: &[(&str, &str)]) -> causeway_harness::agent::JobResult {
    world.step(&[&[("command", "verify"), ("connection", "federated")], more].concat())
}

/// The token that Azure DevOps made last.
fn a_token(world: &World) -> String {
    assert_succeeds(&verify(world, &[]));
    world.azure_devops.issued_tokens().last().unwrap().clone()
}

/// What stands in the log's only folded group.
fn group(log: &str) -> &str {
    let (_, rest) = log.split_once("##[group]").expect("a group");
    let (_, rest) = rest.split_once('\n').unwrap();
    rest.split_once("##[endgroup]").expect("the group's end").0
}

fn policy_in(log: &str) -> Value {
    let document: Value = serde_json::from_str(group(log)).unwrap();
    document["Role"]["AssumeRolePolicyDocument"].clone()
}

#[test]
fn the_printed_policy_lets_exactly_this_connection_in() {
    for issuer in [IssuerForm::Vstoken, IssuerForm::Entra] {
        let organization = Organization { issuer, ..Organization::default() };
        let world = World::of(Settings { organization, ..Settings::default() });
        let policy = policy_in(&verify(&world, &[]).first().log);
        put_on_role(&world, &policy);
        assert_succeeds(&verify(&world, &[]));
        let other = world.step(&[("command", "assumeRole"), ("awsCredentials", "aws-oidc")]);
        assert_fails(&other, &["AccessDenied", "trustPolicyFile"]);
    }
}

#[test]
fn the_policy_is_printed_when_aws_refuses_and_for_connections_with_keys() {
    let world = World::new();
    put_on_role(&world, &federated_trust(&world.account, &world.azure_devops.issuer(), &["x".into()]));
    let refused = verify(&world, &[]);
    assert_fails(&refused, &["AccessDenied", "stands in the log above"]);
    put_on_role(&world, &policy_in(&refused.first().log));
    assert_succeeds(&verify(&world, &[]));

    // A key connection of today learns what its role has to say once it is federated.
    let keys = world.step(&[("command", "verify"), ("awsCredentials", "aws-keys")]);
    assert_succeeds(&keys);
    let document: Value = serde_json::from_str(group(&keys.first().log)).unwrap();
    assert_eq!(document["Role"]["Arn"], world.role_arn("azure-pipelines"));
    assert!(document.to_string().contains(&world.azure_devops.subject_of("aws-keys").unwrap()));
    let role = world.step(&[("command", "verify"), ("awsCredentials", "aws-role")]);
    // The ARN itself is masked there: the AWS Toolkit's connections keep it among their secrets.
    assert!(group(&role.first().log).contains("\"RoleName\": \"deploy-keys\""));
}

#[test]
fn the_format_is_chosen() {
    let world = World::new();
    for (format, words) in [
        ("terraform", ["resource \"aws_iam_role\"", "jsonencode("]),
        ("cloudformation", ["AWS::IAM::OIDCProvider", "Ref: AzureDevOpsProvider"]),
        ("JSON", ["\"ClientIDList\"", "\"AssumeRolePolicyDocument\""]),
    ] {
        let job = verify(&world, &[("policyFormat", format)]);
        assert_succeeds(&job);
        let group = group(&job.first().log);
        assert!(words.iter().all(|word| group.contains(word)), "{group}");
    }
}

#[test]
fn both_issuers_are_written_where_the_tenant_is_known() {
    let world = World::new();
    let tenant = world.azure_devops.organization().tenant.to_string();
    let job = verify(&world, &[("issuers", "both"), ("tenantId", &tenant)]);
    assert_succeeds(&job);
    let policy = policy_in(&job.first().log);
    let statements = policy["Statement"].as_array().unwrap();
    let connection = world.azure_devops.find_connection("federated").unwrap().id;
    let organization = world.azure_devops.organization().id;
    assert_eq!(statements.len(), 2);
    assert!(statements[1].to_string().contains(&format!("/sc/{organization}/{connection}\"")));
    assert!(
        statements[1].to_string().contains(&format!("oidc-provider/login.microsoftonline.com/{tenant}/v2.0"))
    );
    let job = verify(&world, &[("issuers", "both")]);
    assert_succeeds(&job);
    assert_eq!(policy_in(&job.first().log)["Statement"].as_array().unwrap().len(), 1);
    assert!(job.first().log.contains("Give it in input tenantId"), "{}", job.first().log);
    let role = world.role_arn("deploy");
    let pipeline = world.step(&[
        ("command", "verify"),
        ("identity", "pipeline"),
        ("roleArn", &role),
        ("issuers", "both"),
        ("tenantId", &tenant),
    ]);
    assert_succeeds(&pipeline);
    assert!(pipeline.first().log.contains("the token is a pipeline's own"), "{}", pipeline.first().log);

    put_on_role(&world, &policy);
    assert_succeeds(&verify(&world, &[]));
}

#[test]
fn the_files_policy_is_judged_and_explains_awss_refusal() {
    let world = World::new();
    let issuer = world.azure_devops.issuer();
    let wrong = federated_trust(&world.account, &issuer, &["sc://contoso/Shop/federated".into()]);
    let path = world.agent.sources().join("trust.json");
    std::fs::write(&path, wrong.to_string()).unwrap();
    let why = "sub is \"sc://contoso/shop/federated\", the policy wants \"sc://contoso/Shop/federated\" (case differs)";

    // The role's policy is right: AWS has the last word, the file's fault is only told.
    let job = verify(&world, &[("trustPolicyFile", "trust.json")]);
    assert_succeeds(&job);
    assert!(job.first().log.contains(why), "{}", job.first().log);

    put_on_role(&world, &wrong);
    let job = verify(&world, &[("trustPolicyFile", "trust.json")]);
    assert_fails(&job, &["AccessDenied", "request id", why, "trust.json does not let it in"]);
    assert_eq!(world.gateway.calls_of("sts", "AssumeRoleWithWebIdentity").len(), 2, "AWS is asked each time");

    let right =
        federated_trust(&world.account, &issuer, &[world.azure_devops.subject_of("federated").unwrap()]);
    let output = json!({ "Role": { "Arn": world.role_arn("deploy"), "AssumeRolePolicyDocument": right } });
    std::fs::write(&path, output.to_string()).unwrap();
    let job = verify(&world, &[("trustPolicyFile", "trust.json")]);
    assert_fails(&job, &["AccessDenied", "so the role has another one", "aws iam get-role"]);
    assert!(job.first().log.contains("The policy lets this token in (Statement[0])"), "{}", job.first().log);
}

#[test]
fn bad_inputs_of_verify_are_refused_before_anything_is_sent() {
    let world = World::new();
    std::fs::write(world.agent.sources().join("odd.json"), "{\"Statement\":[{\"Efect\":\"Allow\"}]}")
        .unwrap();
    for (inputs, words) in [
        (&[("trustPolicyFile", "odd.json")][..], ["trustPolicyFile", "Statement[0].Efect"]),
        (&[("trustPolicyFile", "none.json")], ["trustPolicyFile", "none.json"]),
        (&[("policyFormat", "pulumi")], ["policyFormat", "terraform"]),
        (&[("issuers", "all")], ["issuers", "both"]),
        (&[("issuers", "both"), ("tenantId", "contoso.onmicrosoft.com")], ["tenantId", "GUID"]),
    ] {
        let message = failure(&verify(&world, inputs));
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    assert!(world.gateway.calls().is_empty() && world.azure_devops.received().is_empty());
}

#[test]
fn names_and_connections_with_commands_in_them_bring_none_into_the_log() {
    let world = World::new();
    let subject = "sc://contoso/shop/##vso[task.setvariable variable=evil]1";
    world.azure_devops.answer_next(causeway_harness::azure_devops::Answer::subject(subject));
    let job = verify(&world, &[]);
    assert_fails(&job, &["AccessDenied"]);
    assert_eq!(job.variable("evil"), None);
    // Written with an escape the policy is still exactly this subject's.
    assert!(policy_in(&job.first().log).to_string().contains(subject));
}

#[test]
fn a_terminal_generates_what_the_strict_sts_takes() {
    let world = World::new();
    let token = a_token(&world);
    let arguments = ["generate", "--token-file", "-", "--account", &world.account, "--role-name", "deploy"];
    let generated = document(&trust(&arguments, &token));
    put_on_role(&world, &generated["Role"]["AssumeRolePolicyDocument"]);
    assert_succeeds(&verify(&world, &[]));
    assert_eq!(generated["OpenIDConnectProviders"][0]["Url"], world.azure_devops.issuer());

    let organization = world.azure_devops.organization();
    let (id, tenant) = (organization.id.to_string(), organization.tenant.to_string());
    let connection = world.azure_devops.find_connection("federated").unwrap().id.to_string();
    let names = [
        "--organization-id",
        &id,
        "--organization",
        "contoso",
        "--project",
        "shop",
        "--connection",
        "federated",
    ];
    let entra = ["--tenant", &tenant, "--connection-id", &connection];
    let role = ["--account", &world.account, "--role-name", "deploy"];
    let by_hand = document(&trust(&[&["generate"], &names[..], &role].concat(), ""));
    assert_eq!(by_hand, generated, "names and token say the same");
    let both = document(&trust(&[&["generate"], &names[..], &entra, &role].concat(), ""));
    put_on_role(&world, &both["Role"]["AssumeRolePolicyDocument"]);
    assert_succeeds(&verify(&world, &[]));
    let with_token =
        document(&trust(&[&["generate", "--token-file", "-"], &entra[..], &role].concat(), &token));
    assert_eq!(with_token, both);
}

#[test]
fn a_terminal_says_what_is_missing() {
    for (arguments, words) in [
        (&["--organization", "contoso"][..], ["--organization needs", "--connection"]),
        (&["--tenant", "x"], ["--tenant needs", "--connection-id"]),
        (&[], ["--token-file", "--organization-id"]),
        (
            &["--organization", "contoso", "--project", "shop", "--connection", "aws"],
            ["--organization-id is required", "GUID"],
        ),
        (&["--token-file", "a", "--claims", "b"], ["--token-file", "cannot be used with"]),
        (&["--format", "pulumi"], ["pulumi", "cloudformation"]),
        (&["--claims", "-"], ["-: this is not a JSON object", "iss"]),
        (&["--token-file", "-"], ["-: this is not a JSON web token", "iss"]),
        (&["--role-name", "a b"], ["--role-name", "spaces"]),
    ] {
        let output = trust(&[&["generate", "--account", "123456789012"], arguments].concat(), "secret-text");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let said = text(&output.stderr);
        assert!(words.iter().all(|word| said.contains(word)), "{arguments:?}: {said}");
        assert!(!said.contains("secret-text"));
    }
}

#[test]
fn a_terminal_checks_a_policy_and_tells_by_its_exit_code() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let token = write("token", &format!("{}\n", a_token(&world)));
    let policy =
        |subject: &str| federated_trust(&world.account, &world.azure_devops.issuer(), &[subject.to_owned()]);
    let check = |policy: &Value, more: &[&str]| {
        let output = trust(&[&["check", "-", "--token-file", &token], more].concat(), &policy.to_string());
        (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
    };
    let right = policy("sc://contoso/shop/federated");
    assert_eq!(check(&right, &[]).0, Some(0));
    assert_eq!(
        check(&right, &["--account", &world.account]),
        (Some(0), "The policy lets this token in (Statement[0]).\n".into(), String::new())
    );

    let (code, said, _) = check(&policy("sc://contoso/Shop/federated"), &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("sub is \"sc://contoso/shop/federated\", the policy wants \"sc://contoso/Shop/federated\" (case differs)"), "{said}");
    assert_eq!(check(&right, &["--account", "210987654321"]).0, Some(1), "a provider of another account");

    let mut open = right.clone();
    open["Statement"][0]["Condition"]["IpAddress"] = json!({ "aws:SourceIp": "203.0.113.0/24" });
    let (code, said, _) = check(&open, &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("aws:SourceIp"), "{said}");

    let mut malformed = right.clone();
    malformed["Statement"][0]["Condition"]["StringEquls"] = json!({});
    let (code, said, complaint) = check(&malformed, &[]);
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert!(complaint.contains("-: Statement[0].Condition.StringEquls"), "{complaint}");

    let everyone = json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "sts:*" } });
    let (code, _, complaint) = check(&everyone, &[]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("give it with --account"), "{complaint}");
    let (code, said, _) = check(&everyone, &["--account", &world.account]);
    assert_eq!(code, Some(0));
    assert!(said.contains("Mind: Statement: everyone is a principal"), "{said}");
    assert_eq!(check(&everyone, &["--account", &world.account, "--partition", "mars"]).0, Some(2));
}

#[test]
fn no_option_takes_a_token_itself() {
    for help in [["generate", "--help"], ["check", "--help"]] {
        let output = trust(&help, "");
        assert_eq!(output.status.code(), Some(0));
        let said = text(&output.stdout);
        assert!(said.contains("--token-file <FILE>") && !said.contains("--token <"), "{said}");
    }
}
