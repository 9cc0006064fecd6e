//! The local Azure DevOps refuses what the real one refuses about service connections.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

use base64::Engine;
use causeway_harness::azure_devops::{AzureDevOps, Organization, PersonalToken};
use causeway_harness::{Reply, send};
use serde_json::{Value, json};

const ENDPOINTS: &str = "/contoso/_apis/serviceendpoint/endpoints?api-version=7.1-preview";

fn call(server: &AzureDevOps, token: &str, method: &str, path: &str, body: &Value) -> Reply {
    let basic = base64::engine::general_purpose::STANDARD.encode(format!(":{token}"));
    let headers =
        [("authorization", format!("Basic {basic}")), ("x-tfs-fedauthredirect", "Suppress".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    send(method, &format!("{}{path}", server.url()), &headers, body.to_string().as_bytes()).unwrap()
}

fn connection(server: &AzureDevOps) -> Value {
    let organization = server.organization();
    json!({
        "name": "aws-dev",
        "type": "AWS",
        "url": "https://aws.amazon.com/",
        "authorization": { "scheme": "UsernamePassword", "parameters": { "username": "AKIA", "password": "secret" } },
        "data": {},
        "serviceEndpointProjectReferences": [{
            "projectReference": { "id": organization.project_id, "name": organization.project },
            "name": "aws-dev",
        }],
    })
}

#[test]
fn only_a_good_token_gets_in() {
    let server = AzureDevOps::start(Organization::default());
    let token = server.add_token();
    let list = "/contoso/shop/_apis/serviceendpoint/endpoints?api-version=7.1-preview";
    assert_eq!(call(&server, &token, "GET", list, &Value::Null).json()["count"], 0);
    let refused = call(&server, "wrong", "GET", list, &Value::Null);
    assert_eq!(refused.status, 401);
    let tenant = server.organization().tenant.to_string();
    assert_eq!(refused.headers["x-vss-resourcetenant"].to_str().unwrap(), tenant);
    let page = send("GET", &format!("{}{list}", server.url()), &[], b"").unwrap();
    assert_eq!(page.status, 203, "the sign-in page, unless the client asks to be spared");
    server.put_token(PersonalToken { token: token.clone(), expired: true, may_manage: true });
    assert_eq!(call(&server, &token, "GET", list, &Value::Null).status, 401);
    server.put_token(PersonalToken { token: token.clone(), expired: false, may_manage: false });
    assert_eq!(call(&server, &token, "POST", ENDPOINTS, &connection(&server)).status, 403);
}

#[test]
fn connections_that_azure_devops_would_not_take_are_refused() {
    let server = AzureDevOps::start(Organization::default());
    let token = server.add_token();
    let good = connection(&server);
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    for (body, words) in [
        (with("name", json!(" ")), "name cannot be empty"),
        (with("type", json!("Azur")), "Unable to find service endpoint type 'Azur'"),
        (with("authorization", json!({ "scheme": "None" })), "using authentication scheme 'None'"),
        (with("serviceEndpointProjectReferences", json!([])), "serviceEndpointProjectReferences"),
        (with("id", json!("")), "Value cannot be null"),
        (Value::Null, "Value cannot be null"),
    ] {
        let reply = call(&server, &token, "POST", ENDPOINTS, &body);
        assert_eq!(reply.status, 400, "{words}: {}", reply.text());
        assert!(reply.json()["message"].as_str().unwrap().contains(words), "{}", reply.text());
    }
    let made = call(&server, &token, "POST", ENDPOINTS, &good);
    assert_eq!((made.status, &made.json()["authorization"]["parameters"]["password"]), (200, &Value::Null));
    let twice = call(&server, &token, "POST", ENDPOINTS, &with("name", json!("AWS-Dev")));
    assert_eq!(
        (twice.status, &twice.json()["typeKey"]),
        (500, &json!("DuplicateServiceConnectionException"))
    );

    let path = format!("/contoso/_apis/serviceendpoint/endpoints/{}", made.json()["id"].as_str().unwrap());
    let mut kept = made.json();
    kept["description"] = json!("renewed");
    assert_eq!(call(&server, &token, "PUT", &format!("{path}?api-version=7.1-preview"), &kept).status, 200);
    assert_eq!(
        server.endpoints()[0]["authorization"]["parameters"]["password"],
        "secret",
        "null is as before"
    );
    kept["type"] = json!("Generic");
    assert_eq!(call(&server, &token, "PUT", &format!("{path}?api-version=7.1-preview"), &kept).status, 400);
    let version = "api-version=7.1-preview";
    assert_eq!(call(&server, &token, "DELETE", &format!("{path}?{version}"), &Value::Null).status, 400);
    let project = server.organization().project_id;
    let gone =
        call(&server, &token, "DELETE", &format!("{path}?{version}&projectIds={project}"), &Value::Null);
    assert_eq!((gone.status, server.endpoints().len()), (204, 0));
    let unversioned = call(&server, &token, "GET", "/contoso/_apis/projects/shop", &Value::Null);
    assert_eq!(unversioned.status, 400);
}
