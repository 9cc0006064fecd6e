//! Docker configurations in real folders: adding logins, saving, and taking them back.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use std::fs;
use std::path::Path;
use std::process::Command;

use causeway_registry::{
    Cleaned, DockerConfig, DockerConfigError, LoginReceipt, RegistryLogin, remove_logins,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const OTHER: &str = "210987654321.dkr.ecr.eu-west-1.amazonaws.com";
/// `AWS:password`
const BASIC: &str = "QVdTOnBhc3N3b3Jk";

fn login(host: &str) -> RegistryLogin {
    RegistryLogin {
        host: host.parse().unwrap(),
        username: "AWS".to_owned(),
        password: "password".into(),
        basic: BASIC.into(),
        expires_at: None,
    }
}

fn folder_with(config: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    folder
}

fn written(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("config.json")).unwrap()).unwrap()
}

/// Changes the file in `folder` by a login to `host`.
fn log_in(folder: &Path, host: &str) -> LoginReceipt {
    let mut config = DockerConfig::load(folder).unwrap();
    config.add_login(&login(host));
    config.save(folder).unwrap()
}

/// Copies a person's own configuration to a new folder with a login to `HOST`.
fn copy(own: &Value) -> (TempDir, LoginReceipt) {
    let (source, target) = (folder_with(own), TempDir::new().unwrap());
    let mut config = DockerConfig::copy_of(source.path()).unwrap();
    config.add_login(&login(HOST));
    let receipt = config.save(&target.path().join("job")).unwrap();
    assert_eq!(written(source.path()), *own, "the person's own file stays as it was");
    (target, receipt)
}

#[test]
fn unknown_keys_and_other_logins_stay_in_their_order() {
    let folder = folder_with(&json!({
        "zeta": { "b": 1, "a": [null, 1.5] }, "auths": { "z.example": { "auth": "eA==" }, "a.example": {} },
        "HttpHeaders": { "X": "y" }, "alpha": true,
    }));
    log_in(folder.path(), HOST);
    let expected = json!({
        "zeta": { "b": 1, "a": [null, 1.5] },
        "auths": { "z.example": { "auth": "eA==" }, "a.example": {}, HOST: { "auth": BASIC } },
        "HttpHeaders": { "X": "y" }, "alpha": true,
    });
    assert_eq!(written(folder.path()).to_string(), expected.to_string());
}

#[test]
fn what_stood_for_this_host_in_any_form_gives_way() {
    let v1 = format!("https://{HOST}/v1/");
    let folder = folder_with(&json!({ "auths": {
        format!("https://{HOST}"): { "auth": "b2xk" }, v1: { "auth": "b2xk" }, format!("http://{HOST}/"): {},
        format!("{HOST}/team/app"): { "auth": "b2xk" }, OTHER: { "auth": "b3RoZXI=" }, "broken": null,
        HOST: { "username": "u", "password": "p", "identitytoken": "i", "registrytoken": "r", "email": "e", "auth": "b2xk" },
    } }));
    log_in(folder.path(), HOST);
    let expected = json!({ "auths": {
        OTHER: { "auth": "b3RoZXI=" }, "broken": null, HOST: { "email": "e", "auth": BASIC },
    } });
    assert_eq!(written(folder.path()), expected);
}

