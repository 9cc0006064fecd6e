//! `--emit`: the same as code for other tools.

use std::process::Command;

use causeway_harness::world::World;
use serde_json::{Value, json};

use super::person::{Person, text};
use crate::consumers;

#[test]
fn terraform_gets_what_it_would_write_itself() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    person.replace("    permissions:", "    tags: { team: web }\n    permissions:");
    for made in [false, true] {
        let output = person.run(&["--emit", "terraform"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let module = text(&output.stdout).to_owned();
        let data = if made {
            "data \"aws_iam_openid_connect_provider\""
        } else {
            "resource \"aws_iam_openid_connect_provider\""
        };
        for words in [
            data,
            "resource \"aws_iam_role\" \"dev_shop_deploy\"",
            "resource \"azuredevops_serviceendpoint_generic_v2\"",
            "aws_iam_openid_connect_provider.dev_azure_devops.arn",
            "sc://contoso/shop/",
            "resource \"aws_iam_role_policy\"",
        ] {
            assert!(module.contains(words), "{words}: {module}");
        }
        assert_eq!(module.contains("${azuredevops_serviceendpoint_generic_v2."), !made, "{module}");
        assert!(!module.contains(&person.token));
        is_laid_out_and_parses(&person, &module);
        if !made {
            assert_eq!(person.changes(), Vec::<String>::new());
            assert_eq!(person.run(&["apply", "--yes"]).status.code(), Some(0));
        }
    }
    assert_eq!(person.run(&["apply", "--emit", "terraform"]).status.code(), Some(2));
}

fn is_laid_out_and_parses(person: &Person<'_>, module: &str) {
    if !consumers::on_path("terraform") {
        eprintln!("not run: there is no terraform on PATH");
        return;
    }
    let path = person.folder().join("main.tf");
    std::fs::write(&path, module).unwrap();
    let output = Command::new("terraform").args(["fmt", "-check", "-diff"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn cloudformation_gets_a_template() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    let output = person.run(&["plan", "--emit", "cloudformation"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let template: Value = serde_json::from_slice(&output.stdout).unwrap();
    let role = &template["Resources"]["RoleShopDeploy"];
    assert_eq!(role["Type"], "AWS::IAM::Role");
    let statements = role["Properties"]["AssumeRolePolicyDocument"]["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 2, "both issuers");
    assert_eq!(statements[0]["Principal"]["Federated"], json!({ "Ref": "AzureDevOpsProvider" }));
    let subject =
        statements[1]["Condition"]["StringEquals"].as_object().unwrap().values().next_back().unwrap();
    assert!(subject["Fn::Sub"].as_str().unwrap().contains("${ConnectionId"), "{template:#}");
    assert_eq!(template["Parameters"].as_object().unwrap().len(), 1);
    assert_eq!(person.changes(), Vec::<String>::new());
    if consumers::on_path("cfn-lint") {
        let path = person.folder().join("template.json");
        std::fs::write(&path, &output.stdout).unwrap();
        let linted = Command::new("cfn-lint").arg(&path).output().unwrap();
        assert!(linted.status.success(), "{}{}", text(&linted.stdout), text(&linted.stderr));
    } else {
        eprintln!("not run: there is no cfn-lint on PATH");
    }
}
