//! Secrets of Secrets Manager: reading many, and writing one.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use causeway_secrets::{
    FoundSecret, ReadSecretsError, SecretContent, SecretPattern, SecretVersion, SecretWrite,
    WriteSecretError, put_secret, read_secrets,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

mod support;
use support::{Aws, refusal};

fn patterns(texts: &[&str]) -> Vec<SecretPattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbC12d")
}

fn entry(id: &str) -> Value {
    let name = id.rsplit_once(":secret:").map_or(id, |(_, name)| name.trim_end_matches("-AbC12d"));
    json!({ "Name": name, "ARN": arn(name), "VersionId": "v1", "SecretString": format!("value of {name}") })
}

/// A service where secrets whose name holds `gone` are not there.
fn answer(operation: &str, body: &Value) -> (u16, Value) {
    match operation {
        "BatchGetSecretValue" => {
            let ids: Vec<&str> =
                body["SecretIdList"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
            assert!((1..=20).contains(&ids.len()));
            let (gone, there): (Vec<&str>, Vec<&str>) = ids.into_iter().partition(|id| id.contains("gone"));
            let error = |id: &&str| json!({ "SecretId": id, "ErrorCode": "ResourceNotFoundException", "Message": "no" });
            let errors: Vec<Value> = gone.iter().map(error).collect();
            let values: Vec<Value> = there.into_iter().map(entry).collect();
            (200, json!({ "SecretValues": values, "Errors": errors }))
        }
        "GetSecretValue" => match body["SecretId"].as_str().unwrap() {
            id if id.contains("gone") => refusal("ResourceNotFoundException", "no"),
            id => (200, entry(id)),
        },
        "ListSecrets" => {
            assert_eq!(body["Filters"][0]["Key"], "name");
            let start: usize = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
            // The service's filter is looser than ours, and pages shift.
            let names = ["prod/z", "prod/a", "other/prod/x", "prod/a", "prod/db/b", "Prod/c"];
            let list: Vec<Value> = names[start..start + 2]
                .iter()
                .map(|name| json!({ "Name": name, "ARN": arn(name) }))
                .collect();
            let next = (start + 2 < names.len()).then(|| (start + 2).to_string());
            (200, json!({ "SecretList": list, "NextToken": next }))
        }
        other => panic!("{other} is not expected"),
    }
}

fn names(found: &[FoundSecret]) -> Vec<(usize, &str)> {
    found.iter().map(|found| (found.pattern, found.secret.name.as_str())).collect()
}

#[tokio::test]
async fn many_secrets_come_twenty_a_call_and_in_order() {
    let aws = Aws::start(answer).await;
    let ids: Vec<String> = (0..45).map(|number| format!("s{number}")).collect();
    let texts: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found = read_secrets(&aws.config(), &patterns(&texts), None).await.unwrap();
    let read: Vec<&str> = found.iter().map(|found| found.secret.name.as_str()).collect();
    assert_eq!(read, texts);
    assert_eq!(found[7].secret.content.text_or_base64().expose_secret(), "value of s7");
    assert_eq!(aws.operations(), ["BatchGetSecretValue"; 3]);
}

#[tokio::test]
async fn one_secret_and_other_versions_come_one_a_call() {
    let aws = Aws::start(answer).await;
    read_secrets(&aws.config(), &patterns(&["a"]), None).await.unwrap();
    let stage = SecretVersion::Stage("AWSPREVIOUS".to_owned());
    read_secrets(&aws.config(), &patterns(&["a", "b"]), Some(&stage)).await.unwrap();
    let id = SecretVersion::Id("12345678-1234-1234-1234-123456789012".to_owned());
    read_secrets(&aws.config(), &patterns(&["a"]), Some(&id)).await.unwrap();
    let calls = aws.calls();
    assert!(calls.iter().all(|(operation, _)| operation == "GetSecretValue"));
    assert_eq!(calls[0].1, json!({ "SecretId": "a" }));
    assert_eq!(calls[1].1["VersionStage"], "AWSPREVIOUS");
    assert_eq!(calls[3].1["VersionId"], "12345678-1234-1234-1234-123456789012");
}

#[tokio::test]
async fn a_beginning_finds_just_the_names_that_begin_so() {
    let aws = Aws::start(answer).await;
    let whole = arn("prod/a");
    let found = read_secrets(&aws.config(), &patterns(&["x", "prod/*", &whole]), None).await.unwrap();
    assert_eq!(names(&found), [(0, "x"), (1, "prod/a"), (1, "prod/db/b"), (1, "prod/z"), (2, "prod/a")]);
    let found = read_secrets(&aws.config(), &patterns(&["none/*"]), None).await.unwrap();
    assert!(found.is_empty());
}

#[tokio::test]
async fn all_that_is_missing_stands_in_one_error() {
    let aws = Aws::start(answer).await;
    for ids in [&["gone/1", "a", "gone/2"][..], &["gone/1"]] {
        let error = read_secrets(&aws.config(), &patterns(ids), None).await.unwrap_err();
        assert!(matches!(error, ReadSecretsError::Missing { .. }), "{error}");
        for id in ids.iter().filter(|id| id.starts_with("gone")) {
            assert!(error.to_string().contains(id) && error.to_string().contains("eu-west-1"), "{error}");
        }
        assert!(!error.to_string().contains("\"a\""), "{error}");
    }
}

#[tokio::test]
async fn a_secret_that_is_refused_is_named_with_the_reason() {
    let aws = Aws::start(|_, _| {
        let error =
            json!({ "SecretId": "b", "ErrorCode": "DecryptionFailure", "Message": "the key is disabled" });
        (200, json!({ "SecretValues": [entry("a")], "Errors": [error] }))
    })
    .await;
    let error = read_secrets(&aws.config(), &patterns(&["a", "b"]), None).await.unwrap_err();
    assert!(error.to_string().contains("\"b\": the key is disabled (DecryptionFailure)"), "{error}");
}

#[tokio::test]
async fn where_the_batch_call_is_not_allowed_the_single_one_serves() {
    let aws = Aws::start(|operation, body| match operation {
        "BatchGetSecretValue" => refusal("AccessDeniedException", "not authorized"),
        _ => answer(operation, body),
    })
    .await;
    let found = read_secrets(&aws.config(), &patterns(&["a", "b"]), None).await.unwrap();
    assert_eq!(names(&found), [(0, "a"), (1, "b")]);
    let error = read_secrets(&aws.config(), &patterns(&["a", "gone", "gone/2"]), None).await.unwrap_err();
    assert!(error.to_string().contains("\"gone\", \"gone/2\""), "{error}");
}

#[tokio::test]
async fn a_batch_may_come_in_pages_and_throttling_is_waited_out() {
    let aws = Aws::start(|_, body| match body["NextToken"].as_str() {
        None => (200, json!({ "SecretValues": [entry("a")], "NextToken": "more" })),
        Some("more") => (200, json!({ "SecretValues": [], "NextToken": "last" })),
        Some(_) => (200, json!({ "SecretValues": [entry("b")] })),
    })
    .await;
    let found = read_secrets(&aws.config(), &patterns(&["a", "b"]), None).await.unwrap();
    assert_eq!(names(&found), [(0, "a"), (1, "b")]);
    let aws = Aws::start(|_, _| refusal("ThrottlingException", "Rate exceeded")).await;
    let error = read_secrets(&aws.config(), &patterns(&["a"]), None).await.unwrap_err();
    assert_eq!(error.service_error().unwrap().code(), Some("ThrottlingException"));
}

#[tokio::test]
async fn an_answer_without_a_value_is_an_error() {
    let aws = Aws::start(|_, _| (200, json!({ "Name": "a", "ARN": arn("a") }))).await;
    let error = read_secrets(&aws.config(), &patterns(&["a"]), None).await.unwrap_err();
    assert!(matches!(error, ReadSecretsError::NoValue(_)), "{error}");
}

#[tokio::test]
async fn binary_secrets_keep_their_bytes() {
    let aws =
        Aws::start(|_, _| (200, json!({ "Name": "a", "ARN": arn("a"), "SecretBinary": "AP8KDQ==" }))).await;
    let found = read_secrets(&aws.config(), &patterns(&["a"]), None).await.unwrap();
    let content = &found[0].secret.content;
    assert_eq!(content.bytes(), [0, 255, 10, 13]);
    assert_eq!(content.text_or_base64().expose_secret(), "AP8KDQ==");
    assert!(matches!(content, SecretContent::Binary(_)));
}

fn write(text: &str) -> SecretWrite {
    SecretWrite::new("prod/db".parse().unwrap(), SecretContent::Text(text.into())).unwrap()
}

fn stored(_: &str, _: &Value) -> (u16, Value) {
    (200, json!({ "ARN": arn("prod/db"), "Name": "prod/db", "VersionId": "v2" }))
}

#[tokio::test]
async fn an_existing_secret_gets_a_version_and_nothing_else_is_touched() {
    let aws = Aws::start(stored).await;
    let written = put_secret(&aws.config(), &write("v\n\u{1}")).await.unwrap();
    assert_eq!((written.version.as_str(), written.created), ("v2", false));
    let calls = aws.calls();
    assert_eq!((calls.len(), calls[0].0.as_str()), (1, "PutSecretValue"));
    assert_eq!(calls[0].1["SecretString"], "v\n\u{1}");

    let details =
        write("v").with_details(Some("text".into()), Some("alias/k".into()), vec!["a=b".parse().unwrap()]);
    put_secret(&aws.config(), &details).await.unwrap();
    let operations = aws.operations();
    assert_eq!(operations[1..], ["UpdateSecret", "TagResource"]);
    assert!(!aws.calls().iter().any(|(_, body)| body.to_string().contains("otation")));
}

#[tokio::test]
async fn attempts_share_one_token_so_that_a_lost_answer_leaves_one_version() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let aws =
        Aws::start(move |operation, body| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => (503, json!({})),
            _ => stored(operation, body),
        })
        .await;
    put_secret(&aws.config(), &write("v")).await.unwrap();
    let tokens: Vec<Value> = aws.calls().iter().map(|(_, body)| body["ClientRequestToken"].clone()).collect();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(tokens[0].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_created_when_that_is_wanted() {
    let service = |operation: &str, body: &Value| match operation {
        "CreateSecret" => stored(operation, body),
        _ => refusal("ResourceNotFoundException", "no"),
    };
    let aws = Aws::start(service).await;
    let bytes = SecretContent::of_bytes(&[0, 1, 2]);
    let binary = SecretWrite::new("prod/db".parse().unwrap(), bytes).unwrap();
    let binary = binary.with_details(None, None, vec!["a=b".parse().unwrap()]);
    let written = put_secret(&aws.config(), &binary).await.unwrap();
    assert!(written.created);
    let created = &aws.calls()[1].1;
    assert_eq!((&created["SecretBinary"], &created["Tags"][0]["Key"]), (&json!("AAEC"), &json!("a")));

    let error = put_secret(&aws.config(), &write("v").with_create(false)).await.unwrap_err();
    assert!(matches!(error, WriteSecretError::Missing { .. }), "{error}");
    let by_arn = SecretWrite::new(arn("x").parse().unwrap(), SecretContent::Text("v".into())).unwrap();
    assert!(matches!(
        put_secret(&aws.config(), &by_arn).await.unwrap_err(),
        WriteSecretError::Missing { .. }
    ));
}

#[test]
fn what_no_secret_holds_is_refused_before_any_call() {
    let id = || "a".parse().unwrap();
    assert!(SecretWrite::new(id(), SecretContent::Text("".into())).is_err());
    assert!(SecretWrite::new(id(), SecretContent::of_bytes(&[7; 65_536])).is_ok());
    let error = SecretWrite::new(id(), SecretContent::of_bytes(&[7; 65_537])).unwrap_err().to_string();
    assert!(error.contains("65537") && error.contains("65536"), "{error}");
}
