//! Uploads to a real server: what arrives, and that the requests say what was asked for.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

mod s3_server;

use std::num::NonZeroUsize;
use std::sync::Mutex;

use causeway_transfer::{
    BucketState, CacheControl, CancellationToken, CannedAcl, Encryption, SseCustomerKey, StorageClass,
    TransferProgress, UploadPlan, upload,
};
use s3_server::{Server, Wrong, content, options, route, run, write_tree};

const MEBIBYTE: usize = 1 << 20;

#[tokio::test]
async fn nasty_names_arrive_byte_for_byte() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let names = [
        ".dotfile",
        "a b/c d.txt",
        "a%20b",
        "a;]=b",
        "a+b#c?d&e=f",
        "empty",
        "quote'\"x",
        "ü/日本語 \u{1f600}.txt",
        "##vso[task.complete result=Failed]",
        "back\\slash",
        "(1) [2] {3}",
        "~tilde!*",
    ];
    let files: Vec<(&str, Vec<u8>)> = names
        .iter()
        .map(|name| (*name, if *name == "empty" { Vec::new() } else { name.as_bytes().repeat(50) }))
        .collect();
    write_tree(folder.path(), files.iter().map(|(name, bytes)| (*name, bytes.as_slice())));
    let mut options = options(&folder);
    options.target_folder = "target folder/ü".parse().unwrap();
    let report = run(&server, options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.bucket, BucketState::Existed);
    assert_eq!(report.uploaded.len(), names.len());
    for (name, expected) in &files {
        let key = format!("target folder/ü/{name}");
        assert_eq!(&std::fs::read(server.object(&key)).unwrap(), expected, "{key}");
        assert!(
            report.uploaded.iter().any(|object| object.key() == key && object.bytes == expected.len() as u64)
        );
    }
    assert_eq!(report.uploaded_bytes(), files.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
}

#[tokio::test]
async fn every_object_carries_a_checksum_that_the_server_verifies() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), [("a", b"123456789".as_slice())]);
    assert!(run(&server, options(&folder)).await.unwrap().is_complete());
    let seen = server.seen();
    let put = seen.iter().find(|seen| seen.is_object()).unwrap();
    // The check value of CRC-64/NVME for "123456789" is ae8b14860a799888.
    assert_eq!(put.header("x-amz-checksum-crc64nvme"), Some("rosUhgp5mIg="));
    assert_eq!(put.header("x-amz-checksum-crc32"), None);
    assert_eq!(put.header("x-amz-acl"), None);
    assert_eq!(put.header("x-amz-storage-class"), Some("STANDARD"));
}

#[tokio::test]
async fn a_large_file_goes_in_parts_within_the_memory_allowed() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let large = content(40 * MEBIBYTE + 12_345);
    write_tree(folder.path(), [("large.bin", large.as_slice()), ("small.txt", b"x".as_slice())]);
    let mut options = options(&folder);
    options.limits.buffered_bytes = 4 * MEBIBYTE as u64;
    let seen = Mutex::new(Vec::new());
    let progress = |now: TransferProgress| seen.lock().unwrap().push(now);
    let plan = UploadPlan::build(options).unwrap();
    let report =
        upload(&server.config(), &route(), &plan, &progress, &CancellationToken::new()).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(std::fs::read(server.object("large.bin")).unwrap() == large, "the content differs");
    assert!((1..=4).contains(&(report.peak_buffered_bytes >> 20)), "{}", report.peak_buffered_bytes);
    let requests = server.seen();
    let parts = requests.iter().filter(|seen| seen.is_part()).count();
    assert_eq!(parts, 6);
    assert!(
        requests
            .iter()
            .filter(|seen| seen.is_part())
            .all(|part| part.header("x-amz-checksum-crc64nvme").is_some())
    );
    let complete =
        requests.iter().find(|seen| seen.method == "POST" && seen.query.contains("uploadId=")).unwrap();
    assert_eq!(complete.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    assert_eq!(complete.header("x-amz-checksum-crc64nvme"), Some(checksum(&large).as_str()));
    assert_eq!(complete.header("x-amz-mp-object-size"), Some(large.len().to_string().as_str()));
    let seen = seen.into_inner().unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.files_done, last.files_total), (2, 2));
    assert_eq!((last.bytes_done, last.bytes_total), (large.len() as u64 + 1, large.len() as u64 + 1));
    assert!(seen.is_sorted_by_key(|now| now.bytes_done) && seen.len() >= 7);
    assert!(server.leftovers().is_empty(), "{:?}", server.leftovers());
}

fn checksum(content: &[u8]) -> String {
    use base64::Engine as _;
    let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, content);
    base64::engine::general_purpose::STANDARD.encode(checksum.to_be_bytes())
}

#[tokio::test]
async fn parts_too_large_for_memory_are_sent_from_the_file() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let large = content(12 * MEBIBYTE + 7);
    let whole = content(3 * MEBIBYTE);
    write_tree(folder.path(), [("large", large.as_slice()), ("whole", whole.as_slice())]);
    let mut options = options(&folder);
    options.limits.multipart_threshold = 4 * MEBIBYTE as u64;
    options.limits.part_bytes = 5 * MEBIBYTE as u64;
    options.limits.largest_buffer = MEBIBYTE as u64;
    options.limits.attempts = 4;
    let failed = Mutex::new(0);
    server.judge(move |seen| {
        let mut failed = failed.lock().unwrap();
        *failed += i32::from(seen.is_part() || seen.is_object());
        // Some are sent again, so the body must be readable twice.
        (*failed == 1 || *failed == 3).then(|| Wrong::new(503, "SlowDown"))
    });
    let report = run(&server, options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(std::fs::read(server.object("large")).unwrap() == large);
    assert!(std::fs::read(server.object("whole")).unwrap() == whole);
    assert!(report.peak_buffered_bytes < 8 * MEBIBYTE as u64, "{}", report.peak_buffered_bytes);
}

