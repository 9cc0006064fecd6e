//! What a plan makes of a folder, without a server.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::path::Path;

use causeway_transfer::{CacheControl, FailureReason, PatternList, PlanError, UploadOptions, UploadPlan};

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name).unwrap();
    }
    folder
}

fn options(folder: &Path) -> UploadOptions {
    UploadOptions::new("bucket".parse().unwrap(), folder).unwrap()
}

fn keys(plan: &UploadPlan) -> Vec<String> {
    plan.objects().map(|object| object.key).collect()
}

#[test]
fn keys_are_the_paths_below_the_folder_exactly() {
    let names = [
        ".env",
        "a b/c d.txt",
        "a%20b",
        "a;]=b",
        "b#c+d",
        "dir/.hidden/x",
        "empty",
        "ü/日本語.txt",
        "ü/é\u{1f600}",
    ];
    let folder = folder(&names);
    std::fs::create_dir_all(folder.path().join("nothing/in/here")).unwrap();
    let plan = UploadPlan::build(options(folder.path())).unwrap();
    let mut sorted = names;
    sorted.sort_unstable();
    assert_eq!(keys(&plan), sorted);
    assert!(plan.failures().is_empty());
    assert_eq!(plan.bytes(), names.iter().map(|name| name.len() as u64).sum::<u64>());
}

#[test]
fn target_folder_patterns_and_types_are_applied() {
    let folder = folder(&["a.js", "lib/b.js", "lib/c.map", "index.html", "noending"]);
    let mut options = options(folder.path());
    options.target_folder = "/site/v1/".parse().unwrap();
    options.patterns = PatternList::parse(["**", "!**/*.map"]).unwrap();
    options.settings.cache_control = CacheControl::parse(["**/*.js=max-age=60", "*.html=no-cache"]).unwrap();
    let plan = UploadPlan::build(options).unwrap();
    let objects: Vec<_> = plan.objects().collect();
    let rows: Vec<_> = objects
        .iter()
        .map(|object| (object.key.as_str(), object.content_type.as_str(), object.cache_control.as_deref()))
        .collect();
    assert_eq!(
        rows,
        [
            ("site/v1/a.js", "application/javascript", Some("max-age=60")),
            ("site/v1/index.html", "text/html", Some("no-cache")),
            ("site/v1/lib/b.js", "application/javascript", Some("max-age=60")),
            ("site/v1/noending", "application/octet-stream", None),
        ]
    );
}

#[test]
fn one_content_type_for_all_wins_over_the_endings() {
    let folder = folder(&["a.js", "b"]);
    let mut options = options(folder.path());
    options.settings.content_type = Some("text/x-own; charset=utf-8".parse().unwrap());
    let plan = UploadPlan::build(options).unwrap();
    assert!(plan.objects().all(|object| object.content_type == "text/x-own; charset=utf-8"));
}

#[test]
fn flattened_names_must_differ() {
    let folder = folder(&["a/x.txt", "b/y.txt"]);
    let mut flat = options(folder.path());
    flat.flatten_folders = true;
    flat.target_folder = "t".parse().unwrap();
    assert_eq!(keys(&UploadPlan::build(flat.clone()).unwrap()), ["t/x.txt", "t/y.txt"]);
    std::fs::write(folder.path().join("b/x.txt"), "").unwrap();
    let error = UploadPlan::build(flat).unwrap_err();
    assert_eq!(error.to_string(), "a/x.txt and b/x.txt would both be uploaded as t/x.txt");
}

#[test]
fn nothing_that_matches_is_an_empty_plan() {
    let folder = folder(&["a.txt"]);
    let mut options = options(folder.path());
    options.patterns = PatternList::parse(["*.none"]).unwrap();
    assert!(UploadPlan::build(options).unwrap().is_empty());
}

