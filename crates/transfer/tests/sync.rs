//! Uploads that compare and delete, and that clean up behind a process that was killed.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

mod s3_server;

use std::time::Duration;

use causeway_transfer::{
    CancellationToken, DeleteRemoved, Metadata, NoProgress, ObjectTags, PatternList, PlanError, Shard,
    UploadOptions, UploadPlan, upload,
};
use s3_server::{Server, Wrong, content, folder, options, run, write_tree};

const MEBIBYTE: usize = 1 << 20;

fn synced(folder: &tempfile::TempDir, target: &str) -> UploadOptions {
    let mut options = options(folder);
    options.target_folder = target.parse().unwrap();
    options.delete_removed = Some(DeleteRemoved::default());
    options
}

#[tokio::test]
async fn only_what_differs_in_size_or_content_is_sent() {
    let server = Server::start().await;
    let (large, other) = (content(3 * MEBIBYTE), vec![1; 3 * MEBIBYTE]);
    let medium = content(MEBIBYTE + 1);
    let folder = folder([
        ("same", b"1".as_slice()),
        ("content", b"old"),
        ("size", b"1"),
        ("medium", &medium),
        ("large", &large),
        ("large-other", &large),
    ]);
    let mut options = options(&folder);
    options.target_folder = "t".parse().unwrap();
    options.only_changed = true;
    options.limits.multipart_threshold = 2 * MEBIBYTE as u64;
    server.know_checksum("t/large", &large);
    server.know_checksum("t/large-other", &large);
    let first = run(&server, options.clone()).await.unwrap();
    assert_eq!((first.uploaded.len(), first.unchanged), (6, 0));
    write_tree(
        folder.path(),
        [("content", b"new".as_slice()), ("size", b"12"), ("added", b"x"), ("large-other", &other)],
    );
    // Times do not count.
    write_tree(folder.path(), [("same", b"1".as_slice())]);
    let second = run(&server, options).await.unwrap();
    assert!(second.is_complete(), "{second:?}");
    let sent: Vec<_> = second.uploaded.iter().map(|object| object.relative.as_ref()).collect();
    assert_eq!(sent, ["added", "content", "large-other", "size"]);
    assert_eq!(second.unchanged, 3);
    assert!(std::fs::read(server.object("t/large-other")).unwrap() == other);
}

#[tokio::test]
async fn objects_without_a_file_are_deleted_and_no_others() {
    let server = Server::start().await;
    let before = ["t/keep", "t/gone", "t/deep/gone", "t/excluded.log", "tother/x", "top"];
    let old = folder(before.iter().map(|name| (*name, b"x".as_slice())));
    assert!(run(&server, options(&old)).await.unwrap().is_complete());
    let folder = folder([("keep", b"1".as_slice()), ("new", b"2")]);
    let mut options = synced(&folder, "t");
    options.patterns = PatternList::parse(["**", "!**/*.log"]).unwrap();
    let report = run(&server, options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.deleted, ["t/deep/gone", "t/gone"]);
    for (key, is_there) in [
        ("t/keep", true),
        ("t/new", true),
        ("t/gone", false),
        ("t/deep/gone", false),
        ("t/excluded.log", true),
        ("tother/x", true),
        ("top", true),
    ] {
        assert_eq!(server.object(key).exists(), is_there, "{key}");
    }
}

#[tokio::test]
async fn nothing_is_deleted_when_not_everything_arrived() {
    let server = Server::start().await;
    let old = folder([("t/gone", b"x".as_slice())]);
    assert!(run(&server, options(&old)).await.unwrap().is_complete());
    let folder = folder([("a", b"1".as_slice()), ("b", b"2")]);
    server.judge(|seen| seen.path.ends_with("/t/b").then(|| Wrong::new(403, "AccessDenied")));
    let report = run(&server, synced(&folder, "t")).await.unwrap();
    assert_eq!((report.deleted.len(), report.kept_though_removed), (0, 1));
    assert!(server.object("t/gone").exists());
}

#[tokio::test]
async fn deletion_that_is_more_likely_a_mistake_is_refused_before_any_call() {
    let (empty, full) = (tempfile::tempdir().unwrap(), folder([("a", b"1".as_slice())]));
    let refused = |options: UploadOptions| UploadPlan::build(options).unwrap_err();
    assert!(matches!(refused(synced(&empty, "t")), PlanError::EmptySource(_)));
    assert!(matches!(refused(synced(&full, "")), PlanError::WholeBucket(_)));
    let server = Server::start().await;
    let old = folder([("old", b"x".as_slice()), ("t/old", b"x")]);
    assert!(run(&server, options(&old)).await.unwrap().is_complete());
    let mut meant = synced(&empty, "t");
    meant.delete_removed = Some(DeleteRemoved { even_if_empty: true, even_in_whole_bucket: false });
    assert_eq!(run(&server, meant).await.unwrap().deleted, ["t/old"]);
    let mut meant = synced(&full, "");
    meant.delete_removed = Some(DeleteRemoved { even_if_empty: false, even_in_whole_bucket: true });
    assert_eq!(run(&server, meant).await.unwrap().deleted, ["old"]);
    assert!(server.object("a").exists());
}

