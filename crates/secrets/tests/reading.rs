//! Reading parameters through a real SDK configuration from a local server.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};

use causeway_secrets::{HierarchyPlan, Parameter, ParameterKind, ParameterQuery, ReadError};
use causeway_types::ServiceErrorKind;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

mod support;
use support::{Aws, refusal};

async fn read(config: &aws_types::SdkConfig, query: &ParameterQuery) -> Result<Vec<Parameter>, ReadError> {
    causeway_secrets::read(config, query).await.map(|reading| reading.parameters)
}

fn single(name: &str, version: Option<&str>) -> ParameterQuery {
    let version = version.map(|version| version.parse().unwrap());
    ParameterQuery::single(name.parse().unwrap(), version).unwrap()
}

fn below(path: &str, recursive: bool) -> ParameterQuery {
    ParameterQuery::hierarchy(vec![path.parse().unwrap()], recursive, HierarchyPlan::Pages)
}

fn stored(name: &str, kind: &str, value: &str) -> Value {
    json!({ "Name": name, "Type": kind, "Value": value, "Version": 3,
            "ARN": format!("arn:aws:ssm:eu-west-1:123456789012:parameter{name}") })
}

fn names(parameters: &[Parameter]) -> Vec<&str> {
    parameters.iter().map(|parameter| parameter.name.as_str()).collect()
}

/// Pages of two out of `parameters`; the token is the place to go on from.
fn page(parameters: &[Value], body: &Value) -> (u16, Value) {
    let start: usize = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let end = (start + 2).min(parameters.len());
    let mut reply = json!({ "Parameters": parameters[start..end] });
    if end < parameters.len() {
        reply["NextToken"] = json!(end.to_string());
    }
    (200, reply)
}

#[tokio::test]
async fn every_value_arrives_as_it_is() {
    let values = [
        "plain",
        "two\nlines\r\n",
        "50%;x]=##vso[task.setvariable variable=a]b",
        "%AZP25 %0A ünïcödé 😀 \u{200b}\u{7}\0",
        " \t ",
        "a,b,,c",
    ];
    for value in values {
        for (kind, secret) in [("String", false), ("StringList", false), ("SecureString", true)] {
            let aws =
                Aws::start(move |_, _| (200, json!({ "Parameter": stored("/app/a", kind, value) }))).await;
            let parameters = read(&aws.config(), &single("/app/a", None)).await.unwrap();
            let [parameter] = &parameters[..] else { panic!("one parameter") };
            assert_eq!(parameter.value.expose_secret(), value);
            assert_eq!((parameter.name.as_str(), parameter.version), ("/app/a", 3));
            assert_eq!(parameter.is_secret(), secret);
            assert_eq!(parameter.arn.as_deref(), Some("arn:aws:ssm:eu-west-1:123456789012:parameter/app/a"));
            assert!(value.len() < 3 || !format!("{parameter:?}").contains(value));
        }
    }
}

#[tokio::test]
async fn a_version_or_label_is_asked_for_behind_the_name() {
    let aws = Aws::start(|_, body| {
        assert_eq!(body["WithDecryption"], true);
        (200, json!({ "Parameter": stored("/app/a", "String", body["Name"].as_str().unwrap()) }))
    })
    .await;
    let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/a";
    for (query, wanted, name) in [
        (single("/app/a", None), "/app/a", "/app/a"),
        (single("/app/a", Some("3")), "/app/a:3", "/app/a"),
        (single("/app/a:live", None), "/app/a:live", "/app/a"),
        (single(arn, Some("2")), "arn:aws:ssm:eu-west-1:123456789012:parameter/app/a:2", arn),
    ] {
        let parameters = read(&aws.config(), &query).await.unwrap();
        assert_eq!(parameters[0].value.expose_secret(), wanted);
        assert_eq!(parameters[0].name, name);
        assert_eq!(parameters[0].kind, ParameterKind::String);
    }
}

#[tokio::test]
async fn a_hierarchy_is_read_to_the_last_page_in_the_order_of_names() {
    let tree =
        ["/app/z", "/app/b", "/app/a/x", "/app/a/b", "/app/c"].map(|name| stored(name, "SecureString", name));
    let aws = Aws::start(move |_, body| page(&tree, body)).await;
    let parameters = read(&aws.config(), &below("app/", true)).await.unwrap();
    assert_eq!(names(&parameters), ["/app/a/b", "/app/a/x", "/app/b", "/app/c", "/app/z"]);
    assert!(parameters.iter().all(|parameter| parameter.value.expose_secret() == parameter.name));
    let calls = aws.calls();
    assert_eq!(calls.len(), 3);
    for (operation, body) in calls {
        assert_eq!(operation, "GetParametersByPath");
        assert_eq!(
            (&body["Path"], &body["Recursive"], &body["WithDecryption"]),
            (&json!("/app"), &json!(true), &json!(true))
        );
    }
}

