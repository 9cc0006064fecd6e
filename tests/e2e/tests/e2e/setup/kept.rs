//! What apply leaves alone, though it differs from the file.

use causeway_harness::world::{World, federated_trust};
use serde_json::{Value, json};

use super::person::{Person, text};

fn applied<'a>(world: &'a World) -> Person<'a> {
    let person = Person::new(world);
    person.file();
    let output = person.run(&["apply", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    person
}

fn change_endpoint(world: &World, person: &Person<'_>, change: impl FnOnce(&mut Value)) {
    let mut endpoint = person.endpoint(&person.connection).unwrap();
    change(&mut endpoint);
    world.azure_devops.put_endpoint(endpoint);
}

#[track_caller]
fn refused(person: &Person<'_>, arguments: &[&str], words: &str) {
    let before = person.changes();
    let output = person.run(arguments);
    assert_eq!(output.status.code(), Some(2), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains(words), "{}", text(&output.stdout));
    assert_eq!(person.changes(), before);
}

#[test]
fn a_permissions_boundary_that_somebody_set_stays() {
    let world = World::with_aws();
    let person = applied(&world);
    let arn = "arn:aws:iam::aws:policy/PowerUserAccess";
    person.iam("PutRolePermissionsBoundary", &[("RoleName", "shop-deploy"), ("PermissionsBoundary", arn)]);
    let plan = person.json(&["apply", "--yes", "--prune"]);
    assert_eq!(plan["changes"], json!([]), "{plan:#}");
    assert!(plan["notes"].to_string().contains("keeps its permissions boundary"), "{plan:#}");
    assert!(person.iam("GetRole", &[("RoleName", "shop-deploy")]).contains(arn));
}

#[test]
fn an_existing_role_that_the_file_drops_loses_our_statements_with_prune() {
    let world = World::with_aws();
    let person = Person::new(&world);
    let issuer = world.azure_devops.issuer();
    let trust = federated_trust(&person.account, &issuer, &["sc://contoso/shop/theirs".to_owned()]);
    person
        .iam("CreateRole", &[("RoleName", "shop-deploy"), ("AssumeRolePolicyDocument", &trust.to_string())]);
    let before = person.trust("shop-deploy");
    person.file();
    person.replace("    permissions:\n      - ecrPush: { repositories: [shop/web] }\n      - readParameters: { path: /shop }\n", "    existing: true\n");
    person.json(&["apply", "--yes"]);
    assert_ne!(person.trust("shop-deploy"), before);
    person.replace("    existing: true\n", "    path: /\n");
    person.replace("shop-deploy", "shop-new");
    let plan = person.json(&["apply", "--yes"]);
    assert!(plan["notes"].to_string().contains("role shop-deploy (dev)"), "{plan:#}");
    let pruned = person.json(&["apply", "--yes", "--prune"]);
    assert_eq!(pruned["changes"].as_array().unwrap().len(), 1, "{pruned:#}");
    assert_eq!(person.trust("shop-deploy"), before);
}

#[test]
fn a_connection_that_became_somebodys_stays() {
    let world = World::with_aws();
    let person = applied(&world);
    change_endpoint(&world, &person, |endpoint| {
        endpoint["name"] = json!("theirs");
        endpoint["data"]["roleArn"] = json!("arn:aws:iam::210987654321:role/theirs");
    });
    refused(&person, &["apply", "--yes", "--prune"], "connection theirs");
    let output = person.run(&["remove", "--yes"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(person.endpoint("theirs").is_some());
}

#[test]
fn a_disabled_connection_is_not_enabled() {
    let world = World::with_aws();
    let person = applied(&world);
    change_endpoint(&world, &person, |endpoint| endpoint["isReady"] = json!(false));
    refused(&person, &["apply", "--yes"], "enable it by hand");
}

#[test]
fn somebodys_connection_is_not_opened_and_another_set_ups_role_not_joined() {
    let world = World::with_aws();
    let person = applied(&world);
    change_endpoint(&world, &person, |endpoint| endpoint["description"] = json!("theirs"));
    person.replace("role: shop-deploy", "role: shop-deploy, pipelines: all");
    refused(&person, &["apply", "--yes"], "not opened to all pipelines");

    person.replace("project: shop", "project: shop\nname: second");
    person.replace("    permissions:\n      - ecrPush: { repositories: [shop/web] }\n      - readParameters: { path: /shop }\n", "    existing: true\n");
    refused(&person, &["apply", "--yes"], "made it");
    let found = person.json(&["check"]);
    let cures = found["findings"].to_string();
    assert!(!cures.contains("run causeway setup apply\""), "apply would refuse: {found:#}");
}

#[test]
fn a_token_is_sent_to_this_machine_or_azure_devops_alone() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    let output =
        person.command(&["plan"]).env("CAUSEWAY_AZURE_DEVOPS_URL", "https://evil.example").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("for tests on this machine only"), "{}", text(&output.stderr));
}

#[test]
fn json_holds_no_command_to_the_agent() {
    let world = World::with_aws();
    let person = Person::new(&world);
    let name = "##vso[task.setvariable variable=x]y";
    person.key_connection(name);
    person.file();
    let output = person.run(&["list", "--json"]);
    assert!(!text(&output.stdout).contains("##"), "{}", text(&output.stdout));
    assert_eq!(person.json_of(output)["connections"][0]["name"], name);
}
