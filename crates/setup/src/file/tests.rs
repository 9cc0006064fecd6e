use std::path::Path;

use serde_json::json;

use super::*;

const FILE: &str = r#"
organization: https://dev.azure.com/contoso
project: shop
region: eu-west-1
accounts:
  dev: { id: "012345678901", profile: dev }
  prod: { id: "222222222222", role: "arn:aws:iam::222222222222:role/admin" }
roles:
  deploy:
    name: shop-{account}
    path: /pipelines
    maxSessionSeconds: 7200
    permissions:
      - ecrPush: { repositories: [shop/web] }
      - readParameters: { path: "/shop/{account}/" }
      - s3Write: { bucket: "artifacts-{accountId}", prefix: shop/ }
      - s3Write: { bucket: logs }
      - managedPolicy: arn:aws:iam::aws:policy/ReadOnlyAccess
    tags: { team: web }
connections:
  aws-{account}: { accounts: [dev, prod], role: deploy }
"#;

fn read(text: &str) -> Result<Setup, FileError> {
    Setup::read(text, Path::new("."))
}

#[test]
fn connections_are_multiplied_by_accounts_and_roles() {
    let setup = read(FILE).unwrap();
    let names: Vec<&str> = setup.connections.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["aws-dev", "aws-prod"]);
    assert_eq!(setup.connections[0].role.as_str(), "arn:aws:iam::012345678901:role/pipelines/shop-dev");
    assert_eq!(setup.id, "contoso/shop");
    let dev = setup.roles_of("dev").next().unwrap();
    assert_eq!(dev.connections, ["aws-dev"]);
    assert_eq!(dev.max_session_seconds, 7200);
    assert_eq!(dev.tags["causeway:setup"], "contoso/shop");
    let policies: Vec<&str> = dev.policies.keys().map(String::as_str).collect();
    let wanted =
        ["causeway-ecr-push", "causeway-read-parameters", "causeway-s3-write", "causeway-s3-write-2"];
    assert_eq!(policies, wanted);
    assert_eq!(
        dev.policies["causeway-read-parameters"]["Statement"][0]["Resource"],
        json!([
            "arn:aws:ssm:eu-west-1:012345678901:parameter/shop/dev",
            "arn:aws:ssm:eu-west-1:012345678901:parameter/shop/dev/*"
        ])
    );
    assert_eq!(
        dev.policies["causeway-s3-write"]["Statement"][0]["Resource"],
        json!(["arn:aws:s3:::artifacts-012345678901/shop/*"])
    );
}

#[test]
fn one_connection_may_have_several_roles_and_a_role_several_connections() {
    let setup = read(
        "organization: contoso\nproject: shop\naccounts: {dev: {id: '111111111111'}}\nroles: {a: {}, b: {}}\nconnections:\n  x: {account: dev, roles: [a, b]}\n  y: {account: dev, role: b}\n",
    )
    .unwrap();
    assert_eq!(setup.connections.len(), 2);
    assert_eq!(setup.connection("x").unwrap().role.name(), "a");
    let b = setup.roles.iter().find(|role| role.arn.name() == "b").unwrap();
    assert_eq!(b.connections, ["x", "y"]);
}

#[test]
fn what_cannot_be_right_is_named_with_its_place() {
    let change = |from: &str, to: &str| {
        let text = FILE.replacen(from, to, 1);
        assert_ne!(text, FILE, "{from}");
        read(&text).unwrap_err().to_string()
    };
    for (from, to, words) in [
        ("https://dev.azure.com/contoso", "https://evil.example/contoso", "organization"),
        ("https://dev.azure.com/contoso", "http://dev.azure.com/contoso", "organization"),
        ("https://dev.azure.com/contoso", "con toso", "organization"),
        ("012345678901", "12", "accounts.dev.id: \"12\" is not an AWS account id"),
        (
            "id: \"222222222222\"",
            "id: \"012345678901\"",
            "accounts.prod.id: account 012345678901 is there as dev",
        ),
        ("region: eu-west-1", "region: evil.example/x", "region"),
        ("profile: dev", "profil: dev", "profil"),
        ("maxSessionSeconds: 7200", "maxSessionSeconds: 60", "roles.deploy: maxSessionSeconds is 60"),
        ("[shop/web]", "[\"*\"]", "roles.deploy.permissions: repository \"*\""),
        ("[shop/web]", "[\"**\"]", "roles.deploy.permissions: repository \"**\""),
        ("path: /pipelines", "permissionsBoundary: x", "roles.deploy.permissionsBoundary"),
        ("[shop/web]", "[]", "at least one repository"),
        ("role: deploy", "role: nosuch", "there is no role \"nosuch\""),
        ("accounts: [dev, prod]", "accounts: [dev, test]", "there is no account \"test\""),
        ("accounts: [dev, prod]", "account: dev, accounts: [prod]", "not both"),
        ("role: deploy", "role: deploy, type: Azure", "neither Causeway nor AWS"),
        ("role: deploy", "role: deploy, pipelines: some", "neither ask nor all"),
        ("tags: { team: web }", "tags: { \"causeway:setup\": x }", "not yours to set"),
        ("tags: { team: web }", "existing: true", "nothing else"),
        ("name: shop-{account}", "name: a b", "roles.deploy"),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "ReadOnlyAccess", "roles.deploy.permissions"),
        ("project: shop", "project: ''", "project"),
        ("project: shop", "project: shop\ntenant: contoso", "tenant"),
    ] {
        let error = change(from, to);
        assert!(error.contains(words), "{to}: {error}");
    }
}

#[test]
fn names_that_are_one_to_aws_or_azure_devops_are_refused() {
    let head = "organization: contoso\nproject: shop\naccounts: {dev: {id: '111111111111'}}\n";
    for rest in [
        "roles: {a: {}}\nconnections:\n  x: {account: dev, role: a}\n  X: {account: dev, role: a}\n",
        "roles: {a: {}}\nconnections:\n  x-dev: {account: dev, role: a}\n  x-{account}: {account: dev, role: a}\n",
        "roles: {a: {name: r}, b: {name: r}}\nconnections: {x: {account: dev, roles: [a, b]}}\n",
        "roles: {a: {name: r}, b: {name: R}}\nconnections: {x: {account: dev, roles: [a, b]}}\n",
        "roles: {a: {name: r}, b: {name: r, path: p}}\nconnections: {x: {account: dev, roles: [a, b]}}\n",
    ] {
        let error = read(&format!("{head}{rest}")).unwrap_err().to_string();
        assert!(error.contains("needs a name of its own"), "{rest}: {error}");
    }
}

#[test]
fn a_name_that_no_tag_can_hold_stays_its_own() {
    assert_eq!(tag_value("contoso/shop 1"), "contoso/shop 1");
    let (a, b) = (tag_value("contoso/R&D"), tag_value("contoso/R-D"));
    assert!(a.starts_with("contoso/R-D-") && a != b);
}

#[test]
fn the_files_in_the_documentation_can_be_read() {
    for page in [include_str!("../../../../docs/setup.md"), include_str!("../../../../README.md")] {
        let files = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let files: Vec<&str> = files.filter(|text| text.contains("connections:")).collect();
        assert!(!files.is_empty());
        for file in files {
            assert!(file.lines().count() <= 15, "{file}");
            assert!(read(file).is_ok(), "{:?}: {file}", read(file).err());
        }
    }
}
