//! Downloads from a real server: what is written, what is refused, and what breaks on the way.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

mod s3_server;

use std::path::Path;

use causeway_transfer::{
    CancellationToken, DownloadError, DownloadOptions, DownloadReport, FailureReason, NoProgress,
    PatternList, Shard, TransferProgress, download,
};
use s3_server::{BUCKET, Server, Wrong, content, options as upload_options, route, run, write_tree};

const MEBIBYTE: usize = 1 << 20;

/// Puts objects into the bucket, as an upload does.
async fn put(server: &Server, objects: &[(&str, &[u8])]) {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), objects.iter().copied());
    assert!(run(server, upload_options(&folder)).await.unwrap().is_complete());
}

/// Objects whose keys no upload makes.
fn put_raw(server: &Server, objects: &[(&str, &[u8])]) {
    for (key, content) in objects {
        server.put_raw(key, content);
    }
}

fn options(target: &Path) -> DownloadOptions {
    let mut options = DownloadOptions::new(BUCKET.parse().unwrap(), target).unwrap();
    options.path_style = true;
    options.limits.attempts = 3;
    options.limits.multipart_threshold = 2 * MEBIBYTE as u64;
    options.limits.part_bytes = MEBIBYTE as u64;
    options
}

async fn get(server: &Server, options: &DownloadOptions) -> Result<DownloadReport, DownloadError> {
    download(&server.config(), &route(), options, &NoProgress, &CancellationToken::new()).await
}

fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn nasty_keys_come_back_byte_for_byte_under_their_whole_key() {
    let server = Server::start().await;
    let names =
        ["d/a b.txt", "d/ü/日本語 \u{1f600}", "d/a+b#c?d&e=f", "d/%20", "d/.dot", "d/deep/er/x", "d/;]=(!)'"];
    let objects: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, name.as_bytes())).collect();
    put(&server, &objects).await;
    put(&server, &[("dother/no", b"x"), ("d/empty", b"")]).await;
    let target = tempfile::tempdir().unwrap();
    let mut options = options(target.path());
    options.source_folder = "/d/".parse().unwrap();
    let report = get(&server, &options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.downloaded.len(), report.unverified), (8, 0));
    let mut expected: Vec<&str> = names.to_vec();
    expected.push("d/empty");
    expected.sort_unstable();
    assert_eq!(files(target.path()), expected);
    for name in names {
        assert_eq!(std::fs::read(target.path().join(name)).unwrap(), name.as_bytes(), "{name}");
    }
    assert_eq!(std::fs::read(target.path().join("d/empty")).unwrap(), b"");
}

#[tokio::test]
async fn patterns_markers_and_flat_names() {
    let server = Server::start().await;
    put(&server, &[("s/a.js", b"1"), ("s/x/b.js", b"2"), ("s/x/b.map", b"3"), ("s/y/b.map", b"4")]).await;
    put(&server, &[("s/old_$folder$", b"")]).await;
    let target = tempfile::tempdir().unwrap();
    let mut options = options(target.path());
    options.source_folder = "s".parse().unwrap();
    options.flatten_folders = true;
    options.patterns = PatternList::parse(["**/*.js"]).unwrap();
    assert!(get(&server, &options).await.unwrap().is_complete());
    assert_eq!(files(target.path()), ["a.js", "b.js"]);
    options.patterns = PatternList::parse(["**"]).unwrap();
    let report = get(&server, &options).await.unwrap();
    let failed: Vec<_> = report.failures.iter().map(|failure| failure.path.as_str()).collect();
    assert_eq!(failed, ["s/x/b.map", "s/y/b.map"], "two of one name");
    assert!(matches!(report.failures[0].reason, FailureReason::SameFile(_)));
    assert_eq!(files(target.path()), ["a.js", "b.js"]);
    options.patterns = PatternList::parse(["*.nothing"]).unwrap();
    let report = get(&server, &options).await.unwrap();
    assert!(report.is_complete() && report.matched == 0);
}

#[tokio::test]
async fn keys_that_lead_out_are_named_and_the_others_arrive() {
    let server = Server::start().await;
    put(&server, &[("good", b"1")]).await;
    let target = tempfile::tempdir().unwrap();
    let folder = target.path().join("in");
    server.list_also(&["../evil", "a/../../evil", "/etc/evil", "C:\\evil", "c:/evil", "a\\..\\..\\evil"]);
    let report = get(&server, &options(&folder)).await.unwrap();
    assert_eq!(report.downloaded.len(), 1);
    assert_eq!(report.failures.len(), 6, "{report:?}");
    assert!(report.failures.iter().all(|failure| matches!(failure.reason, FailureReason::UnsafeKey(_))));
    assert_eq!(files(target.path()), ["in/good"]);
}