#[test]
fn helpers_do_not_stand_in_the_way() {
    for (before, after) in [
        (json!({ "credsStore": "desktop" }), json!({ "credsStore": "desktop", "credHelpers": { HOST: "" } })),
        (json!({ "credsStore": "" }), json!({ "credsStore": "" })),
        (
            json!({ "credHelpers": { HOST: "ecr-login", OTHER: "ecr-login" } }),
            json!({ "credHelpers": { OTHER: "ecr-login" } }),
        ),
        (
            json!({ "credHelpers": { HOST: "ecr-login", OTHER: "x" }, "credsStore": "pass" }),
            json!({ "credHelpers": { OTHER: "x", HOST: "" }, "credsStore": "pass" }),
        ),
        (json!({ "credHelpers": null, "auths": null }), json!({ "credHelpers": null })),
    ] {
        let folder = folder_with(&before);
        let receipt = log_in(folder.path(), HOST);
        let mut left = written(folder.path());
        assert_eq!(left["auths"][HOST]["auth"], BASIC);
        left.as_object_mut().unwrap().remove("auths");
        assert_eq!(left, after);
        let nothing = before.as_object().unwrap().values().all(Value::is_null);
        assert_eq!(remove_logins(folder.path(), &receipt).unwrap() == Cleaned::Removed, nothing);
        assert!(nothing || written(folder.path()) == before, "the helpers are as they were");
    }
}

#[test]
fn a_context_that_cannot_come_along_is_not_asked_for() {
    let (target, _) = copy(&json!({ "currentContext": "rootless", "detachKeys": "ctrl-x" }));
    let config = written(&target.path().join("job"));
    assert_eq!(config.get("currentContext"), None);
    assert_eq!(config["detachKeys"], "ctrl-x");
}

#[test]
fn missing_and_empty_files_are_empty_configurations() {
    let folder = TempDir::new().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("none")] {
        log_in(&path, HOST);
        assert_eq!(written(&path), json!({ "auths": { HOST: { "auth": BASIC } } }));
    }
    fs::write(folder.path().join("config.json"), " \n").unwrap();
    assert!(DockerConfig::load(folder.path()).is_ok());
}

#[test]
fn a_malformed_file_is_named_and_not_shown() {
    for text in [
        "{\"auths\": {\"a\": {\"auth\": \"hunter2\"",
        "[\"hunter2\"]",
        "{\"auths\": \"hunter2\"}",
        "\u{feff}{}",
        "{} hunter2",
    ] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("config.json"), text).unwrap();
        for error in [
            DockerConfig::load(folder.path()).unwrap_err(),
            remove_logins(folder.path(), &LoginReceipt::default()).unwrap_err(),
        ] {
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("config.json") && !shown.contains("hunter2"), "{shown}");
            assert!(matches!(error, DockerConfigError::Malformed { .. }));
        }
        assert_eq!(fs::read_to_string(folder.path().join("config.json")).unwrap(), text);
    }
}

#[test]
fn after_the_job_nothing_of_ours_or_of_the_copy_is_left() {
    let own = json!({
        "auths": { "a.example": { "auth": "c2VjcmV0OnB3" }, HOST: { "auth": "b2xk" } },
        "credsStore": "desktop", "credHelpers": { HOST: "ecr-login", OTHER: "x" }, "plugins": {}, "zeta": [1],
    });
    let (target, receipt) = copy(&own);
    let kept = serde_json::to_string(&receipt).unwrap();
    assert!(!kept.contains("c2VjcmV0OnB3") && !kept.contains(BASIC), "{kept}");
    let receipt: LoginReceipt = serde_json::from_str(&kept).unwrap();
    assert_eq!(receipt.hosts().collect::<Vec<_>>(), [HOST]);
    let folder = target.path().join("job");
    assert_eq!(remove_logins(&folder, &receipt).unwrap(), Cleaned::Removed);
    assert!(!folder.exists() && target.path().exists());
    assert_eq!(remove_logins(&folder, &receipt).unwrap(), Cleaned::Nothing);
}

