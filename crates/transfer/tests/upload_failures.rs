//! Uploads that go wrong: what is reported, and what is left in the bucket.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

mod s3_server;

use std::num::NonZeroUsize;
use std::time::Duration;

use causeway_transfer::{
    BucketState, CancellationToken, FailureReason, NoProgress, TransferProgress, UploadOptions, UploadPlan,
    upload,
};
use s3_server::{Server, Wrong, folder, options, route, route_nowhere, run};

const MEBIBYTE: usize = 1 << 20;

/// Options under which a few MiB already go in parts.
fn small_parts(folder: &tempfile::TempDir) -> UploadOptions {
    let mut options = options(folder);
    options.limits.multipart_threshold = 2 << 20;
    options.limits.part_bytes = 1 << 20;
    options
}

fn code(reason: &FailureReason) -> Option<&str> {
    match reason {
        FailureReason::Service(error) => error.code(),
        _ => None,
    }
}

#[tokio::test]
async fn a_file_that_is_gone_is_named_and_the_others_arrive() {
    let server = Server::start().await;
    let folder = folder([("a", b"1".as_slice()), ("b", b"2"), ("c/d", b"3")]);
    let plan = UploadPlan::build(options(&folder)).unwrap();
    std::fs::remove_file(folder.path().join("b")).unwrap();
    let report =
        upload(&server.config(), &route(), &plan, &NoProgress, &CancellationToken::new()).await.unwrap();
    assert!(!report.is_complete());
    assert_eq!(report.uploaded.iter().map(|object| object.key()).collect::<Vec<_>>(), ["a", "c/d"]);
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
    std::fs::set_permissions(folder.path().join("closed"), std::fs::Permissions::from_mode(0o0)).unwrap();
    let is_root = std::fs::read(folder.path().join("closed")).is_ok();
    let plan = UploadPlan::build(options(&folder)).unwrap();
    std::fs::remove_file(folder.path().join("becomes-pipe")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("becomes-pipe")).status().unwrap();
    assert!(made.success());
    let report =
        upload(&server.config(), &route(), &plan, &NoProgress, &CancellationToken::new()).await.unwrap();
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
    let names: Vec<String> = (0..1000).map(|index| format!("{index:03}")).collect();
    let folder = folder(names.iter().map(|name| (name.as_str(), b"x".as_slice())));
    server.judge(|seen| seen.is_object().then(|| Wrong::new(400, "ExpiredToken")));
    let report = run(&server, options(&folder)).await.unwrap();
    assert!(report.uploaded.is_empty() && !report.cancelled && !report.is_complete());
    assert_eq!(report.failures.len() + report.unfinished, 1000);
    // What was under way when the first answer came; on a busy machine some more.
    assert!((1..=100).contains(&report.failures.len()), "{}", report.failures.len());
    assert!(report.failures.iter().all(|failure| code(&failure.reason) == Some("ExpiredToken")));
    assert!(server.seen().len() < 200, "{}", server.seen().len());
}

#[tokio::test]
async fn a_service_that_answers_nothing_any_more_ends_the_transfer() {
    let server = Server::start().await;
    let names: Vec<String> = (0..1000).map(|index| format!("{index:03}")).collect();
    let folder = folder(names.iter().map(|name| (name.as_str(), b"x".as_slice())));
    let mut options = options(&folder);
    options.limits.attempts = 8;
    options.limits.silence = Duration::from_millis(300);
    let plan = UploadPlan::build(options).unwrap();
    let began = std::time::Instant::now();
    let report =
        upload(&server.config(), &route_nowhere(), &plan, &NoProgress, &CancellationToken::new()).await;
    let report = report.unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert!(report.unfinished > 500 && !report.is_complete(), "{}", report.unfinished);
    let said = report.failures.iter().map(ToString::to_string).find(|said| said.contains("given up"));
    let said = said.unwrap();
    assert!(said.contains("answered nothing for") && said.contains("PutObject: "), "{said}");
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
    let large = vec![1; 6 * MEBIBYTE];
    let folder = folder([("large", large.as_slice()), ("small", b"x")]);
    server.judge(|seen| {
        (seen.is_part() && seen.query.contains("partNumber=2")).then(|| Wrong::new(403, "AccessDenied"))
    });
    let report = run(&server, small_parts(&folder)).await.unwrap();
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
    let large = vec![1; 4 * MEBIBYTE];
    let folder = folder([("large", large.as_slice())]);
    server.judge(|seen| (seen.is_part() || seen.is_abort()).then(|| Wrong::new(403, "AccessDenied")));
    let report = run(&server, small_parts(&folder)).await.unwrap();
    assert_eq!(report.left_open.len(), 1);
    assert_eq!(report.left_open[0].key, "large");
    assert!(!report.left_open[0].upload_id.is_empty());
    assert_eq!(report.left_open[0].reason.code(), Some("AccessDenied"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_shrinks_or_is_written_to_meanwhile_is_named() {
    for shrink in [true, false] {
        let server = Server::start().await;
        let large = vec![1; 8 * MEBIBYTE];
        let folder = folder([("large", large.as_slice())]);
        let path = folder.path().join("large");
        server.judge(move |seen| {
            if seen.is_part() && seen.query.contains("partNumber=1&") {
                let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
                if shrink {
                    file.set_len(1000).unwrap();
                } else {
                    std::os::unix::fs::FileExt::write_at(&file, b"other", 7 << 20).unwrap();
                }
            }
            None
        });
        let mut options = small_parts(&folder);
        options.limits.parallelism = NonZeroUsize::MIN;
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
    let large = vec![1; 20 * MEBIBYTE];
    let names: Vec<String> = (0..30).map(|index| format!("z{index}")).collect();
    let small = names.iter().map(|name| (name.as_str(), b"x".as_slice()));
    let folder = folder(small.chain([("large", large.as_slice())]));
    let mut options = small_parts(&folder);
    options.limits.parallelism = NonZeroUsize::new(2).unwrap();
    server.judge(|seen| {
        let mut slow = Wrong::new(200, "");
        slow.delay = Duration::from_millis(100);
        (seen.is_part() || seen.is_object()).then_some(slow)
    });
    let cancel = CancellationToken::new();
    let progress = |now: TransferProgress| {
        if now.bytes_done > 3 << 20 {
            cancel.cancel();
        }
    };
    let plan = UploadPlan::build(options).unwrap();
    let report = upload(&server.config(), &route(), &plan, &progress, &cancel).await.unwrap();
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
    let report = upload(&server.config(), &route(), &plan, &NoProgress, &cancel).await.unwrap();
    assert!(report.cancelled);
    assert_eq!((report.unfinished, report.bucket), (1, BucketState::NotLookedAt));
    assert!(server.seen().is_empty());
}