#[tokio::test]
async fn large_objects_come_in_ranges_and_are_verified() {
    let server = Server::start().await;
    let large = content(5 * MEBIBYTE + 123);
    put(&server, &[("large", &large), ("small", b"x")]).await;
    let target = tempfile::tempdir().unwrap();
    let report = get(&server, &options(target.path())).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(std::fs::read(target.path().join("large")).unwrap() == large);
    let ranges = server.seen().iter().filter(|seen| seen.header("range").is_some()).count();
    assert_eq!(ranges, 3);
    assert_eq!(files(target.path()), ["large", "small"]);
}

#[tokio::test]
async fn what_does_not_have_the_objects_checksum_is_no_file() {
    let server = Server::start().await;
    put(&server, &[("a", b"good"), ("b", b"fine")]).await;
    std::fs::write(server.object("a"), b"evil").unwrap();
    let target = tempfile::tempdir().unwrap();
    std::fs::write(target.path().join("a"), b"before").unwrap();
    let report = get(&server, &options(target.path())).await.unwrap();
    assert_eq!(report.downloaded.len(), 1);
    assert!(matches!(report.failures[0].reason, FailureReason::WrongChecksum(_)), "{report:?}");
    assert_eq!(std::fs::read(target.path().join("a")).unwrap(), b"before");
    assert_eq!(files(target.path()), ["a", "b"]);
}

#[tokio::test]
async fn faults_are_retried_and_a_refusal_is_named() {
    let server = Server::start().await;
    let names: Vec<String> = (0..40).map(|index| format!("o{index:02}")).collect();
    let objects: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
    put(&server, &objects).await;
    let count = std::sync::atomic::AtomicUsize::new(0);
    server.judge(move |seen| {
        let is_get = seen.method == "GET" && !seen.query.contains("list-type");
        if is_get && seen.path.ends_with("o07") {
            return Some(Wrong::new(403, "AccessDenied"));
        }
        let number = count.fetch_add(usize::from(is_get), std::sync::atomic::Ordering::Relaxed);
        (is_get && number.is_multiple_of(7)).then(|| Wrong::new(503, "SlowDown"))
    });
    let target = tempfile::tempdir().unwrap();
    let mut options = options(target.path());
    options.limits.attempts = 8;
    let report = get(&server, &options).await.unwrap();
    assert_eq!((report.downloaded.len(), report.failures.len()), (39, 1), "{report:?}");
    assert!(report.failures[0].to_string().starts_with("o07: GetObject: AccessDenied it is"));
    assert_eq!(files(target.path()).len(), 39);
}

#[tokio::test]
async fn files_that_are_there_stay_without_overwrite() {
    let server = Server::start().await;
    put(&server, &[("a", b"new"), ("b", b"new")]).await;
    let target = tempfile::tempdir().unwrap();
    std::fs::write(target.path().join("b"), b"old").unwrap();
    let mut options = options(target.path());
    options.overwrite = false;
    let error = get(&server, &options).await.unwrap_err();
    assert!(matches!(&error, DownloadError::Exists { named, more: 0 } if named.len() == 1), "{error}");
    assert_eq!(files(target.path()), ["b"]);
    options.overwrite = true;
    assert!(get(&server, &options).await.unwrap().is_complete());
    assert_eq!(std::fs::read(target.path().join("b")).unwrap(), b"new");
}

#[tokio::test]
async fn a_listing_that_breaks_off_downloads_nothing() {
    let server = Server::start().await;
    put(&server, &[("a", b"1")]).await;
    server.judge(|seen| seen.query.contains("list-type").then(|| Wrong::new(403, "AccessDenied")));
    let target = tempfile::tempdir().unwrap();
    let error = get(&server, &options(target.path())).await.unwrap_err();
    assert!(matches!(error, DownloadError::List { .. }), "{error}");
    assert!(files(target.path()).is_empty());
    let mut options = options(target.path());
    options.bucket = "missing".parse().unwrap();
    assert!(matches!(get(&server, &options).await, Err(DownloadError::Bucket(_))));
}

