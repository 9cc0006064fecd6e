//! What is an image on the disk, and what is not.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::fs;
use std::path::Path;

use causeway_harness::registry::image::{Layout, pack};
use causeway_registry::{Image, ImageError};
use tempfile::TempDir;

fn open(path: &Path, wanted: Option<&str>) -> Result<Image, ImageError> {
    Image::open(path, wanted, Path::new("/tmp"))
}

#[test]
fn one_of_several_is_chosen_by_name() {
    let folder = TempDir::new().unwrap();
    let digests = Layout::new(folder.path(), 1).images(&["1.0", "registry.example/shop:2.0"]);
    for (wanted, expected) in [("1.0", 0), ("shop:2.0", 1), ("2.0", 1), ("registry.example/shop:2.0", 1)] {
        assert_eq!(open(folder.path(), Some(wanted)).unwrap().root.digest.as_str(), digests[expected]);
    }
    for wanted in [None, Some("3.0"), Some("op:2.0")] {
        let error = open(folder.path(), wanted).unwrap_err().to_string();
        assert!(error.contains("2 images: 1.0, registry.example/shop:2.0"), "{error}");
    }
}

#[test]
fn what_is_no_image_is_said() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let fails = |name: &str, words: &str| {
        let error = open(&at(name), None).unwrap_err();
        let text = format!(
            "{error}: {}",
            std::error::Error::source(&error).map_or_else(String::new, ToString::to_string)
        );
        assert!(text.contains(words) && text.contains(name), "{text}");
    };
    fails("missing", "No such file");
    fs::create_dir(at("empty")).unwrap();
    fails("empty", "no image");
    fs::write(at("text"), "no tar file at all, and long enough to be one ".repeat(40)).unwrap();
    fails("text", "could not be read");
    fs::write(at("zstd"), [0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]).unwrap();
    fails("zstd", "zstd");
    fs::create_dir(at("broken")).unwrap();
    fs::write(at("broken/index.json"), "{").unwrap();
    fails("broken", "index.json");
    fs::write(at("broken/index.json"), r#"{"schemaVersion":1}"#).unwrap();
    fails("broken", "schema 1");
    let escape = r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:../../../etc/passwd","size":1}]}"#;
    fs::write(at("broken/index.json"), escape).unwrap();
    fails("broken", "digest");
}

#[test]
fn a_part_that_is_missing_or_damaged_is_named() {
    let folder = TempDir::new().unwrap();
    let digest = Layout::new(folder.path(), 2).image(&[5000]);
    let image = open(folder.path(), None).unwrap();
    let place = |digest: &str| folder.path().join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
    let layer = image.blobs.iter().max_by_key(|blob| blob.location.length).unwrap().digest.to_string();
    let error = |words: &str| {
        let error = open(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let content = fs::read(place(&layer)).unwrap();
    fs::write(place(&layer), &content[..100]).unwrap();
    error("it has 100 bytes instead of");
    fs::remove_file(place(&layer)).unwrap();
    error(&format!("blob {layer} is missing"));
    let manifest = fs::read_to_string(place(&digest)).unwrap();
    fs::write(
        place(&digest),
        manifest.replace("amd64", "amd65").replace("\"schemaVersion\":2", "\"schemaVersion\": 2"),
    )
    .unwrap();
    error("damaged");
    fs::remove_file(place(&digest)).unwrap();
    error(&format!("manifest {digest} is missing"));
}

#[test]
fn an_index_with_platforms_left_out_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let _ = Layout::new(folder.path(), 3).index(&[100]);
    let image = open(folder.path(), None).unwrap();
    fs::remove_file(folder.path().join("blobs/sha256").join(image.manifests[1].digest.hex())).unwrap();
    let error = open(folder.path(), None).unwrap_err().to_string();
    assert!(error.contains("docker save --platform"), "{error}");
}

/// Links to equal layers, `./` before names, and names that lead out of the archive.
#[test]
fn old_archives_with_links_are_read() {
    let folder = TempDir::new().unwrap();
    let files = folder.path().join("files");
    fs::create_dir_all(files.join("b")).unwrap();
    fs::create_dir_all(files.join("a")).unwrap();
    fs::write(files.join("a/layer.tar"), [0; 1024]).unwrap();
    std::os::unix::fs::symlink("../a/layer.tar", files.join("b/layer.tar")).unwrap();
    std::os::unix::fs::symlink("loop", files.join("loop")).unwrap();
    let empty = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
    let config = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["{empty}","{empty}"]}}}}"#);
    fs::write(files.join("config.json"), config).unwrap();
    let manifest =
        r#"[{"Config":"config.json","RepoTags":["shop:1.0"],"Layers":["a/layer.tar","b/layer.tar"]}]"#;
    fs::write(files.join("manifest.json"), manifest).unwrap();
    let mut builder = tar::Builder::new(fs::File::create(folder.path().join("saved.tar")).unwrap());
    builder.follow_symlinks(false);
    builder.append_dir_all(".", &files).unwrap();
    builder.finish().unwrap();
    let image = open(&folder.path().join("saved.tar"), None).unwrap();
    assert_eq!(image.blobs.len(), 2, "equal layers are one blob");
    let json: serde_json::Value = serde_json::from_slice(&image.root.bytes).unwrap();
    assert_eq!(json["layers"].as_array().unwrap().len(), 2);

    fs::write(files.join("manifest.json"), manifest.replace("b/layer.tar", "loop")).unwrap();
    let looped = folder.path().join("looped.tar");
    let mut builder = tar::Builder::new(fs::File::create(&looped).unwrap());
    builder.follow_symlinks(false);
    builder.append_dir_all(".", &files).unwrap();
    builder.finish().unwrap();
    assert!(open(&looped, None).unwrap_err().to_string().contains("layer loop is missing"));

    let layout = folder.path().join("layout");
    let digest = Layout::new(&layout, 9).image(&[10]);
    pack(&layout, &folder.path().join("dotted.tar"));
    assert_eq!(open(&folder.path().join("dotted.tar"), None).unwrap().root.digest.as_str(), digest);
}