#[tokio::test]
async fn throttling_and_faults_are_retried_until_everything_has_arrived() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..60).map(|index| format!("file-{index}")).collect();
    write_tree(folder.path(), names.iter().map(|name| (name.as_str(), name.as_bytes())));
    let count = Mutex::new(0);
    server.judge(move |seen| {
        let mut count = count.lock().unwrap();
        *count += i32::from(seen.is_object());
        (seen.is_object() && *count % 6 == 0).then(|| Wrong::new(503, "SlowDown"))
    });
    let mut options = options(&folder);
    options.limits.attempts = 8;
    let report = run(&server, options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    for name in &names {
        assert_eq!(std::fs::read(server.object(name)).unwrap(), name.as_bytes());
    }
}

#[tokio::test]
async fn settings_reach_the_requests() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let large = vec![7; 6 * MEBIBYTE];
    write_tree(folder.path(), [("a.css", b"x".as_slice()), ("large.css", large.as_slice())]);
    let mut options = options(&folder);
    options.limits.multipart_threshold = 5 * MEBIBYTE as u64;
    options.settings.acl = CannedAcl::BucketOwnerFullControl;
    options.settings.storage_class = StorageClass::ReducedRedundancy;
    options.settings.content_encoding = Some("gzip".parse().unwrap());
    options.settings.cache_control = CacheControl::parse(["*.css=max-age=60"]).unwrap();
    options.settings.encryption = Encryption::Kms { key: Some("alias/site".parse().unwrap()) };
    let report = run(&server, options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    let seen = server.seen();
    let begins = |seen: &&s3_server::Seen| {
        seen.is_object() || (seen.method == "POST" && seen.query.starts_with("uploads"))
    };
    let requests: Vec<_> = seen.iter().filter(begins).collect();
    assert_eq!(requests.len(), 2);
    for request in requests {
        for (name, value) in [
            ("content-type", "text/css"),
            ("content-encoding", "gzip"),
            ("cache-control", "max-age=60"),
            ("x-amz-acl", "bucket-owner-full-control"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-server-side-encryption-aws-kms-key-id", "alias/site"),
        ] {
            assert_eq!(request.header(name), Some(value), "{name} of {} {}", request.method, request.path);
        }
    }
}

#[tokio::test]
async fn a_customer_key_goes_with_the_object_and_with_every_part() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let large = vec![7; 6 * MEBIBYTE];
    write_tree(folder.path(), [("a", b"x".as_slice()), ("large", large.as_slice())]);
    let mut options = options(&folder);
    options.limits.multipart_threshold = 5 * MEBIBYTE as u64;
    options.limits.part_bytes = 5 * MEBIBYTE as u64;
    let key = "00112233445566778899aabbccddeeff".repeat(2);
    options.settings.encryption = Encryption::CustomerKey(SseCustomerKey::from_hex(&key.into()).unwrap());
    assert!(!format!("{options:?}").contains("ABEiM0R"));
    // The server of the test keeps no keys; what counts here is what it was told.
    let _ = run(&server, options).await.unwrap();
    let seen = server.seen();
    let requests: Vec<_> = seen.iter().filter(|seen| seen.is_object() || seen.method == "POST").collect();
    // The small object; the beginning and the completion of the large one. S3 wants the key with all of them.
    assert_eq!(requests.len(), 3, "{requests:?}");
    let parts: Vec<_> = seen.iter().filter(|seen| seen.is_part()).collect();
    assert_eq!(parts.len(), 2, "{parts:?}");
    let requests = requests.into_iter().chain(parts);
    for request in requests {
        assert_eq!(request.header("x-amz-server-side-encryption-customer-algorithm"), Some("AES256"));
        let key = request.header("x-amz-server-side-encryption-customer-key");
        assert_eq!(key, Some("ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8="));
        let digest = request.header("x-amz-server-side-encryption-customer-key-md5");
        assert_eq!(digest, Some("mVVvM6hE6xhsOKL2H1NQ0w=="));
    }
}

#[tokio::test]
async fn an_empty_plan_uploads_nothing_and_is_complete() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let report = run(&server, options(&folder)).await.unwrap();
    assert!(report.is_complete() && report.uploaded.is_empty());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn many_files_go_at_the_same_time_and_no_more_than_allowed() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..40).map(|index| format!("{index}")).collect();
    write_tree(folder.path(), names.iter().map(|name| (name.as_str(), b"x".as_slice())));
    server.judge(|seen| {
        let mut slow = Wrong::new(200, "");
        slow.delay = std::time::Duration::from_millis(50);
        seen.is_object().then_some(slow)
    });
    let mut options = options(&folder);
    options.limits.parallelism = NonZeroUsize::new(10).unwrap();
    assert!(run(&server, options).await.unwrap().is_complete());
    assert_eq!(server.most_under_way(), 10);
}
