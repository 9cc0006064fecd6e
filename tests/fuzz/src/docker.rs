//! A login is added to any docker configuration, and taken back, without a change to anything else in it.

use std::fs;

use causeway_registry::{DockerConfig, RegistryLogin, remove_logins};
use serde_json::{Map, Value};

pub(super) const EXAMPLES: &[&str] = &[
    r#"{"auths":{"registry.example.com":{"auth":"dXNlcjpwYXNz"}},"credsStore":"desktop","x":[1,{"y":null}]}"#,
    r#"{"auths":{"https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v1/":{"auth":"b2xk"}},"credHelpers":{"123456789012.dkr.ecr.eu-west-1.amazonaws.com":"ecr-login"}}"#,
    r#"{"auths":null,"credHelpers":[],"HttpHeaders":{"a":"b"},"currentContext":"x"}"#,
    r#"{"auths":{"":{}},"credsStore":7}"#,
    "{}",
];
const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
/// `AWS:password`
const BASIC: &str = "QVdTOnBhc3N3b3Jk";

pub(super) fn run(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::create_dir(&from).expect("a folder");
    fs::write(from.join("config.json"), data).expect("the configuration");
    let Ok(mut config) = DockerConfig::copy_of(&from) else { return };
    config.add_login(&RegistryLogin {
        host: HOST.parse().expect("a host"),
        username: "AWS".to_owned(),
        password: "password".into(),
        basic: BASIC.into(),
        expires_at: None,
    });
    let receipt = config.save(&to).expect("it can be saved");
    let with = read(&to);
    assert_eq!(with["auths"][HOST]["auth"], BASIC, "{with}");
    // Python and Go read duplicate names as serde_json does: the last one counts.
    // An empty file is an empty configuration.
    let given: Value = serde_json::from_slice(data).unwrap_or_default();
    kept(&given, &with);
    remove_logins(&to, &receipt).expect("the login can be removed");
    let after = fs::read_to_string(to.join("config.json")).unwrap_or_default();
    assert!(given.to_string().contains(BASIC) || !after.contains(BASIC), "the login is left in {after}");
}

fn read(folder: &std::path::Path) -> Value {
    let text = fs::read(folder.join("config.json")).expect("the configuration");
    serde_json::from_slice(&text).expect("JSON")
}

/// Everything but what concerns logins and what lies beside the file.
fn kept(given: &Value, with: &Value) {
    let nothing = Map::new();
    for (name, value) in given.as_object().unwrap_or(&nothing) {
        match name.as_str() {
            "credHelpers" | "currentContext" | "cliPluginsExtraDirs" => {}
            "auths" => {
                for (host, entry) in value.as_object().unwrap_or(&nothing) {
                    assert!(
                        host.contains("dkr.ecr") || with["auths"][host] == *entry,
                        "{host} changed in {with}"
                    );
                }
            }
            _ => assert_eq!(with[name], *value, "{name} changed"),
        }
    }
}