#[tokio::test]
async fn slices_have_together_everything_and_the_last_one_deletes() {
    let server = Server::start().await;
    let old = folder([("t/gone", b"x".as_slice())]);
    assert!(run(&server, options(&old)).await.unwrap().is_complete());
    let names: Vec<String> = (0..50).map(|index| format!("f{index:02}")).collect();
    let folder = folder(names.iter().map(|name| (name.as_str(), name.as_bytes())));
    let (mut sent, mut fingerprints) = (Vec::new(), Vec::new());
    for position in 1..=3 {
        let mut options = synced(&folder, "t");
        options.shard = Some(Shard::new(position, 3).unwrap());
        let plan = UploadPlan::build(options.clone()).unwrap();
        fingerprints.push(plan.fingerprint());
        let report = run(&server, options).await.unwrap();
        assert!(report.is_complete());
        assert_eq!(report.deleted.len(), usize::from(position == 3));
        assert!((5..30).contains(&report.uploaded.len()), "{}", report.uploaded.len());
        sent.extend(report.uploaded.iter().map(|object| object.relative.to_string()));
    }
    sent.sort();
    assert_eq!(sent, names);
    assert!(fingerprints.iter().all(|one| *one == fingerprints[0]));
    assert!(names.iter().all(|name| server.object(&format!("t/{name}")).exists()));
}