#[tokio::test]
async fn unchanged_files_are_left_alone() {
    let server = Server::start().await;
    let large = content(3 * MEBIBYTE);
    put(
        &server,
        &[("same", b"1"), ("size", b"12"), ("content", b"new"), ("missing", b"x"), ("large", &large)],
    )
    .await;
    server.know_checksum("large", &large);
    let target = tempfile::tempdir().unwrap();
    write_tree(
        target.path(),
        [("same", b"1".as_slice()), ("size", b"1"), ("content", b"old"), ("large", &large)],
    );
    let mut options = options(target.path());
    options.only_changed = true;
    let report = get(&server, &options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    let fetched: Vec<_> = report.downloaded.iter().map(|object| object.key.as_ref()).collect();
    assert_eq!((fetched, report.unchanged), (vec!["content", "missing", "size"], 2));
    assert_eq!(std::fs::read(target.path().join("content")).unwrap(), b"new");
}

#[tokio::test]
async fn files_without_an_object_are_deleted_only_where_they_may_be() {
    let server = Server::start().await;
    put(&server, &[("s/keep", b"1"), ("other", b"2")]).await;
    let target = tempfile::tempdir().unwrap();
    let before = ["s/keep", "s/gone", "s/deep/gone.js", "s/excluded.log", "outside", "other"];
    write_tree(target.path(), before.iter().map(|name| (*name, b"x".as_slice())));
    let mut options = options(target.path());
    options.patterns = PatternList::parse(["**", "!**/*.log"]).unwrap();
    options.delete_removed = Some(Default::default());
    assert!(matches!(get(&server, &options).await, Err(DownloadError::WholeFolder(_))));
    options.source_folder = "nothing".parse().unwrap();
    assert!(matches!(get(&server, &options).await, Err(DownloadError::EmptySource(_))));
    options.source_folder = "s".parse().unwrap();
    server.judge(|seen| seen.path.ends_with("/s/keep").then(|| Wrong::new(403, "AccessDenied")));
    assert!(get(&server, &options).await.unwrap().deleted.is_empty(), "not everything arrived");
    server.judge(|_| None);
    options.shard = Some(Shard::new(1, 2).unwrap());
    assert!(get(&server, &options).await.unwrap().deleted.is_empty(), "the last slice deletes");
    options.shard = Some(Shard::new(2, 2).unwrap());
    let report = get(&server, &options).await.unwrap();
    let mut deleted = report.deleted.clone();
    deleted.sort();
    assert_eq!(deleted, ["deep/gone.js", "gone"]);
    assert_eq!(files(target.path()), ["other", "outside", "s/excluded.log", "s/keep"]);
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_deleted_behind_a_link_that_leads_out() {
    let server = Server::start().await;
    put(&server, &[("other", b"2")]).await;
    let (target, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_tree(outside.path(), [("precious", b"x".as_slice()), ("deep/precious", b"x")]);
    std::os::unix::fs::symlink(outside.path(), target.path().join("s")).unwrap();
    let mut options = options(target.path());
    options.delete_removed =
        Some(causeway_transfer::DeleteRemoved { even_if_empty: true, ..Default::default() });
    for source in ["s", "s/deep"] {
        options.source_folder = source.parse().unwrap();
        let report = get(&server, &options).await.unwrap();
        assert!(report.deleted.is_empty() && !report.is_complete(), "{source}: {report:?}");
        assert!(report.not_deleted[0].to_string().contains("leads out"), "{}", report.not_deleted[0]);
    }
    options.source_folder = "not/there".parse().unwrap();
    assert!(get(&server, &options).await.unwrap().is_complete());
    assert_eq!(files(outside.path()), ["deep/precious", "precious"]);
}

#[tokio::test]
async fn a_cancelled_download_leaves_no_halves() {
    let server = Server::start().await;
    let large = content(8 * MEBIBYTE);
    put(&server, &[("large", &large), ("small", b"x")]).await;
    server.judge(|seen| {
        let mut slow = Wrong::new(200, "");
        slow.delay = std::time::Duration::from_millis(200);
        seen.header("range").is_some_and(|range| !range.starts_with("bytes=0-")).then_some(slow)
    });
    let target = tempfile::tempdir().unwrap();
    let cancel = CancellationToken::new();
    let progress = |now: TransferProgress| {
        if now.bytes_done > 1 << 20 {
            cancel.cancel();
        }
    };
    let report =
        download(&server.config(), &route(), &options(target.path()), &progress, &cancel).await.unwrap();
    assert!(report.cancelled && !report.is_complete());
    for _ in 0..50 {
        // Threads that were writing end on their own.
        if files(target.path()).iter().all(|file| file == "small") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{:?}", files(target.path()));
}

#[tokio::test]
async fn objects_of_other_tools_are_verified_by_what_s3_knows_of_them() {
    let server = Server::start().await;
    put_raw(&server, &[("plain", b"hello")]);
    let target = tempfile::tempdir().unwrap();
    let report = get(&server, &options(target.path())).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(std::fs::read(target.path().join("plain")).unwrap(), b"hello");
}

#[tokio::test]
async fn a_large_object_without_a_checksum_is_verified_by_its_md5() {
    let server = Server::start().await;
    let large = content(5 * MEBIBYTE + 123);
    server.put_without_checksum("large", &large).await;
    server.put_without_checksum("rotten", &large).await;
    std::fs::write(server.object("rotten"), vec![0; large.len()]).unwrap();
    let md5 = |content: &[u8]| {
        use md5::Digest as _;
        md5::Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    server.list_e_tag("large", &md5(&large));
    server.list_e_tag("rotten", &md5(&large));
    let target = tempfile::tempdir().unwrap();
    let report = get(&server, &options(target.path())).await.unwrap();
    assert_eq!((report.downloaded.len(), report.unverified), (1, 0), "{report:?}");
    let failed: Vec<_> = report.failures.iter().map(ToString::to_string).collect();
    assert_eq!(failed, ["rotten: what arrived does not have the object's checksum (MD5)"]);
    assert_eq!(files(target.path()), ["large"]);
    assert!(std::fs::read(target.path().join("large")).unwrap() == large);
}