#[test]
fn what_others_added_or_changed_stays() {
    let (target, receipt) = copy(&json!({
        "auths": { "a.example": { "auth": "eA==", "email": "e" }, "b.example": { "auth": "eA==" } }, "zeta": 1,
    }));
    let folder = target.path().join("job");
    let mut now = written(&folder);
    now["auths"]["a.example"] = json!({ "email": "e", "auth": "eA==" });
    now["auths"]["b.example"]["auth"] = json!("bmV3");
    now["auths"]["c.example"] = json!({ "auth": "eA==" });
    now["currentContext"] = json!("other");
    fs::write(folder.join("config.json"), now.to_string()).unwrap();
    fs::write(folder.join("notes.txt"), "theirs").unwrap();
    assert_eq!(remove_logins(&folder, &receipt).unwrap(), Cleaned::Kept);
    let left = json!({
        "auths": { "b.example": { "auth": "bmV3" }, "c.example": { "auth": "eA==" } }, "currentContext": "other",
    });
    assert_eq!(written(&folder), left);
}

#[test]
fn two_steps_in_one_folder_each_take_back_their_own() {
    let (target, first) = copy(&json!({ "credsStore": "desktop" }));
    let folder = target.path().join("job");
    let second = log_in(&folder, OTHER);
    let again = log_in(&folder, HOST);
    assert_eq!(remove_logins(&folder, &again).unwrap(), Cleaned::Kept);
    assert_eq!(remove_logins(&folder, &second).unwrap(), Cleaned::Kept);
    assert_eq!(written(&folder), json!({ "credsStore": "desktop" }));
    assert_eq!(remove_logins(&folder, &first).unwrap(), Cleaned::Removed);
}