#[tokio::test]
async fn a_file_of_one_agent_alone_moves_no_other_between_slices() {
    let server = Server::start().await;
    let names: Vec<String> = (0..41).map(|index| format!("d/f{index:02}")).collect();
    let contents: Vec<Vec<u8>> = (0..41).map(|index| vec![1; 1 + index * index * 50]).collect();
    for position in 1..=3 {
        let folder =
            folder(names.iter().zip(&contents).map(|(name, content)| (name.as_str(), content.as_slice())));
        if position == 2 {
            write_tree(folder.path(), [("agent.log", vec![2; 100_000].as_slice())]);
        }
        let mut options = options(&folder);
        options.shard = Some(Shard::new(position, 3).unwrap());
        assert!(run(&server, options).await.unwrap().is_complete());
    }
    let missing: Vec<_> = names.iter().filter(|name| !server.object(name).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn the_last_slice_deletes_nothing_while_files_of_the_others_are_missing() {
    let server = Server::start().await;
    let old = folder([("t/gone", b"x".as_slice()), ("t/f07", b"an older one")]);
    assert!(run(&server, options(&old)).await.unwrap().is_complete());
    let names: Vec<String> = (0..20).map(|index| format!("f{index:02}")).collect();
    let folder = folder(names.iter().map(|name| (name.as_str(), name.as_bytes())));
    let slice = |position| {
        let mut options = synced(&folder, "t");
        options.shard = Some(Shard::new(position, 3).unwrap());
        options.limits.others_patience = Duration::from_millis(50);
        options
    };
    let last = run(&server, slice(3)).await.unwrap();
    assert!(last.deleted.is_empty() && server.object("t/gone").exists(), "{last:?}");
    assert_eq!(last.kept_though_removed, 1);
    assert!(!last.is_complete());
    let missing = &last.missing_of_others;
    assert_eq!(missing.len(), 20 - last.uploaded.len(), "{missing:?}");
    assert!(missing.iter().all(|key| key.starts_with("t/f")), "{missing:?}");
    for position in 1..=3 {
        let report = run(&server, slice(position)).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
    }
    assert!(!server.object("t/gone").exists());
}

#[tokio::test]
async fn the_last_slice_waits_for_the_others_and_deletes_then() {
    let server = Server::start().await;
    let old = folder([("t/gone", b"x".as_slice())]);
    assert!(run(&server, options(&old)).await.unwrap().is_complete());
    let names: Vec<String> = (0..20).map(|index| format!("f{index:02}")).collect();
    let folder = folder(names.iter().map(|name| (name.as_str(), name.as_bytes())));
    let slice = |position| {
        let mut options = synced(&folder, "t");
        options.shard = Some(Shard::new(position, 2).unwrap());
        options
    };
    let first = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        run(&server, slice(1)).await.unwrap()
    };
    let (first, last) = tokio::join!(first, run(&server, slice(2)));
    let last = last.unwrap();
    assert!(first.is_complete() && last.is_complete(), "{first:?} {last:?}");
    assert_eq!(last.deleted, ["t/gone"]);
}

#[tokio::test]
async fn a_deletion_that_is_cancelled_half_way_is_not_complete() {
    let server = Server::start().await;
    let gone: Vec<String> = (0..1001).map(|index| format!("t/gone{index}")).collect();
    server.list_also(&gone.iter().map(String::as_str).collect::<Vec<_>>());
    let folder = folder([("a", b"1".as_slice())]);
    let plan = UploadPlan::build(synced(&folder, "t")).unwrap();
    let (cancel, judged) = (CancellationToken::new(), CancellationToken::new());
    let seen = (cancel.clone(), judged.clone());
    server.judge(move |request| {
        if request.method == "POST" && request.query.starts_with("delete") {
            seen.0.cancel();
            seen.1.cancel();
        }
        None
    });
    let report = upload(&server.config(), &server.route(), &plan, &NoProgress, &cancel).await.unwrap();
    assert!(judged.is_cancelled(), "it was in the middle");
    assert!(report.deleted.len() + report.not_deleted.len() <= 1000);
    assert!(report.cancelled && !report.is_complete(), "{:?}", report.deleted.len());
}

#[tokio::test]
async fn metadata_and_tags_go_with_every_object() {
    let server = Server::start().await;
    let large = vec![7; 3 * MEBIBYTE];
    let folder = folder([("small", b"x".as_slice()), ("large", &large)]);
    let mut options = options(&folder);
    options.limits.multipart_threshold = 2 * MEBIBYTE as u64;
    options.settings.metadata = Metadata::parse(["Build=42", "commit=abc"]).unwrap();
    options.settings.tags = ObjectTags::parse(["team=a b"]).unwrap();
    let _ = run(&server, options).await.unwrap();
    let seen = server.seen();
    let begins: Vec<_> = seen
        .iter()
        .filter(|seen| seen.is_object() || (seen.method == "POST" && seen.query.starts_with("uploads")))
        .collect();
    assert_eq!(begins.len(), 2);
    for request in begins {
        assert_eq!(request.header("x-amz-meta-build"), Some("42"));
        assert_eq!(request.header("x-amz-meta-commit"), Some("abc"));
        assert_eq!(request.header("x-amz-tagging"), Some("team=a%20b"));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn symbolic_links_are_skipped_where_that_is_wanted() {
    let folder = folder([("a", b"1".as_slice()), ("dir/b", b"2")]);
    std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("dir"), folder.path().join("dirlink")).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.path().join("dangling")).unwrap();
    let mut options = options(&folder);
    options.follow_symlinks = false;
    let plan = UploadPlan::build(options).unwrap();
    assert_eq!(plan.objects().map(|object| object.key).collect::<Vec<_>>(), ["a", "dir/b"]);
    assert!(plan.failures().is_empty());
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_and_nothing_else() {
    let server = Server::start().await;
    let (journals, folder) = (tempfile::tempdir().unwrap(), folder([("a", b"1".as_slice())]));
    let mine = server.begin_upload("mine").await;
    let elsewhere = server.begin_upload("elsewhere").await;
    let foreign = server.begin_upload("foreign").await;
    let place = format!("us-east-1 {}", server.url());
    let line = |place: &str, bucket: &str, key: &str, id: &str| {
        format!("{{\"begun\":{{\"place\":{place:?},\"bucket\":{bucket:?},\"key\":{key:?},\"id\":{id:?}}}}}\n")
    };
    let text = line(&place, "bucket", "mine", &mine) + &line("other", "bucket", "elsewhere", &elsewhere);
    let left = journals.path().join("s3-uploads-1-dead.jsonl");
    std::fs::write(&left, text).unwrap();
    let mut options = options(&folder);
    options.journal_folders = vec![journals.path().to_owned()];
    let report = run(&server, options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.cleaned_up, 1);
    let aborted: Vec<_> =
        server.seen().into_iter().filter(s3_server::Seen::is_abort).map(|seen| seen.query).collect();
    assert_eq!(aborted.len(), 1);
    assert!(aborted[0].contains(&mine) && !aborted[0].contains(&foreign), "{aborted:?}");
    assert!(left.exists(), "what is elsewhere stays noted");
    assert_eq!(std::fs::read_dir(journals.path()).unwrap().count(), 1, "no journal of its own is left");
}
