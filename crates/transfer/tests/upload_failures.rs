//! Uploads that go wrong: what is reported, and what is left in the bucket.

mod s3_server;

use std::time::Duration;

use causeway_transfer::{
    BucketState, CancellationToken, FailureReason, NoProgress, TransferProgress, UploadError, UploadOptions,
    UploadPlan, UploadReport, upload,
};
use s3_server::{BUCKET, Server, Wrong, write_tree};

const MEBIBYTE: usize = 1 << 20;

fn options(folder: &tempfile::TempDir) -> UploadOptions {
    let mut options = UploadOptions::new(BUCKET.parse().unwrap(), folder.path()).unwrap();
    options.path_style = true;
    options.limits.attempts = 2;
    options
}

async fn run(server: &Server, options: UploadOptions) -> Result<UploadReport, UploadError> {
    let plan = UploadPlan::build(options).unwrap();
    upload(&server.config(), &plan, &NoProgress, &CancellationToken::new()).await
}

fn folder<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), files);
    folder
}

fn code(reason: &FailureReason) -> Option<&str> {
    match reason {
        FailureReason::Service(error) => error.code(),
        _ => None,
    }
}

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
        let report = upload(&config, &plan, &NoProgress, &CancellationToken::new()).await.unwrap();
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
async fn a_file_that_is_gone_is_named_and_the_others_arrive() {
    let server = Server::start().await;
    let folder = folder([("a", b"1".as_slice()), ("b", b"2"), ("c/d", b"3")]);
    let plan = UploadPlan::build(options(&folder)).unwrap();
    std::fs::remove_file(folder.path().join("b")).unwrap();
    let report = upload(&server.config(), &plan, &NoProgress, &CancellationToken::new()).await.unwrap();
    assert!(!report.is_complete());
    assert_eq!(report.uploaded.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["a", "c/d"]);
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].path, "b");
    let FailureReason::Unreadable(error) = &report.failures[0].reason else {
        panic!("{}", report.failures[0])
    };
    assert_eq!(error.kind, std::io::ErrorKind::NotFound);
    assert!(!server.object("b").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn unreadable_things_are_named_whatever_made_them_so() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let server = Server::start().await;
    let folder = folder([("a", b"1".as_slice()), ("becomes-pipe", b"2"), ("closed", b"3")]);
    symlink("/nowhere", folder.path().join("dangling")).unwrap();
    std::fs::set_permissions(folder.path().join("closed"), std::fs::Permissions::from_mode(0)).unwrap();
    let is_root = std::fs::read(folder.path().join("closed")).is_ok();
    let plan = UploadPlan::build(options(&folder)).unwrap();
    std::fs::remove_file(folder.path().join("becomes-pipe")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("becomes-pipe")).status().unwrap();
    assert!(made.success());
    let report = upload(&server.config(), &plan, &NoProgress, &CancellationToken::new()).await.unwrap();
    let mut expected = vec!["dangling", "becomes-pipe"];
    if !is_root {
        expected.push("closed");
    }
    assert_eq!(report.failures.iter().map(|failure| failure.path.as_str()).collect::<Vec<_>>(), expected);
    assert!(server.object("a").exists());
}

#[tokio::test]
async fn a_refused_file_is_named_with_the_code_of_the_service() {
    let server = Server::start().await;
    let folder = folder([("a", b"1".as_slice()), ("b", b"2"), ("c", b"3")]);
    server.judge(|seen| {
        (seen.is_object() && seen.path.ends_with("/b")).then(|| Wrong::new(403, "AccessDenied"))
    });
    let report = run(&server, options(&folder)).await.unwrap();
    assert_eq!(report.uploaded.len(), 2);
    assert_eq!(report.failures[0].path, "b");
    assert_eq!(code(&report.failures[0].reason), Some("AccessDenied"));
    assert!(report.failures[0].to_string().contains("AccessDenied it is"), "{}", report.failures[0]);
}

#[tokio::test]
async fn what_fails_every_file_alike_ends_the_transfer() {
    let server = Server::start().await;
    let names: Vec<String> = (0..200).map(|index| format!("{index:03}")).collect();
    let folder = folder(names.iter().map(|name| (name.as_str(), b"x".as_slice())));
    server.judge(|seen| seen.is_object().then(|| Wrong::new(400, "ExpiredToken")));
    let report = run(&server, options(&folder)).await.unwrap();
    assert!(report.uploaded.is_empty() && !report.cancelled && !report.is_complete());
    assert_eq!(report.failures.len() + report.unfinished, 200);
    assert!((1..=20).contains(&report.failures.len()), "{}", report.failures.len());
    assert!(report.failures.iter().all(|failure| code(&failure.reason) == Some("ExpiredToken")));
    assert!(server.seen().len() < 60, "{}", server.seen().len());
}

#[tokio::test]
async fn a_success_without_an_e_tag_is_no_success() {
    let server = Server::start().await;
    let folder = folder([("a", b"1".as_slice())]);
    server.judge(|seen| seen.is_object().then(|| Wrong::new(201, "")));
    let report = run(&server, options(&folder)).await.unwrap();
    assert!(matches!(report.failures[0].reason, FailureReason::Unconfirmed), "{report:?}");
}

