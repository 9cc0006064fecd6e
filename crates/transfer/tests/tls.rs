//! The same over TLS, as S3 is reached: payloads unsigned, checksums in headers and trailers.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

mod s3_server;

use causeway_transfer::{CancellationToken, DownloadOptions, NoProgress, UploadPlan, download, upload};
use s3_server::{BUCKET, Server, Wrong, content, folder, options, route_through};

const MEBIBYTE: usize = 1 << 20;

#[tokio::test]
async fn objects_of_all_sizes_arrive_with_unsigned_payloads_and_come_back() {
    let server = Server::start_tls().await;
    let (small, medium, large) = (content(10), content(3 * MEBIBYTE + 1), content(8 * MEBIBYTE + 5));
    let files = [("empty", b"".as_slice()), ("small", &small), ("medium", &medium), ("large", &large)];
    let folder = folder(files);
    let mut options = options(&folder);
    options.limits.multipart_threshold = 5 * MEBIBYTE as u64;
    options.limits.part_bytes = 5 * MEBIBYTE as u64;
    options.settings.content_encoding = Some("gzip".parse().unwrap());
    let plan = UploadPlan::build(options).unwrap();
    let cancel = CancellationToken::new();
    let report = upload(&server.config(), &server.route(), &plan, &NoProgress, &cancel).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    for (name, expected) in files {
        assert!(std::fs::read(server.object(name)).unwrap() == expected, "{name}");
    }
    let seen = server.seen();
    let hash = |name: &str| {
        let seen = seen.iter().find(|seen| seen.path.ends_with(name) && seen.method == "PUT").unwrap();
        let header = |name: &str| seen.header(name).unwrap_or_default().to_owned();
        (header("x-amz-content-sha256"), header("content-encoding"), header("x-amz-trailer"))
    };
    let owned = |one: &str, two: &str, three: &str| (one.to_owned(), two.to_owned(), three.to_owned());
    assert_eq!(hash("small"), owned("UNSIGNED-PAYLOAD", "gzip", ""));
    let trailer = "x-amz-checksum-crc64nvme";
    assert_eq!(hash("medium"), owned("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "aws-chunked,gzip", trailer));
    assert_eq!(hash("large"), owned("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "aws-chunked", trailer));

    let target = tempfile::tempdir().unwrap();
    let mut options = DownloadOptions::new(BUCKET.parse().unwrap(), target.path()).unwrap();
    options.path_style = true;
    options.limits.multipart_threshold = 4 * MEBIBYTE as u64;
    options.limits.part_bytes = MEBIBYTE as u64;
    let report = download(&server.config(), &server.route(), &options, &NoProgress, &cancel).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    for (name, expected) in files {
        assert!(std::fs::read(target.path().join(name)).unwrap() == expected, "{name}");
    }
}

#[tokio::test]
async fn files_emptied_since_the_plan_arrive_empty() {
    for server in [Server::start().await, Server::start_tls().await] {
        let (middle, large) = (content(MEBIBYTE), content(8 * MEBIBYTE));
        let folder = folder([("large", large.as_slice()), ("middle", &middle), ("small", b"x")]);
        let mut options = options(&folder);
        options.limits.multipart_threshold = 5 * MEBIBYTE as u64;
        let plan = UploadPlan::build(options).unwrap();
        for name in ["large", "middle", "small"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let cancel = CancellationToken::new();
        let report = upload(&server.config(), &server.route(), &plan, &NoProgress, &cancel).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(report.uploaded_bytes(), 0);
        for name in ["large", "middle", "small"] {
            assert_eq!(std::fs::read(server.object(name)).unwrap(), b"", "{name}");
        }
        assert!(!server.seen().iter().any(|seen| seen.query.contains("upload")), "nothing goes in parts");
        for seen in server.seen().iter().filter(|seen| seen.is_object()) {
            assert_eq!((seen.header("content-length"), seen.header("x-amz-trailer")), (Some("0"), None));
        }
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::start_tls().await;
    let names: Vec<String> = (0..300).map(|index| format!("{index}")).collect();
    let folder = folder(names.iter().map(|name| (name.as_str(), b"x".as_slice())));
    let mut options = options(&folder);
    options.limits.parallelism = std::num::NonZeroUsize::new(8).unwrap();
    let plan = UploadPlan::build(options).unwrap();
    let report =
        upload(&server.config(), &server.route(), &plan, &NoProgress, &CancellationToken::new()).await;
    assert!(report.unwrap().is_complete());
    // One more for the SDK's own calls.
    assert!(server.connections() <= 9, "{}", server.connections());
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_sent_anything() {
    let (server, other) = (Server::start_tls().await, Server::start_tls().await);
    let folder = folder([("a", b"secret".as_slice())]);
    let mut options = options(&folder);
    options.limits.attempts = 1;
    let plan = UploadPlan::build(options).unwrap();
    let cancel = CancellationToken::new();
    let report = upload(&server.config(), &other.route(), &plan, &NoProgress, &cancel).await.unwrap();
    assert!(report.failures[0].to_string().contains("certificate"), "{report:?}");
    assert!(!server.seen().iter().any(s3_server::Seen::is_object));
}

#[tokio::test]
async fn with_a_proxy_in_the_way_the_sdks_connector_carries_the_content() {
    let server = Server::start().await;
    let (small, large) = (content(1000), content(6 * MEBIBYTE));
    let folder = folder([("small", small.as_slice()), ("large", &large)]);
    let mut parts = options(&folder);
    parts.limits.multipart_threshold = 4 * MEBIBYTE as u64;
    let plan = UploadPlan::build(parts).unwrap();
    server.judge({
        let count = std::sync::atomic::AtomicUsize::new(0);
        move |seen| {
            let first = seen.is_part() && count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            first.then(|| Wrong::new(500, "InternalError"))
        }
    });
    let cancel = CancellationToken::new();
    let report = upload(&server.config(), &route_through(), &plan, &NoProgress, &cancel).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(std::fs::read(server.object("large")).unwrap() == large);
    let target = tempfile::tempdir().unwrap();
    let mut options = DownloadOptions::new(BUCKET.parse().unwrap(), target.path()).unwrap();
    options.path_style = true;
    options.limits.multipart_threshold = 4 * MEBIBYTE as u64;
    options.limits.part_bytes = MEBIBYTE as u64;
    let report = download(&server.config(), &route_through(), &options, &NoProgress, &cancel).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(std::fs::read(target.path().join("large")).unwrap() == large);
}