#[test]
fn the_folder_stays_when_others_have_files_in_it() {
    let folder = TempDir::new().unwrap();
    let receipt = log_in(folder.path(), HOST);
    fs::write(folder.path().join("notes.txt"), "theirs").unwrap();
    assert_eq!(remove_logins(folder.path(), &receipt).unwrap(), Cleaned::Removed);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["notes.txt"]);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn file_and_folder_are_the_owners_alone() {
        let base = TempDir::new().unwrap();
        let folder = base.path().join("a/b");
        log_in(&folder, HOST);
        assert_eq!((mode(&folder), mode(&folder.join("config.json"))), (0o700, 0o600));
        fs::set_permissions(folder.join("config.json"), fs::Permissions::from_mode(0o644)).unwrap();
        let receipt = log_in(&folder, OTHER);
        assert_eq!(mode(&folder.join("config.json")), 0o600);
        fs::set_permissions(folder.join("config.json"), fs::Permissions::from_mode(0o644)).unwrap();
        remove_logins(&folder, &receipt).unwrap();
        assert_eq!(mode(&folder.join("config.json")), 0o600);
    }

    #[test]
    fn a_link_in_place_of_the_file_is_replaced_never_followed() {
        let elsewhere = folder_with(&json!({ "auths": { "a.example": { "auth": "eA==" } } }));
        let before = written(elsewhere.path());
        let folder = TempDir::new().unwrap();
        let link = folder.path().join("config.json");
        symlink(elsewhere.path().join("config.json"), &link).unwrap();
        let receipt = log_in(folder.path(), HOST);
        assert!(!fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(written(elsewhere.path()), before);
        fs::remove_file(&link).unwrap();
        symlink(elsewhere.path().join("config.json"), &link).unwrap();
        assert!(
            matches!(remove_logins(folder.path(), &receipt), Err(DockerConfigError::Link(path)) if path == link)
        );
        assert_eq!(written(elsewhere.path()), before);
    }

    #[test]
    fn a_link_in_place_of_the_folder_is_refused() {
        let elsewhere = folder_with(&json!({ "auths": { HOST: { "auth": BASIC } } }));
        let base = TempDir::new().unwrap();
        let link = base.path().join("job");
        symlink(elsewhere.path(), &link).unwrap();
        let mut config = DockerConfig::empty();
        config.add_login(&login(HOST));
        assert!(matches!(config.save(&link), Err(DockerConfigError::Link(_))));
        let receipt = config.save(&base.path().join("real")).unwrap();
        assert!(matches!(remove_logins(&link, &receipt), Err(DockerConfigError::Link(_))));
        assert_eq!(written(elsewhere.path()), json!({ "auths": { HOST: { "auth": BASIC } } }));
    }

    #[test]
    fn contexts_and_plugins_come_along_and_the_originals_stay() {
        let source = folder_with(&json!({ "currentContext": "rootless" }));
        let target = TempDir::new().unwrap().path().join("job");
        for name in ["contexts", "cli-plugins"] {
            fs::create_dir(source.path().join(name)).unwrap();
            fs::write(source.path().join(name).join("marker"), name).unwrap();
        }
        let mut config = DockerConfig::copy_of(source.path()).unwrap();
        config.add_login(&login(HOST));
        let receipt = config.save(&target).unwrap();
        assert_eq!(written(&target)["currentContext"], "rootless");
        assert_eq!(fs::read_to_string(target.join("contexts/marker")).unwrap(), "contexts");
        assert_eq!(fs::read_to_string(target.join("cli-plugins/marker")).unwrap(), "cli-plugins");
        assert_eq!(remove_logins(&target, &receipt).unwrap(), Cleaned::Removed);
        assert!(!target.exists());
        assert!(source.path().join("contexts/marker").exists());
        fs::remove_dir(target.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let base = TempDir::new().unwrap();
        fs::write(base.path().join("file"), "").unwrap();
        let error = DockerConfig::empty().save(&base.path().join("file/job")).unwrap_err();
        assert!(error.to_string().contains("file/job"), "{error}");
    }
}

/// `docker logout` asks the same store that a push would, and needs no engine. A helper that is not there
/// makes it fail, so it succeeds and the entry goes only if docker takes this host from the file.
#[test]
fn docker_itself_takes_the_host_from_the_file() {
    if Command::new("docker").arg("--version").output().is_err() {
        return;
    }
    let folder = folder_with(&json!({ "credsStore": "causeway-is-not-there", "auths": { OTHER: {} } }));
    let logout = |host: &str| {
        Command::new("docker").arg("--config").arg(folder.path()).args(["logout", host]).output().unwrap()
    };
    log_in(folder.path(), HOST);
    logout(OTHER);
    assert!(
        written(folder.path())["auths"].get(OTHER).is_some(),
        "docker goes by credsStore for the other host"
    );
    assert!(logout(HOST).status.success());
    assert!(written(folder.path())["auths"].get(HOST).is_none());
}

/// docker finds its certificates, and buildx its builders, in the folder of the configuration.
#[cfg(unix)]
#[test]
fn everything_beside_the_file_comes_along() {
    let (source, target) = (folder_with(&json!({})), TempDir::new().unwrap());
    fs::create_dir_all(source.path().join("buildx/instances")).unwrap();
    fs::write(source.path().join("buildx/instances/own"), "{}").unwrap();
    fs::write(source.path().join("ca.pem"), "ca").unwrap();
    fs::write(source.path().join("config.json.lock"), "").unwrap();
    let job = target.path().join("job");
    let mut config = DockerConfig::copy_of(source.path()).unwrap();
    config.add_login(&login(HOST));
    let receipt = config.save(&job).unwrap();
    assert_eq!(fs::read_to_string(job.join("ca.pem")).unwrap(), "ca");
    assert!(job.join("buildx/instances/own").is_file());
    assert!(!job.join("config.json.lock").exists());
    assert_eq!(remove_logins(&job, &receipt).unwrap(), Cleaned::Removed);
    assert!(!job.exists());
    assert!(source.path().join("buildx/instances/own").is_file(), "the originals stay");
}

/// The step was killed while it wrote.
#[test]
fn what_a_killed_step_left_half_written_goes() {
    let (target, receipt) = copy(&json!({}));
    let job = target.path().join("job");
    fs::remove_file(job.join("config.json")).unwrap();
    fs::write(job.join(".causeway-a1b2c3"), BASIC).unwrap();
    assert_eq!(remove_logins(&job, &receipt).unwrap(), Cleaned::Nothing);
    assert!(!job.exists(), "the folder was made for the login alone");
}
