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
    // An entry that says only the tag goes with any name.
    assert_eq!(open(folder.path(), Some("shop:1.0")).unwrap().root.digest.as_str(), digests[0]);
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

#[test]
fn another_image_than_the_one_asked_for_is_not_taken() {
    let folder = TempDir::new().unwrap();
    let digests = Layout::new(folder.path(), 4).images(&["registry.example/shop:1.0"]);
    for wanted in [None, Some("1.0"), Some("shop:1.0")] {
        assert_eq!(open(folder.path(), wanted).unwrap().root.digest.as_str(), digests[0]);
    }
    let error = open(folder.path(), Some("shop:2.0")).unwrap_err().to_string();
    assert!(error.contains("the image registry.example/shop:1.0; none of them is shop:2.0"), "{error}");
    let nameless = folder.path().join("index.json");
    let index = fs::read_to_string(&nameless).unwrap().replace("image.ref.name", "image.other");
    fs::write(&nameless, index).unwrap();
    assert!(open(folder.path(), Some("shop:2.0")).is_ok(), "what has no name is whatever it is called");
}

/// Go writes `null` for a list with nothing in it.
#[test]
fn lists_may_be_null() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.json"), r#"{"rootfs":{"type":"layers","diff_ids":null}}"#).unwrap();
    let manifest = r#"[{"Config":"config.json","RepoTags":null,"Layers":null}]"#;
    fs::write(folder.path().join("manifest.json"), manifest).unwrap();
    assert_eq!(open(folder.path(), None).unwrap().blobs.len(), 1);

    let layout = folder.path().join("layout");
    let _ = Layout::new(&layout, 5).image(&[]);
    let image = open(&layout, None).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&image.root.bytes).unwrap();
    let mut nulls = json.clone();
    nulls["layers"] = serde_json::Value::Null;
    nulls["config"]["urls"] = serde_json::Value::Null;
    nulls["config"]["annotations"] = serde_json::Value::Null;
    replace_root(&layout, &nulls.to_string());
    assert_eq!(open(&layout, None).unwrap().blobs.len(), 1);
}

/// Makes this text the layout's only manifest.
fn replace_root(layout: &Path, text: &str) {
    let digest = format!("sha256:{}", causeway_harness::sha256_hex(text.as_bytes()));
    fs::write(layout.join("blobs/sha256").join(&digest[7..]), text).unwrap();
    let index = fs::read_to_string(layout.join("index.json")).unwrap();
    let mut index: serde_json::Value = serde_json::from_str(&index).unwrap();
    index["manifests"][0]["digest"] = digest.into();
    index["manifests"][0]["size"] = text.len().into();
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
}

/// A folder unpacked from an archive by somebody else must not make us push other files of this machine.
#[test]
fn names_that_lead_out_of_a_folder_are_refused() {
    let base = TempDir::new().unwrap();
    let folder = base.path().join("saved");
    fs::create_dir(&folder).unwrap();
    let secret = base.path().join("secret");
    fs::write(&secret, [0x1f, 0x8b, 1, 2, 3]).unwrap();
    let config = r#"{"rootfs":{"type":"layers","diff_ids":["sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"]}}"#;
    fs::write(folder.join("config.json"), config).unwrap();
    let absolute = secret.display().to_string();
    for name in ["../secret", absolute.as_str(), "x/../../secret"] {
        let manifest = serde_json::json!([{ "Config": "config.json", "Layers": [name] }]);
        fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        let error = open(&folder, None).unwrap_err().to_string();
        assert!(error.contains("is missing"), "{error}");
    }
}

#[test]
fn an_archive_that_was_cut_off_is_told_before_anything_is_sent() {
    let folder = TempDir::new().unwrap();
    let layout = folder.path().join("layout");
    let _ = Layout::new(&layout, 6).image(&[500_000]);
    let layer = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(Result::unwrap);
    let layer = layer.max_by_key(|file| file.metadata().unwrap().len()).unwrap().file_name();
    let archive = folder.path().join("cut.tar");
    let mut builder = tar::Builder::new(fs::File::create(&archive).unwrap());
    builder.append_path_with_name(layout.join("index.json"), "index.json").unwrap();
    for blob in fs::read_dir(layout.join("blobs/sha256")).unwrap().map(Result::unwrap) {
        let name = Path::new("blobs/sha256").join(blob.file_name());
        if blob.file_name() != layer {
            builder.append_path_with_name(blob.path(), name).unwrap();
        }
    }
    let name = Path::new("blobs/sha256").join(&layer);
    builder.append_path_with_name(layout.join("blobs/sha256").join(&layer), name).unwrap();
    drop(builder.into_inner().unwrap());
    let whole = fs::metadata(&archive).unwrap().len();
    fs::File::options().write(true).open(&archive).unwrap().set_len(whole - 300_000).unwrap();
    let error = open(&archive, None).unwrap_err();
    assert!(format!("{error:?}").contains("ends too early"), "{error:?}");
}
