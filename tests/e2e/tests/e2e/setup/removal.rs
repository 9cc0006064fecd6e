//! What is ours goes; what is others' stays.

use causeway_harness::world::{World, federated_trust};
use serde_json::{Value, json};

use super::person::{Person, text};

/// What somebody else allows.
const OWN_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}"#;

fn host(world: &World) -> String {
    world.azure_devops.issuer().trim_start_matches("https://").to_owned()
}

/// Somebody's role for a connection of the same organization.
fn others_role(world: &World, person: &Person<'_>, name: &str) -> String {
    let issuer = world.azure_devops.issuer();
    let trust =
        federated_trust(&person.account, &issuer, &["sc://contoso/shop/theirs".to_owned()]).to_string();
    person.iam("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)]);
    person.iam("PutRolePolicy", &[("RoleName", name), ("PolicyName", "own"), ("PolicyDocument", OWN_POLICY)]);
    trust
}

#[test]
fn remove_leaves_nothing_of_ours() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    assert_eq!(person.run(&["apply", "--yes"]).status.code(), Some(0));
    let output = person.run(&["remove", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(world.azure_devops.endpoints().is_empty());
    assert!(!person.iam("ListRoles", &[]).contains("<RoleName>"));
    assert!(!person.iam("ListOpenIDConnectProviders", &[]).contains("<Arn>"));
    assert_eq!(person.json(&["remove"])["changes"], json!([]));
}

#[test]
fn a_provider_that_others_use_stays_and_loses_only_our_audience() {
    let world = World::with_aws();
    let person = Person::new(&world);
    let url = world.azure_devops.issuer();
    person.iam(
        "CreateOpenIDConnectProvider",
        &[
            ("Url", &url),
            ("ClientIDList.member.1", "theirs"),
            ("Tags.member.1.Key", "owner"),
            ("Tags.member.1.Value", "platform"),
        ],
    );
    let arn = format!("arn:aws:iam::{}:oidc-provider/{}", person.account, host(&world));
    let before = person.iam("GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &arn)]);
    person.key_connection("theirs");
    person.file();
    assert_eq!(person.run(&["apply", "--yes"]).status.code(), Some(0));
    let with_ours = person.iam("GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &arn)]);
    assert!(
        with_ours.contains("<member>theirs</member>") && with_ours.contains("api://AzureADTokenExchange")
    );
    assert_eq!(person.run(&["remove", "--yes"]).status.code(), Some(0));
    let after = person.iam("GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &arn)]);
    let content = |xml: &str| {
        let mut found: Vec<String> = xml
            .split("<member>")
            .skip(1)
            .map(|part| part.split("</member>").next().unwrap().split_whitespace().collect())
            .collect();
        found.sort();
        found
    };
    assert_eq!(content(&after), content(&before));
    assert!(person.endpoint("theirs").is_some());
}

#[test]
fn our_provider_stays_while_somebody_elses_role_trusts_it() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    assert_eq!(person.run(&["apply", "--yes"]).status.code(), Some(0));
    let trust = others_role(&world, &person, "theirs");
    let removed = person.json(&["remove", "--yes"]);
    assert!(removed["notes"].to_string().contains("theirs trust it"), "{removed:#}");
    let roles = person.iam("ListRoles", &[]);
    assert!(roles.contains("<RoleName>theirs</RoleName>") && !roles.contains("shop-deploy"), "{roles}");
    assert!(person.iam("ListOpenIDConnectProviders", &[]).contains(&host(&world)));
    assert!(!trust.is_empty());
    person.iam("DeleteRolePolicy", &[("RoleName", "theirs"), ("PolicyName", "own")]);
    person.iam("DeleteRole", &[("RoleName", "theirs")]);
    assert_eq!(person.run(&["remove", "--yes"]).status.code(), Some(0));
    assert!(!person.iam("ListOpenIDConnectProviders", &[]).contains(&host(&world)));
}

#[test]
fn a_role_that_others_came_to_use_is_kept_whole() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    assert_eq!(person.run(&["apply", "--yes"]).status.code(), Some(0));
    person.iam(
        "PutRolePolicy",
        &[("RoleName", "shop-deploy"), ("PolicyName", "theirs"), ("PolicyDocument", OWN_POLICY)],
    );
    let output = person.run(&["remove", "--yes"]);
    assert_eq!(output.status.code(), Some(1), "what was kept is said by the exit code too");
    let said = text(&output.stdout);
    assert!(said.contains("In the way: role shop-deploy: others use it: policy theirs"), "{said}");
    assert!(
        person.iam("ListRolePolicies", &[("RoleName", "shop-deploy")]).contains("causeway-read-parameters")
    );
    assert!(person.endpoint(&person.connection).is_none(), "the rest went");
    person.iam("DeleteRolePolicy", &[("RoleName", "shop-deploy"), ("PolicyName", "theirs")]);
    assert_eq!(person.run(&["remove", "--yes"]).status.code(), Some(0));
    assert!(!person.iam("ListRoles", &[]).contains("shop-deploy"));
}

#[test]
fn an_existing_role_gains_and_loses_our_statements_and_nothing_else() {
    let world = World::with_aws();
    let person = Person::new(&world);
    let before: Value = serde_json::from_str(&others_role(&world, &person, "shop-deploy")).unwrap();
    person.file();
    let plan = person.json_of(person.run(&["plan", "--json"]));
    assert!(plan["obstacles"][0]["cure"].as_str().unwrap().contains("existing: true"), "{plan:#}");
    person.replace("    permissions:\n      - ecrPush: { repositories: [shop/web] }\n      - readParameters: { path: /shop }\n", "    existing: true\n");
    let applied = person.json(&["apply", "--yes"]);
    let on_role: Vec<&Value> = applied["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["subject"] == "role shop-deploy")
        .collect();
    assert_eq!(on_role.len(), 1, "{applied:#}");
    assert_eq!(person.json(&["check"])["findings"], json!([]));
    assert_eq!(person.json(&["apply", "--yes"])["changes"], json!([]));
    let removed = person.json(&["remove", "--yes"]);
    assert_eq!(removed["failed"], json!(null), "{removed:#}");
    assert_eq!(person.trust("shop-deploy"), before);
    assert!(person.iam("ListRolePolicies", &[("RoleName", "shop-deploy")]).contains("own"));
}
