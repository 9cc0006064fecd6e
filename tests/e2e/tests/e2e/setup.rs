//! `causeway setup`: from a file to a pipeline that gets its role, against moto's IAM and the local Azure DevOps.

mod broken;
mod code;
mod kept;
mod killed;
mod person;
mod removal;

use causeway_harness::azure_devops::IssuerForm;
use causeway_harness::gateway::Fault;
use causeway_harness::moto::{Moto, Seed};
use causeway_harness::world::World;
use serde_json::json;

use crate::assert_succeeds;
use person::{Person, text};

#[test]
fn one_short_file_and_one_command_lead_to_a_green_pipeline() {
    let mut world = World::with_aws();
    let person = Person::new(&world);
    let file = person.file();
    assert!(file.trim().lines().count() <= 15, "{file}");
    let output = person.run(&["--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("Done: ") && said.contains("Everything lines up"), "{said}");
    assert!(!said.contains('\u{1b}'), "no colours without a terminal: {said}");
    let (account, connection, token) =
        (person.account.clone(), person.connection.clone(), person.token.clone());
    assert!(!said.contains(&token) && !text(&output.stderr).contains(&token));
    let made = person.connections();
    drop(person);
    for connection in made {
        world.agent.add_connection(connection);
    }

    let seed = Seed::new(Moto::shared(), &account, "eu-west-1");
    seed.put_parameter("/shop/token", "SecureString", "hunter2hunter2");
    let job = world.step(&[
        ("command", "getParameters"),
        ("connection", &connection),
        ("parameterName", "/shop/token"),
    ]);
    assert_succeeds(&job);
    assert_eq!(job.variable("/shop/token"), Some("hunter2hunter2"));
    let sessions = world.iam.sessions();
    assert_eq!(sessions.last().unwrap().role_arn, format!("arn:aws:iam::{account}:role/shop-deploy"));

    // The same with the issuer that comes in 2027.
    world.azure_devops.change(|organization| organization.issuer = IssuerForm::Entra);
    let job = world.step(&[("command", "verify"), ("connection", &connection)]);
    assert_succeeds(&job);
    assert!(job.log().contains("login.microsoftonline.com"), "{}", job.log());
}

#[test]
fn a_plan_touches_nothing_and_applying_twice_changes_nothing() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    let plan = person.json(&["plan"]);
    let changes = plan["changes"].as_array().unwrap();
    assert!(changes.len() >= 6, "{plan:#}");
    assert_eq!(changes[0]["subject"], format!("connection {}", person.connection));
    assert_eq!(person.run(&["plan", "--exit-code"]).status.code(), Some(1));
    assert_eq!(person.changes(), Vec::<String>::new());
    let human = text(&person.run(&["plan"]).stdout).to_owned();
    for words in [
        "+ connection",
        "+ OIDC provider vstoken.dev.azure.com/",
        "+ role shop-deploy",
        "policy causeway-read-parameters",
        "(GUID of the new connection)",
    ] {
        assert!(human.contains(words), "{words}: {human}");
    }

    let applied = person.json(&["apply", "--yes"]);
    assert_eq!((&applied["done"], &applied["failed"]), (&json!(changes.len()), &json!(null)));
    assert_eq!(person.changes().len(), changes.len(), "{:?}", person.changes());
    let again = person.json(&["apply", "--yes"]);
    assert_eq!(again["changes"], json!([]), "{again:#}");
    assert_eq!(person.changes().len(), changes.len());
    assert_eq!(person.run(&["plan", "--exit-code"]).status.code(), Some(0));
    assert_eq!(person.json(&["check"])["findings"], json!([]));
}

#[test]
fn nothing_is_done_without_a_yes() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    for answer in ["", "n\n", "maybe\n"] {
        let output = person.run_with(&["apply"], answer);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("Nothing was changed."));
    }
    assert_eq!(person.run(&["apply", "--json"]).status.code(), Some(2), "JSON asks nobody");
    assert_eq!(person.changes(), Vec::<String>::new());
    assert_eq!(person.run_with(&["apply"], "y\n").status.code(), Some(0));
    assert_eq!(person.run(&["plan", "--exit-code"]).status.code(), Some(0));
}

#[test]
fn a_refusal_half_way_says_what_is_done_and_what_is_not() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    let denied = "User is not authorized to perform: iam:PutRolePolicy ##vso[task.setvariable variable=x]y";
    world.gateway.fail("iam", "PutRolePolicy", Fault::access_denied(denied));
    let output = person.run(&["apply", "--yes"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stdout);
    for words in [
        "Failed: dev: role shop-deploy: policy",
        "AccessDenied",
        "done      Azure DevOps: connection",
        "failed    dev: role shop-deploy",
        "it goes on from here",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("##vso["), "{said}");
    assert_eq!(person.run(&["apply", "--yes"]).status.code(), Some(0));
    assert_eq!(person.run(&["plan", "--exit-code"]).status.code(), Some(0));
}

