//! Writing parameters.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use causeway_secrets::{ParameterKind, ParameterTier, ParameterWrite, WriteParameterError, put_parameter};
use serde_json::{Value, json};

mod support;
use support::{Aws, refusal};

fn write(value: &str) -> ParameterWrite {
    ParameterWrite::new("/app/a".parse().unwrap(), ParameterKind::SecureString, value.into()).unwrap()
}

fn tags() -> Vec<causeway_secrets::Tag> {
    vec!["team=shop".parse().unwrap(), "cost=1".parse().unwrap()]
}

/// A store where the parameter exists already.
fn existing(operation: &str, body: &Value) -> (u16, Value) {
    match operation {
        "PutParameter" if body["Overwrite"] == false => refusal("ParameterAlreadyExists", "it exists"),
        "PutParameter" => {
            assert!(body.get("Tags").is_none(), "SSM refuses tags with overwrite");
            (200, json!({ "Version": 4, "Tier": "Standard" }))
        }
        _ => (200, json!({})),
    }
}

#[tokio::test]
async fn one_call_writes_value_key_and_tier() {
    let aws = Aws::start(existing).await;
    let write = write("a\n\"b\" %").with_key(Some("alias/k".into())).unwrap();
    let write = write.with_tier(Some(ParameterTier::IntelligentTiering)).unwrap();
    let write = write.with_details(Some("text".into()), Vec::new());
    assert_eq!(put_parameter(&aws.config(), &write).await.unwrap(), 4);
    let calls = aws.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        calls[0].1,
        json!({ "Name": "/app/a", "Type": "SecureString", "Value": "a\n\"b\" %", "KeyId": "alias/k",
                "Tier": "Intelligent-Tiering", "Description": "text", "Overwrite": true })
    );
}

#[tokio::test]
async fn tags_go_with_a_new_parameter_and_after_an_existing_one() {
    let aws = Aws::start(|_, _| (200, json!({ "Version": 1 }))).await;
    let tagged = write("v").with_details(None, tags());
    assert_eq!(put_parameter(&aws.config(), &tagged).await.unwrap(), 1);
    assert_eq!(aws.operations(), ["PutParameter"]);
    assert_eq!(aws.calls()[0].1["Tags"][0], json!({ "Key": "team", "Value": "shop" }));

    let aws = Aws::start(existing).await;
    assert_eq!(put_parameter(&aws.config(), &tagged).await.unwrap(), 4);
    assert_eq!(aws.operations(), ["PutParameter", "PutParameter", "AddTagsToResource"]);
    assert_eq!(aws.calls()[2].1["ResourceId"], "/app/a");
}

#[tokio::test]
async fn without_overwriting_an_existing_parameter_stays() {
    let aws = Aws::start(existing).await;
    for write in [write("v"), write("v").with_details(None, tags())] {
        let error = put_parameter(&aws.config(), &write.with_overwrite(false)).await.unwrap_err();
        assert!(matches!(error, WriteParameterError::Exists { .. }), "{error}");
        assert!(error.to_string().contains("/app/a"));
    }
    assert_eq!(aws.operations(), ["PutParameter", "PutParameter"]);
}

#[tokio::test]
async fn tags_that_are_refused_are_said_apart_from_the_value() {
    let aws = Aws::start(|operation, body| match operation {
        "AddTagsToResource" => refusal("AccessDeniedException", "ssm:AddTagsToResource"),
        _ => existing(operation, body),
    })
    .await;
    let error = put_parameter(&aws.config(), &write("v").with_details(None, tags())).await.unwrap_err();
    assert!(error.to_string().contains("is written (version 4)"), "{error}");
}

#[test]
fn what_ssm_would_not_take_is_refused_before_any_call() {
    let new = |name: &str, kind, value: &str| ParameterWrite::new(name.parse().unwrap(), kind, value.into());
    let text = ParameterKind::String;
    for name in ["/a:1", "arn:aws:ssm:eu-west-1:123456789012:parameter/a"] {
        assert!(new(name, text, "v").is_err());
    }
    assert!(new("/a", text, "").is_err());
    assert!(new("/a", text, &"x".repeat(8193)).is_err());
    assert!(new("/a", text, "v").unwrap().with_key(Some("k".into())).is_err());
    let long = new("/a", text, &"ü".repeat(2049)).unwrap();
    let error = long.clone().with_tier(Some(ParameterTier::Standard)).unwrap_err().to_string();
    assert!(error.contains("4098") && error.contains("4096"), "{error}");
    assert!(long.with_tier(Some(ParameterTier::Advanced)).is_ok());
}
