//! Broken set-ups: `check` names each one's cause and cure, and `apply` puts right what is its own.

use causeway_harness::azure_devops::PersonalToken;
use causeway_harness::gateway::Fault;
use causeway_harness::world::World;
use serde_json::{Value, json};

use super::person::{Person, new_account, text};

/// Applies the usual file, breaks something, and expects one finding of this code with these words in cause and cure.
#[track_caller]
fn broken(code: &str, cause: &[&str], cure: &str, break_it: impl FnOnce(&World, &Person<'_>)) {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    let output = person.run(&["apply", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(person.json(&["check"])["findings"], json!([]), "whole before it is broken");
    break_it(&world, &person);
    let found = person.json(&["check"]);
    let all = found["findings"].as_array().unwrap();
    let finding = all
        .iter()
        .find(|finding| finding["code"] == code)
        .unwrap_or_else(|| panic!("no {code} in {found:#}"));
    let said = finding["cause"].as_str().unwrap();
    for word in cause {
        assert!(said.contains(word), "{word} is missing in: {said}");
    }
    assert!(finding["cure"].as_str().unwrap().contains(cure), "{finding:#}");
    let human = text(&person.run(&["check"]).stdout).to_owned();
    assert!(human.contains(&format!("[{code}]")), "{human}");
}

/// Changes the role's trust policy as text.
fn change_trust(person: &Person<'_>, change: impl Fn(&mut Value)) {
    let mut policy = person.trust("shop-deploy");
    change(&mut policy);
    person.iam(
        "UpdateAssumeRolePolicy",
        &[("RoleName", "shop-deploy"), ("PolicyDocument", &policy.to_string())],
    );
}

fn provider_arn(world: &World, person: &Person<'_>) -> String {
    let issuer = world.azure_devops.issuer();
    format!("arn:aws:iam::{}:oidc-provider/{}", person.account, issuer.trim_start_matches("https://"))
}

fn new_provider(world: &World, person: &Person<'_>, url: &str, audience: &str) {
    person.iam("DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &provider_arn(world, person))]);
    person.iam("CreateOpenIDConnectProvider", &[("Url", url), ("ClientIDList.member.1", audience)]);
}

fn change_endpoint(world: &World, person: &Person<'_>, change: impl FnOnce(&mut Value)) {
    let mut endpoint = person.endpoint(&person.connection).unwrap();
    change(&mut endpoint);
    world.azure_devops.put_endpoint(endpoint);
}

#[test]
fn the_provider_lacks_the_audience() {
    broken(
        "provider-audience",
        &["api://AzureADTokenExchange", "sts.amazonaws.com"],
        "setup apply",
        |world, person| {
            new_provider(world, person, &world.azure_devops.issuer(), "sts.amazonaws.com");
        },
    );
}

#[test]
fn the_provider_is_another_organizations() {
    let other = "https://vstoken.dev.azure.com/0ca3ddd9-f0b0-4635-a98c-5866526961b6";
    broken(
        "provider-missing",
        &["another one (0ca3ddd9-f0b0-4635-a98c-5866526961b6)"],
        "setup apply",
        |world, person| {
            new_provider(world, person, other, "api://AzureADTokenExchange");
        },
    );
}

#[test]
fn the_subject_differs_in_case() {
    broken("trust-denied", &["case differs", "sc://contoso/Shop/"], "setup apply", |_, person| {
        change_trust(person, |policy| {
            let text = policy.to_string().replace("sc://contoso/shop/", "sc://contoso/Shop/");
            *policy = serde_json::from_str(&text).unwrap();
        });
    });
}

#[test]
fn the_trust_policy_names_another_organization() {
    broken(
        "trust-denied",
        &["another organization: 0ca3ddd9-f0b0-4635-a98c-5866526961b6"],
        "setup apply",
        |world, person| {
            let id = world.azure_devops.organization().id.to_string();
            change_trust(person, |policy| {
                let text = policy.to_string().replace(
                    &format!("vstoken.dev.azure.com/{id}"),
                    "vstoken.dev.azure.com/0ca3ddd9-f0b0-4635-a98c-5866526961b6",
                );
                *policy = serde_json::from_str(&text).unwrap();
            });
        },
    );
}

#[test]
fn the_connections_role_is_in_another_account() {
    broken("connection-account", &["210987654321", "the file's is in"], "setup apply", |world, person| {
        change_endpoint(world, person, |endpoint| {
            endpoint["data"]["roleArn"] = json!("arn:aws:iam::210987654321:role/shop-deploy")
        });
    });
}

#[test]
fn the_personal_access_token_has_expired() {
    broken(
        "azure-devops-sign-in",
        &["does not accept the token"],
        "new personal access token",
        |world, person| {
            world.azure_devops.put_token(PersonalToken {
                token: person.token.clone(),
                expired: true,
                may_manage: true,
            });
        },
    );
}

#[test]
fn the_aws_session_has_expired() {
    broken("aws-expired", &["ExpiredToken"], "sign in to AWS again", |world, _| {
        let fault =
            Fault::error(403, "ExpiredToken", "The security token included in the request is expired");
        world.gateway.fail("sts", "GetCallerIdentity", fault.always());
    });
}

#[test]
fn the_credentials_are_another_accounts() {
    broken(
        "aws-account",
        &["the credentials are those of", "the file says 999999999999"],
        "correct the id",
        |_, person| {
            person.replace(&format!("id: \"{}\"", person.account), "id: \"999999999999\"");
        },
    );
}

#[test]
fn the_connection_was_renamed() {
    broken(
        "connection-renamed",
        &["\"aws-renamed\" names the same role"],
        "rename it back",
        |world, person| {
            change_endpoint(world, person, |endpoint| endpoint["name"] = json!("aws-renamed"));
        },
    );
}

#[test]
fn the_connection_stores_a_key_though_oidc_is_ticked() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    person.replace("role: shop-deploy", "role: shop-deploy, type: AWS");
    assert_eq!(person.run(&["apply", "--yes"]).status.code(), Some(0));
    change_endpoint(&world, &person, |endpoint| {
        endpoint["authorization"]["parameters"]["username"] = json!("AKIAOLDKEY0000000000");
    });
    let found = person.json(&["check"]);
    let finding = &found["findings"][0];
    assert_eq!(finding["code"], "connection-contradiction", "{found:#}");
    assert!(finding["cause"].as_str().unwrap().contains("AKIAOLDKEY0000000000"));
}

#[test]
fn anybody_of_the_organization_gets_in() {
    broken(
        "trust-too-wide",
        &["more than one connection gets in", "sc://contoso/*"],
        "StringEquals",
        |world, person| {
            let host = world.azure_devops.issuer().trim_start_matches("https://").to_owned();
            change_trust(person, |policy| {
                let statement = &mut policy["Statement"][0];
                statement["Condition"] = json!({
                    "StringEquals": { format!("{host}:aud"): "api://AzureADTokenExchange" },
                    "StringLike": { format!("{host}:sub"): "sc://contoso/*" },
                });
            });
        },
    );
    broken("trust-too-wide", &["no condition on sub"], "StringEquals", |world, person| {
        let host = world.azure_devops.issuer().trim_start_matches("https://").to_owned();
        change_trust(person, |policy| {
            policy["Statement"][0]["Condition"] =
                json!({ "StringEquals": { format!("{host}:aud"): "api://AzureADTokenExchange" } });
        });
    });
}

#[test]
fn the_roles_longest_session_was_shortened() {
    broken("role-session", &["longest session: 3600 s → 7200 s"], "setup apply", |_, person| {
        person.replace("    permissions:", "    maxSessionSeconds: 7200\n    permissions:");
    });
}

#[test]
fn the_role_is_gone() {
    broken("role-missing", &["has no role arn:aws:iam::"], "setup apply", |_, person| {
        for policy in ["causeway-ecr-push", "causeway-read-parameters"] {
            person.iam("DeleteRolePolicy", &[("RoleName", "shop-deploy"), ("PolicyName", policy)]);
        }
        person.iam("DeleteRole", &[("RoleName", "shop-deploy")]);
    });
}

#[test]
fn the_connection_is_disabled_or_the_extension_gone() {
    broken("connection-not-ready", &["not ready"], "enable it", |world, person| {
        change_endpoint(world, person, |endpoint| endpoint["isReady"] = json!(false));
    });
    broken("extension-missing", &["does not have it"], "install the extension", |world, _| {
        world.azure_devops.remove_type("Causeway");
    });
}

#[test]
fn the_new_issuer_is_not_trusted_yet() {
    broken("issuer-2027", &["2027-07-01"], "setup apply", |world, person| {
        let tenant = world.azure_devops.organization().tenant;
        let arn =
            format!("arn:aws:iam::{}:oidc-provider/login.microsoftonline.com/{tenant}/v2.0", person.account);
        person.iam("DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &arn)]);
    });
    broken("issuer-2027", &["tenant: none"], "tenant's GUID", |_, person| {
        person.replace("project: shop", "project: shop\ntenant: none");
    });
}

#[test]
fn permissions_that_drifted_are_named() {
    broken(
        "drift",
        &["policy causeway-read-parameters is not as the file says"],
        "setup apply",
        |_, person| {
            person.iam(
                "DeleteRolePolicy",
                &[("RoleName", "shop-deploy"), ("PolicyName", "causeway-read-parameters")],
            );
        },
    );
}

#[test]
fn a_token_that_may_only_read_says_so() {
    let world = World::with_aws();
    let person = Person::new(&world);
    person.file();
    world.azure_devops.put_token(PersonalToken {
        token: person.token.clone(),
        expired: false,
        may_manage: false,
    });
    let output = person.run(&["apply", "--yes"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stdout);
    assert!(said.contains("HTTP 403") && said.contains("Read, query, & manage"), "{said}");
    assert!(new_account() != person.account && !person.iam("ListRoles", &[]).contains("<RoleName>"));
}