#[test]
fn a_missing_source_folder_is_an_error_that_names_it() {
    let folder = folder(&["file"]);
    for name in ["missing", "file"] {
        let error = UploadPlan::build(options(&folder.path().join(name))).unwrap_err();
        assert!(matches!(&error, PlanError::SourceFolder { .. }));
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_key_beyond_the_limit_is_a_named_failure() {
    let name = "n".repeat(200);
    let folder = folder(&[&name, "short"]);
    let mut options = options(folder.path());
    options.target_folder = ["f".repeat(206).as_str(); 4].join("/").parse().unwrap();
    let plan = UploadPlan::build(options).unwrap();
    assert_eq!(plan.objects().len(), 1);
    assert_eq!(plan.failures().len(), 1);
    assert_eq!(plan.failures()[0].path, name);
    assert!(matches!(plan.failures()[0].reason, FailureReason::KeyTooLong(1028)), "{}", plan.failures()[0]);
}

#[test]
fn halves_of_a_download_are_no_files() {
    let folder = folder(&["a", "d/.causeway-0123456789abcdef.part", "d/.causeway-x.part", "d/b.part"]);
    let plan = UploadPlan::build(options(folder.path())).unwrap();
    assert_eq!(keys(&plan), ["a", "d/.causeway-x.part", "d/b.part"]);
}

#[test]
fn deletion_by_patterns_that_name_folders_is_refused_where_keys_have_none() {
    let folder = folder(&["dir/a.js", "b.js"]);
    for (patterns, is_refused) in [
        (["dir/*.js"].as_slice(), true),
        (&["**", "!**/node_modules/**"], true),
        (&["**/dir/**"], true),
        (&["/abs/*.js"], true),
        (&["**/*.js"], false),
        (&["**", "!*.map", "!**/*.map"], false),
    ] {
        let mut options = options(folder.path());
        options.flatten_folders = true;
        options.target_folder = "t".parse().unwrap();
        options.patterns = PatternList::parse(patterns.iter().copied()).unwrap();
        assert!(UploadPlan::build(options.clone()).is_ok(), "{patterns:?}");
        options.delete_removed = Some(causeway_transfer::DeleteRemoved::default());
        assert_eq!(UploadPlan::build(options).is_err(), is_refused, "{patterns:?}");
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn links_are_followed_and_loops_survived() {
        let folder = folder(&["real/a", "b"]);
        let outside = super::folder(&["c"]);
        let at = |name: &str| folder.path().join(name);
        symlink(at("b"), at("link-to-file")).unwrap();
        symlink(outside.path(), at("link-to-folder")).unwrap();
        symlink(folder.path(), at("real/up")).unwrap();
        symlink(at("self"), at("self")).unwrap();
        let plan = UploadPlan::build(options(folder.path())).unwrap();
        assert_eq!(keys(&plan), ["b", "link-to-file", "link-to-folder/c", "real/a"]);
        let failures: Vec<_> = plan.failures().iter().map(|failure| failure.path.as_str()).collect();
        assert_eq!(failures, ["self"], "a link to itself is no folder and no file");
    }

    /// Packages that link to each other, as pnpm lays them out: as many paths as there are orders.
    fn linked(packages: usize) -> tempfile::TempDir {
        let folder = folder(&["site/index.html"]);
        let at = |name: String| folder.path().join(name);
        for one in 0..packages {
            std::fs::create_dir_all(at(format!("node_modules/p{one}"))).unwrap();
            std::fs::write(at(format!("node_modules/p{one}/f.js")), "1").unwrap();
            for other in (0..packages).filter(|other| *other != one) {
                let link = at(format!("node_modules/p{one}/p{other}"));
                symlink(at(format!("node_modules/p{other}")), link).unwrap();
            }
        }
        folder
    }

    #[test]
    fn folders_where_nothing_is_meant_are_not_entered() {
        let folder = linked(9);
        for patterns in [
            ["site/**"].as_slice(),
            &["site/*.html"],
            &["**", "!**/node_modules/**"],
            &["**/*.html", "!node_modules/**", "!site/x"],
        ] {
            let mut options = options(folder.path());
            options.patterns = PatternList::parse(patterns.iter().copied()).unwrap();
            let began = std::time::Instant::now();
            assert_eq!(keys(&UploadPlan::build(options).unwrap()), ["site/index.html"]);
            assert!(began.elapsed().as_secs() < 2, "{patterns:?}: {:?}", began.elapsed());
        }
    }

    #[test]
    fn a_dangling_link_fails_only_if_it_matches() {
        let folder = folder(&["a"]);
        symlink("/nowhere/at/all", folder.path().join("dangling")).unwrap();
        let plan = UploadPlan::build(options(folder.path())).unwrap();
        assert_eq!(keys(&plan), ["a"]);
        assert_eq!(plan.failures()[0].to_string(), "dangling: the symbolic link leads nowhere");
        let mut options = options(folder.path());
        options.patterns = PatternList::parse(["a"]).unwrap();
        assert!(UploadPlan::build(options).unwrap().failures().is_empty());
    }

    #[test]
    fn pipes_are_no_files() {
        let folder = folder(&["a"]);
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
        assert!(made.success());
        assert_eq!(keys(&UploadPlan::build(options(folder.path())).unwrap()), ["a"]);
    }

    #[test]
    fn a_name_that_is_not_utf8_is_a_named_failure() {
        let folder = folder(&["a"]);
        let name = OsStr::from_bytes(b"bad\xff.txt");
        if std::fs::write(folder.path().join(name), "").is_err() {
            println!("SKIPPED: this file system keeps names in UTF-8");
            return;
        }
        let plan = UploadPlan::build(options(folder.path())).unwrap();
        assert_eq!(keys(&plan), ["a"]);
        assert_eq!(plan.failures()[0].path, "bad\u{fffd}.txt");
        assert!(matches!(plan.failures()[0].reason, FailureReason::NameNotUtf8));
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_a_named_failure() {
        let folder = folder(&["a", "closed/b"]);
        let closed = folder.path().join("closed");
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o0)).unwrap();
        let is_root = std::fs::read_dir(&closed).is_ok();
        let plan = UploadPlan::build(options(folder.path())).unwrap();
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
        if is_root {
            println!("SKIPPED: permissions do not stop root");
            return;
        }
        assert_eq!(keys(&plan), ["a"]);
        assert_eq!(plan.failures()[0].path, "closed");
        assert!(matches!(plan.failures()[0].reason, FailureReason::UnreadableFolder(_)));
    }
}
