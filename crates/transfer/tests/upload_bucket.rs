//! The bucket before the first object: missing, made, elsewhere, not to be looked at.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

mod s3_server;

use causeway_transfer::{
    BucketState, CancellationToken, Encryption, NoProgress, SseCustomerKey, UploadError, UploadPlan, upload,
};
use s3_server::{BUCKET, Server, Wrong, folder, options, route, run};

#[tokio::test]
async fn a_missing_bucket_is_an_error_before_anything_is_sent() {
    let server = Server::start_empty().await;
    let folder = folder([("a", b"x".as_slice())]);
    let error = run(&server, options(&folder)).await.unwrap_err();
    assert!(matches!(error, UploadError::NoBucket(_)));
    assert_eq!(error.to_string(), "the bucket bucket does not exist");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_missing_bucket_is_made_where_that_is_wanted() {
    for (region, names_region) in [("us-east-1", false), ("eu-west-1", true)] {
        let server = Server::start_empty().await;
        let folder = folder([("a", b"x".as_slice())]);
        let mut options = options(&folder);
        options.create_bucket = true;
        let plan = UploadPlan::build(options).unwrap();
        let config = server.config_in(region);
        let report = upload(&config, &route(), &plan, &NoProgress, &CancellationToken::new()).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(report.bucket, BucketState::Created);
        assert!(server.has_bucket(BUCKET));
        let create = server
            .seen()
            .into_iter()
            .find(|seen| seen.path.trim_matches('/') == BUCKET && seen.method == "PUT");
        let has_body = create.unwrap().header("content-length").is_some_and(|length| length != "0");
        assert_eq!(has_body, names_region, "{region}");
    }
}

#[tokio::test]
async fn a_bucket_that_another_job_has_just_made_is_fine() {
    let server = Server::start().await;
    let folder = folder([("a", b"x".as_slice())]);
    server.judge(|seen| match (seen.method.as_str(), seen.path.trim_matches('/')) {
        ("HEAD", BUCKET) => Some(Wrong::new(404, "")),
        ("PUT", BUCKET) => Some(Wrong::new(409, "BucketAlreadyOwnedByYou")),
        _ => None,
    });
    let mut options = options(&folder);
    options.create_bucket = true;
    assert!(run(&server, options).await.unwrap().is_complete());
}

#[tokio::test]
async fn a_bucket_that_another_job_is_making_is_waited_for() {
    for ends_made in [true, false] {
        let server = Server::start_empty().await;
        let folder = folder([("a", b"x".as_slice())]);
        let refused = std::sync::atomic::AtomicUsize::new(0);
        let path = server.object("");
        server.judge(move |seen| {
            let is_create = seen.method == "PUT" && seen.path.trim_matches('/') == BUCKET;
            if !is_create || refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 2 {
                return None;
            }
            if ends_made && refused.load(std::sync::atomic::Ordering::Relaxed) == 2 {
                std::fs::create_dir(&path).unwrap();
            }
            Some(Wrong::new(409, "OperationAborted"))
        });
        let mut options = options(&folder);
        options.create_bucket = true;
        let report = run(&server, options).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        let expected = if ends_made { BucketState::Existed } else { BucketState::Created };
        assert_eq!(report.bucket, expected);
    }
}

#[tokio::test]
async fn a_customer_key_without_tls_is_refused_before_anything_is_asked() {
    let folder = folder([("a", b"x".as_slice())]);
    let mut options = options(&folder);
    options.create_bucket = true;
    let key = SseCustomerKey::from_hex(&"01".repeat(32).into()).unwrap();
    options.settings.encryption = Encryption::CustomerKey(key);
    let server = Server::start_empty().await;
    // Nobody answers there: a request would be an error of its own.
    let config = server.config().into_builder().endpoint_url("http://s3.invalid").build();
    let plan = UploadPlan::build(options).unwrap();
    let error = upload(&config, &route(), &plan, &NoProgress, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, UploadError::Endpoint { .. }), "{error}");
    assert!(error.to_string().contains("without TLS"), "{error}");
}

#[tokio::test]
async fn a_bucket_of_somebody_else_is_an_error_with_the_code() {
    let server = Server::start_empty().await;
    let folder = folder([("a", b"x".as_slice())]);
    server.judge(|seen| match seen.method.as_str() {
        "HEAD" => Some(Wrong::new(404, "")),
        _ => Some(Wrong::new(409, "BucketAlreadyExists")),
    });
    let mut options = options(&folder);
    options.create_bucket = true;
    let error = run(&server, options).await.unwrap_err();
    assert!(matches!(error, UploadError::Create { .. }));
    assert!(error.to_string().contains("BucketAlreadyExists"), "{error}");
}

#[tokio::test]
async fn who_may_not_look_may_still_upload() {
    let server = Server::start().await;
    let folder = folder([("a", b"x".as_slice())]);
    server.judge(|seen| (seen.method == "HEAD").then(|| Wrong::new(403, "")));
    let report = run(&server, options(&folder)).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(report.bucket, BucketState::NotAllowedToLook);
}

#[tokio::test]
async fn a_bucket_elsewhere_is_named_with_its_region() {
    for (status, region) in [(301, Some("eu-west-1")), (301, None), (400, Some("eu-west-1"))] {
        let server = Server::start().await;
        let folder = folder([("a", b"x".as_slice())]);
        server.judge(move |_| {
            let mut wrong = Wrong::new(status, "");
            wrong.headers.extend(region.map(|region| ("x-amz-bucket-region", region.to_owned())));
            Some(wrong)
        });
        let error = run(&server, options(&folder)).await.unwrap_err().to_string();
        let expected =
            format!("the bucket bucket is in region {}, not in us-east-1", region.unwrap_or("unknown"));
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn no_other_answer_reads_as_a_missing_bucket() {
    for status in [400, 500, 503] {
        let server = Server::start().await;
        let folder = folder([("a", b"x".as_slice())]);
        server.judge(move |_| Some(Wrong::new(status, "")));
        let error = run(&server, options(&folder)).await.unwrap_err();
        assert!(matches!(error, UploadError::Bucket { .. }), "{error}");
        assert!(!error.to_string().contains("exist"), "{error}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
}

#[tokio::test]
async fn an_unreachable_service_is_an_error_about_the_bucket() {
    let server = Server::start().await;
    let config = server.config();
    drop(server);
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let folder = folder([("a", b"1".as_slice())]);
    let plan = UploadPlan::build(options(&folder)).unwrap();
    let error = upload(&config, &route(), &plan, &NoProgress, &CancellationToken::new()).await.unwrap_err();
    let UploadError::Bucket { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), causeway_types::ServiceErrorKind::Unreachable);
}
