//! `command: s3Upload`

use std::fs;
use std::path::Path;

use causeway_harness::gateway::Fault;
use causeway_harness::world::World;

use crate::{assert_fails, assert_succeeds, failure};

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn inputs<'a>(bucket: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut inputs = vec![("command", "s3Upload"), ("connection", "federated"), ("bucketName", bucket)];
    inputs.extend_from_slice(more);
    inputs
}

#[test]
fn files_of_every_name_arrive_byte_for_byte() {
    let world = World::with_aws();
    let bucket = world.bucket("names");
    let names = [
        "plain.txt",
        "with space.txt",
        "a#b.html",
        "a+b.js",
        "a%20b.css",
        "ünï/çødé.json",
        ".hidden",
        "x;]=y",
        "deep/er/empty",
        "s.bat",
    ];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, name.as_bytes())).collect();
    write(&world.agent.sources(), &files);
    fs::write(world.agent.sources().join("deep/er/empty"), b"").unwrap();
    let job = world.step(&inputs(&bucket, &[("targetFolder", "/releases/1.0/")]));
    assert_succeeds(&job);
    for name in names {
        let object = world
            .seed()
            .object(&bucket, &format!("releases/1.0/{name}"), &[])
            .unwrap_or_else(|| panic!("{name} is missing"));
        let expected = if name.ends_with("empty") { &b""[..] } else { name.as_bytes() };
        assert_eq!(object.content, expected, "{name}");
    }
    let kind = |name: &str| {
        world.seed().object(&bucket, &format!("releases/1.0/{name}"), &[]).unwrap().content_type().to_owned()
    };
    assert_eq!(kind("plain.txt"), "text/plain");
    assert_eq!(kind("s.bat"), "application/x-msdownload");
    assert_eq!(kind(".hidden"), "application/octet-stream");
    assert_eq!(job.variable("step.uploadedCount"), Some("10"));
    world.secrets().assert_none_in(&job);
}

#[test]
fn a_large_file_goes_in_parts_and_arrives_whole() {
    let world = World::with_aws();
    let bucket = world.bucket("large");
    let content: Vec<u8> =
        (0..25_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    write(&world.agent.sources(), &[("big.bin", &content)]);
    let job = world.step(&inputs(&bucket, &[]));
    assert_succeeds(&job);
    assert!(world.seed().object(&bucket, "big.bin", &[]).unwrap().content == content);
    assert_eq!(job.variable("step.uploadedBytes"), Some("25000000"));
    let parts =
        world.gateway.calls_of("s3", "*").iter().filter(|call| call.operation.starts_with("PUT")).count();
    assert!(parts >= 3, "{parts} parts");
}

#[test]
fn globs_choose_and_exclude() {
    let world = World::with_aws();
    let bucket = world.bucket("globs");
    write(
        &world.agent.sources(),
        &[("site/a.js", b"1"), ("site/a.js.map", b"2"), ("site/x/b.js", b"3"), ("other/c.js", b"4")],
    );
    let job = world.step(&inputs(
        &bucket,
        &[("sourceFolder", "site"), ("globExpressions", "# all scripts\n**/*.js*\n!**/*.map")],
    ));
    assert_succeeds(&job);
    assert_eq!(world.seed().keys(&bucket), ["a.js", "x/b.js"]);
}

#[test]
fn no_match_is_a_warning() {
    let world = World::with_aws();
    let bucket = world.bucket("nomatch");
    let job = world.step(&inputs(&bucket, &[("globExpressions", "*.nothing")]));
    assert_succeeds(&job);
    assert_eq!(job.first().warnings().len(), 1);
    assert_eq!(job.variable("step.uploadedCount"), Some("0"));
}

#[test]
fn an_unreadable_file_is_named_and_the_others_arrive_and_are_listed() {
    let world = World::with_aws();
    let bucket = world.bucket("unreadable");
    write(&world.agent.sources(), &[("a.txt", b"a"), ("z.txt", b"z")]);
    // The tests may run as root, who reads everything; a link to nowhere cannot be read by anybody.
    std::os::unix::fs::symlink("/nowhere/at/all", world.agent.sources().join("m.txt")).unwrap();
    let job = world.step(&inputs(&bucket, &[]));
    assert_fails(&job, &["m.txt", "1 of 3"]);
    assert_eq!(world.seed().keys(&bucket), ["a.txt", "z.txt"]);
    let log = &job.first().log;
    assert!(log.contains("a.txt") && log.contains("z.txt"), "{log}");
    assert_eq!(job.variable("step.uploadedCount"), Some("2"));
}

#[test]
fn a_bucket_that_is_not_there_is_an_error_or_is_made() {
    let world = World::with_aws();
    write(&world.agent.sources(), &[("a.txt", b"a")]);
    let bucket = format!("missing-{}", world.account);
    assert_fails(&world.step(&inputs(&bucket, &[])), &[&bucket, "does not exist", "createBucket"]);
    assert_succeeds(&world.step(&inputs(&bucket, &[("createBucket", "true")])));
    assert_eq!(world.seed().keys(&bucket), ["a.txt"]);
}

#[test]
fn a_refusal_of_one_object_is_told_with_its_reason() {
    let world = World::with_aws();
    let bucket = world.bucket("denied");
    write(&world.agent.sources(), &[("a.txt", b"a"), ("b.txt", b"b")]);
    world.gateway.fail("s3", &format!("PUT /{bucket}/b.txt"), Fault::access_denied("Access Denied").always());
    let job = world.step(&inputs(&bucket, &[("forcePathStyleAddressing", "true")]));
    let message = failure(&job);
    assert!(message.contains("b.txt") && message.contains("AccessDenied"), "{message}");
    assert_eq!(world.seed().keys(&bucket), ["a.txt"]);
}

#[test]
fn settings_reach_the_objects() {
    let world = World::with_aws();
    let bucket = world.bucket("settings");
    write(&world.agent.sources(), &[("app.js", b"js"), ("index.html", b"html"), ("deep/app.css", b"css")]);
    let job = world.step(&inputs(
        &bucket,
        &[
            ("cacheControl", "**/*.js=max-age=31536000\n**=no-cache"),
            ("contentEncoding", "gzip"),
            ("storageClass", "STANDARD_IA"),
            ("flattenFolders", "true"),
            ("keyManagement", "awsManaged"),
            ("encryptionAlgorithm", "AES256"),
        ],
    ));
    assert_succeeds(&job);
    let object = |key: &str| world.seed().object(&bucket, key, &[]).unwrap();
    assert_eq!(object("app.js").header("cache-control"), "max-age=31536000");
    assert_eq!(object("index.html").header("cache-control"), "no-cache");
    assert_eq!(object("app.css").header("content-encoding"), "gzip");
    assert_eq!(object("app.css").header("x-amz-storage-class"), "STANDARD_IA");
    assert_eq!(object("app.css").header("x-amz-server-side-encryption"), "AES256");
}
