//! The token call, as Azure DevOps answers it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

use std::collections::HashSet;

use causeway_harness::azure_devops::{
    Answer, AzureDevOps, IssuerForm, JobTicket, Organization, RegisteredConnection,
};
use causeway_harness::jwt::Token;
use causeway_harness::{Reply, send};
use uuid::Uuid;

struct Call {
    azure_devops: AzureDevOps,
    ticket: JobTicket,
    connection: Uuid,
}

impl Call {
    fn new() -> Self {
        let azure_devops = AzureDevOps::start(Organization::default());
        let connection = Uuid::new_v4();
        azure_devops.register(RegisteredConnection {
            id: connection,
            name: "prod".into(),
            kind: "AWS".into(),
        });
        azure_devops.register(RegisteredConnection {
            id: Uuid::nil(),
            name: "other".into(),
            kind: "AWS".into(),
        });
        let ticket = JobTicket::new(HashSet::from([connection]));
        azure_devops.begin_job(ticket.clone());
        Self { azure_devops, ticket, connection }
    }

    fn send(&self, query: &str, token: &str) -> Reply {
        self.try_send(query, token).unwrap()
    }

    fn try_send(&self, query: &str, token: &str) -> Result<Reply, String> {
        let project = self.azure_devops.organization().project_id;
        let url = format!(
            "{}{project}/_apis/distributedtask/hubs/build/plans/{}/jobs/{}/oidctoken?{query}",
            self.azure_devops.collection_url(),
            self.ticket.plan,
            self.ticket.job
        );
        send("POST", &url, &[("authorization", &format!("Bearer {token}"))], b"")
    }

    fn for_connection(&self) -> Reply {
        let query = format!("api-version=7.1&serviceConnectionId={}", self.connection);
        self.send(&query, &self.ticket.token)
    }
}

fn token(reply: &Reply) -> Token {
    Token::parse(reply.json()["oidcToken"].as_str().unwrap()).unwrap()
}

#[test]
fn a_connections_token_is_real_and_says_whose_it_is() {
    let call = Call::new();
    let token = token(&call.for_connection());
    let organization = call.azure_devops.organization();
    assert_eq!(token.claim("sub"), "sc://contoso/shop/prod");
    assert_eq!(token.claim("aud"), "api://AzureADTokenExchange");
    assert_eq!(token.claim("iss"), format!("https://vstoken.dev.azure.com/{}", organization.id));
    let (not_before, issued, expires) =
        (token.time("nbf").unwrap(), token.time("iat").unwrap(), token.time("exp").unwrap());
    assert!(not_before < issued && (300..=600).contains(&(expires - issued)));
    let url = format!("{}/{}/.well-known/jwks", call.azure_devops.url(), organization.id);
    let keys = send("GET", &url, &[], b"").unwrap().json();
    assert!(token.is_signed_by_one_of(keys["keys"].as_array().unwrap()));
}

#[test]
fn the_new_issuer_names_tenant_and_ids() {
    let call = Call::new();
    call.azure_devops.change(|organization| organization.issuer = IssuerForm::Entra);
    let token = token(&call.for_connection());
    let organization = call.azure_devops.organization();
    assert_eq!(token.claim("iss"), format!("https://login.microsoftonline.com/{}/v2.0", organization.tenant));
    assert!(token.claim("sub").ends_with(&format!("/sc/{}/{}", organization.id, call.connection)));
}

#[test]
fn without_a_connection_or_with_its_name_the_token_is_the_pipelines() {
    let call = Call::new();
    for query in ["api-version=7.1", "api-version=7.1&serviceConnectionId=prod"] {
        let token = token(&call.send(query, &call.ticket.token));
        assert_eq!(token.claim("sub"), "p://contoso/shop/deploy-shop");
        assert_eq!(token.claim("run_id"), "4711");
    }
}

#[test]
fn what_azure_devops_refuses_is_refused() {
    let call = Call::new();
    let bearer = call.ticket.token.clone();
    assert_eq!(call.send("api-version=7.1", "wrong").status, 401);
    assert_eq!(call.send("", &bearer).status, 400);
    for id in [Uuid::nil(), Uuid::new_v4()] {
        let reply = call.send(&format!("api-version=7.1&serviceConnectionId={id}"), &bearer);
        assert_eq!(reply.status, 404);
        assert!(reply.json()["message"].as_str().unwrap().contains(&id.to_string()));
    }
    call.azure_devops.end_job(call.ticket.job);
    assert_eq!(call.for_connection().status, 401);
}

#[test]
fn canned_answers_come_in_order_and_then_the_usual_one() {
    let call = Call::new();
    for answer in [
        Answer::status(401),
        Answer::status(404),
        Answer::sign_in_page(),
        Answer::empty(),
        Answer::subject("sc://contoso/shop/elsewhere"),
        Answer::expired_token(),
        Answer::cut(),
    ] {
        call.azure_devops.answer_next(answer);
    }
    assert_eq!(call.for_connection().status, 401);
    assert_eq!(call.for_connection().status, 404);
    let page = call.for_connection();
    assert_eq!(
        (page.status, page.headers["content-type"].to_str().unwrap()),
        (203, "text/html; charset=utf-8")
    );
    let empty = call.for_connection();
    assert_eq!((empty.status, empty.body.len()), (200, 0));
    assert_eq!(token(&call.for_connection()).claim("sub"), "sc://contoso/shop/elsewhere");
    let expired = token(&call.for_connection());
    assert!(expired.time("exp").unwrap() < token_now() && expired.time("nbf") < expired.time("iat"));
    assert!(call.try_send("api-version=7.1", &call.ticket.token).is_err());
    assert_eq!(token(&call.for_connection()).claim("sub"), "sc://contoso/shop/prod");
    let received = call.azure_devops.received();
    let last = received.last().unwrap();
    assert_eq!((last.method.as_str(), last.status, last.authorized), ("POST", 200, true));
    assert_eq!(last.header("authorization"), Some("***"));
    assert_eq!(last.query("serviceConnectionId"), Some(call.connection.to_string().as_str()));
}

fn token_now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