#[tokio::test]
async fn a_failed_part_aborts_the_whole_and_names_the_file() {
    let server = Server::start().await;
    let large = vec![1; 30 * MEBIBYTE];
    let folder = folder([("large", large.as_slice()), ("small", b"x")]);
    server.judge(|seen| {
        (seen.is_part() && seen.query.contains("partNumber=2")).then(|| Wrong::new(403, "AccessDenied"))
    });
    let report = run(&server, options(&folder)).await.unwrap();
    assert_eq!(report.uploaded.len(), 1);
    assert_eq!(report.failures[0].path, "large");
    assert_eq!(code(&report.failures[0].reason), Some("AccessDenied"));
    assert!(report.left_open.is_empty());
    assert_eq!(server.seen().iter().filter(|seen| seen.is_abort()).count(), 1);
    assert!(!server.object("large").exists());
}

#[tokio::test]
async fn an_upload_that_cannot_be_aborted_is_reported() {
    let server = Server::start().await;
    let large = vec![1; 20 * MEBIBYTE];
    let folder = folder([("large", large.as_slice())]);
    server.judge(|seen| (seen.is_part() || seen.is_abort()).then(|| Wrong::new(403, "AccessDenied")));
    let report = run(&server, options(&folder)).await.unwrap();
    assert_eq!(report.left_open.len(), 1);
    assert_eq!(report.left_open[0].key, "large");
    assert!(!report.left_open[0].upload_id.is_empty());
    assert_eq!(report.left_open[0].reason.code(), Some("AccessDenied"));
}

#[tokio::test]
async fn a_file_that_shrinks_or_is_written_to_meanwhile_is_named() {
    for shrink in [true, false] {
        let server = Server::start().await;
        let large = vec![1; 40 * MEBIBYTE];
        let folder = folder([("large", large.as_slice())]);
        let path = folder.path().join("large");
        server.judge(move |seen| {
            if seen.is_part() && seen.query.contains("partNumber=1&") {
                let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
                if shrink {
                    file.set_len(1000).unwrap();
                } else {
                    std::os::unix::fs::FileExt::write_at(&file, b"other", 39 << 20).unwrap();
                }
            }
            None
        });
        let mut options = options(&folder);
        options.limits.parallelism = std::num::NonZeroUsize::MIN;
        let report = run(&server, options).await.unwrap();
        assert!(report.uploaded.is_empty());
        assert!(matches!(report.failures[0].reason, FailureReason::Changed), "{report:?}");
        assert!(server.seen().iter().any(s3_server::Seen::is_abort));
        assert!(!server.object("large").exists());
    }
}

#[tokio::test]
async fn cancelling_stops_new_work_aborts_what_is_open_and_reports() {
    let server = Server::start().await;
    let large = vec![1; 64 * MEBIBYTE];
    let names: Vec<String> = (0..30).map(|index| format!("z{index}")).collect();
    let small = names.iter().map(|name| (name.as_str(), b"x".as_slice()));
    let folder = folder(small.chain([("large", large.as_slice())]));
    let mut options = options(&folder);
    options.limits.parallelism = std::num::NonZeroUsize::new(2).unwrap();
    server.judge(|seen| {
        let mut slow = Wrong::new(200, "");
        slow.delay = Duration::from_millis(100);
        (seen.is_part() || seen.is_object()).then_some(slow)
    });
    let cancel = CancellationToken::new();
    let progress = |now: TransferProgress| {
        if now.bytes_done > 8 << 20 {
            cancel.cancel();
        }
    };
    let plan = UploadPlan::build(options).unwrap();
    let report = upload(&server.config(), &plan, &progress, &cancel).await.unwrap();
    assert!(report.cancelled && !report.is_complete());
    assert!(report.failures.is_empty(), "{report:?}");
    assert_eq!(report.uploaded.len() + report.unfinished, 31);
    assert!(report.unfinished > 20, "{}", report.unfinished);
    assert!(report.left_open.is_empty());
    assert_eq!(server.seen().iter().filter(|seen| seen.is_abort()).count(), 1);
    assert!(!server.object("large").exists());
}

#[tokio::test]
async fn cancelled_before_it_began_it_asks_nothing() {
    let server = Server::start().await;
    let folder = folder([("a", b"1".as_slice())]);
    let plan = UploadPlan::build(options(&folder)).unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let report = upload(&server.config(), &plan, &NoProgress, &cancel).await.unwrap();
    assert!(report.cancelled);
    assert_eq!((report.unfinished, report.bucket), (1, BucketState::NotLookedAt));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn an_unreachable_service_is_an_error_about_the_bucket() {
    let server = Server::start().await;
    let config = server.config();
    drop(server);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let folder = folder([("a", b"1".as_slice())]);
    let plan = UploadPlan::build(options(&folder)).unwrap();
    let error = upload(&config, &plan, &NoProgress, &CancellationToken::new()).await.unwrap_err();
    let UploadError::Bucket { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), causeway_types::ServiceErrorKind::Unreachable);
}