#[test]
fn connections_with_keys_are_listed_flagged_and_converted_in_place() {
    let world = World::with_aws();
    let person = Person::new(&world);
    let id = person.key_connection(&person.connection);
    person.file();
    let listed = person.json(&["list"]);
    let entry = &listed["connections"][0];
    assert_eq!(
        (&entry["authentication"], &entry["longLivedKey"]),
        (&json!("access-key"), &json!(true)),
        "{listed:#}"
    );
    assert!(
        text(&person.run(&["list"]).stdout).contains("stores the long-lived access key AKIAOLDKEY0000000000")
    );

    let refused = person.json_of(person.run(&["plan", "--json"]));
    assert!(refused["obstacles"][0]["cure"].as_str().unwrap().contains("type"), "{refused:#}");
    person.replace("role: shop-deploy", "role: shop-deploy, type: AWS");
    let refused = person.json_of(person.run(&["plan", "--json"]));
    assert!(refused["obstacles"][0]["cure"].as_str().unwrap().contains("convert: true"), "{refused:#}");
    person.replace("type: AWS", "type: AWS, convert: true");
    let applied = person.json(&["apply", "--yes"]);
    let last = applied["changes"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["subject"], &last["part"]),
        (&json!(format!("connection {}", person.connection)), &json!("conversion")),
        "the connection is changed last: {applied:#}"
    );
    assert!(applied["notes"].to_string().contains("AKIAOLDKEY0000000000"));
    let stored = person.endpoint(&person.connection).unwrap();
    assert_eq!(stored["id"], json!(id));
    let parameters = &stored["authorization"]["parameters"];
    assert_eq!(
        (&parameters["username"], &parameters["password"], &parameters["useOIDC"]),
        (&json!(""), &json!(""), &json!("true"))
    );
    assert!(stored["description"].as_str().unwrap().starts_with("Deploys the shop"));
    assert_eq!(person.json(&["check"])["findings"], json!([]));
    assert_eq!(person.json(&["list"])["connections"][0]["authentication"], json!("federated"));
    let removed = person.json(&["remove", "--yes"]);
    assert!(removed["notes"].to_string().contains("stays"), "{removed:#}");
    assert!(person.endpoint(&person.connection).is_some());
}

#[test]
fn several_accounts_come_from_profiles_and_roles() {
    let world = World::with_aws();
    let person = Person::new(&world);
    let prod = person::new_account();
    let admin = format!("arn:aws:iam::{prod}:role/admin");
    let user = format!("arn:aws:iam::{}:user/admin", person.account);
    let trust = causeway_harness::world::key_trust(&user, Some("ext-1"));
    world.iam.add_role(causeway_harness::sts::Role::new(&prod, "admin", trust));
    person.write(&format!(
        "organization: {}\nproject: shop\naccounts:\n  dev: {{ id: \"{}\", profile: dev }}\n  prod: {{ id: \"{prod}\", profile: dev, role: \"{admin}\", externalId: ext-1 }}\nroles:\n  shop-{{account}}:\n    path: /pipelines\n    permissions:\n      - managedPolicy: \"arn:aws:iam::{{accountId}}:policy/common\"\nconnections:\n  {}-{{account}}: {{ accounts: [dev, prod], role: \"shop-{{account}}\", pipelines: all }}\n",
        world.azure_devops.organization().name, person.account, person.connection
    ));
    person.profile("dev");
    person.managed_policy(&person.account);
    person.managed_policy(&prod);
    let output = person.run(&["--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    for (account, alias) in [(&person.account, "dev"), (&prod, "prod")] {
        let role = person.seed(account).iam("GetRole", &[("RoleName", &format!("shop-{alias}"))]);
        assert_eq!(role.status, 200, "{}", role.text());
        assert!(role.text().contains(&format!(":role/pipelines/shop-{alias}")));
        let endpoint = person.endpoint(&format!("{}-{alias}", person.connection)).unwrap();
        assert!(world.azure_devops.is_open_to_all(endpoint["id"].as_str().unwrap().parse().unwrap()));
    }
    // What the file no longer names is said, and goes with --prune.
    person.replace("[dev, prod]", "[dev]");
    let plan = person.json(&["plan"]);
    assert_eq!(plan["changes"], json!([]), "{plan:#}");
    assert!(plan["notes"].to_string().contains("role shop-prod"), "{plan:#}");
    let pruned = person.json(&["apply", "--yes", "--prune"]);
    assert_eq!(pruned["failed"], json!(null), "{pruned:#}");
    assert_eq!(person.seed(&prod).iam("GetRole", &[("RoleName", "shop-prod")]).status, 404);
    assert!(person.endpoint(&format!("{}-prod", person.connection)).is_none());
}

#[test]
fn a_bad_file_or_no_token_is_refused_before_anything_is_sent() {
    let world = World::with_aws();
    let person = Person::new(&world);
    let before = world.gateway.calls().len();
    person
        .write("organization: https://evil.example/contoso\nproject: shop\naccounts: {}\nconnections: {}\n");
    let output = person.run(&["plan"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("causeway.yaml: organization"), "{}", text(&output.stderr));
    person.file();
    let output = person.run_without_token(&["plan"]);
    assert!(text(&output.stderr).contains("AZURE_DEVOPS_EXT_PAT"), "{}", text(&output.stderr));
    assert_eq!(world.gateway.calls().len(), before);
}