#[tokio::test]
async fn an_empty_page_with_a_token_is_not_the_end() {
    let aws = Aws::start(|_, body| match body["NextToken"].as_str() {
        None => (200, json!({ "Parameters": [], "NextToken": "more" })),
        Some(_) => (200, json!({ "Parameters": [stored("/a/b", "String", "v")], "NextToken": "" })),
    })
    .await;
    assert_eq!(names(&read(&aws.config(), &below("/a", false)).await.unwrap()), ["/a/b"]);
}

#[tokio::test]
async fn a_parameter_on_two_shifted_pages_comes_once_and_newest() {
    let aws = Aws::start(|_, body| {
        let mut newer = stored("/a/b", "String", "new");
        newer["Version"] = json!(4);
        match body["NextToken"].as_str() {
            None => (200, json!({ "Parameters": [newer], "NextToken": "more" })),
            Some(_) => (200, json!({ "Parameters": [stored("/a/b", "String", "old")] })),
        }
    })
    .await;
    let parameters = read(&aws.config(), &below("/a", false)).await.unwrap();
    assert_eq!(parameters.len(), 1);
    assert_eq!(parameters[0].value.expose_secret(), "new");
}

#[tokio::test]
async fn pages_that_go_in_a_circle_are_an_error() {
    let aws = Aws::start(|_, body| {
        let next = if body["NextToken"] == "one" { "two" } else { "one" };
        (200, json!({ "Parameters": [stored("/a/b", "String", "v")], "NextToken": next }))
    })
    .await;
    let error = read(&aws.config(), &below("/a", false)).await.unwrap_err();
    assert!(matches!(error, ReadError::RepeatedPage(_)), "{error}");
    assert_eq!(aws.calls().len(), 3);
}

#[tokio::test]
async fn nothing_below_a_path_is_an_empty_list() {
    let aws = Aws::start(|_, _| (200, json!({ "Parameters": [] }))).await;
    assert!(read(&aws.config(), &below("/nothing", true)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_parameter_is_named_with_its_region() {
    let aws = Aws::start(|_, body| match body["Name"].as_str() {
        Some("/app/a:9") => refusal("ParameterVersionNotFound", "no version 9"),
        _ => refusal("com.amazonaws.ssm#ParameterNotFound", ""),
    })
    .await;
    let error = read(&aws.config(), &single("/app/missing", None)).await.unwrap_err();
    assert!(matches!(error, ReadError::NotFound { .. }));
    assert_eq!(error.to_string(), "parameter \"/app/missing\" does not exist in eu-west-1");
    assert_eq!(error.service_error().unwrap().code(), Some("ParameterNotFound"));
    let error = read(&aws.config(), &single("/app/a", Some("9"))).await.unwrap_err();
    assert!(matches!(error, ReadError::VersionNotFound { .. }));
    assert!(error.to_string().contains("/app/a:9"), "{error}");
    assert_eq!(aws.calls().len(), 2, "a refusal for good is not tried again");
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let asked = AtomicUsize::new(0);
    let aws = Aws::start(move |_, body| match asked.fetch_add(1, Ordering::SeqCst) {
        count if count % 2 == 0 => refusal("ThrottlingException", "Rate exceeded"),
        _ => page(&["/a/b", "/a/c", "/a/d"].map(|name| stored(name, "String", "v")), body),
    })
    .await;
    assert_eq!(names(&read(&aws.config(), &below("/a", false)).await.unwrap()), ["/a/b", "/a/c", "/a/d"]);
    assert_eq!(aws.calls().len(), 4);
}

#[tokio::test]
async fn throttling_without_end_is_the_error() {
    let aws = Aws::start(|_, _| refusal("ThrottlingException", "Rate exceeded")).await;
    let error = read(&aws.config(), &below("/a", false)).await.unwrap_err();
    assert_eq!(error.service_error().unwrap().kind(), ServiceErrorKind::Throttled);
}

#[tokio::test]
async fn a_refusal_keeps_code_and_request_id() {
    for (code, message) in [
        ("AccessDeniedException", "User is not authorized to perform: ssm:GetParameter"),
        ("InvalidKeyId", "The key is disabled (KMS.DisabledException)"),
    ] {
        let aws = Aws::start(move |_, _| refusal(code, message)).await;
        for (query, subject) in [(single("/app/a", Some("2")), "/app/a:2"), (below("/app", false), "/app")] {
            let error = read(&aws.config(), &query).await.unwrap_err();
            assert!(error.to_string().contains(&format!("\"{subject}\"")), "{error}");
            let service = error.service_error().unwrap();
            assert_eq!((service.code(), service.request_id()), (Some(code), Some("request-7")));
            assert_eq!(error.source().unwrap().to_string(), service.to_string());
            assert!(service.to_string().contains(message));
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_value_is_an_error_not_a_text() {
    let aws = Aws::start(|operation, _| match operation {
        "GetParameter" => (200, json!({})),
        _ => (200, json!({ "Parameters": [{ "Name": "/a/b", "Type": "String" }] })),
    })
    .await;
    for (query, name) in [(single("/a/b", None), "/a/b"), (below("/a", false), "/a/b")] {
        let error = read(&aws.config(), &query).await.unwrap_err();
        assert!(matches!(&error, ReadError::NoValue(subject) if subject == name), "{error}");
    }
}
