//! What docker looks for beside `config.json`: contexts (where the engine is) and plugins (buildx, compose).

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

/// The folder of contexts. `currentContext` in the file names one of them.
const CONTEXTS: &str = "contexts";
const CURRENT_CONTEXT: &str = "currentContext";
const FOLDERS: [&str; 2] = [CONTEXTS, "cli-plugins"];

/// Links the folders of `origin` into `folder`. Where its contexts cannot be brought along, the copied
/// `currentContext` goes: docker fails at one that it does not find (`docker/cli`, "context not found").
pub(super) fn bring(origin: &Path, folder: &Path, root: &mut Map<String, Value>) {
    for name in FOLDERS {
        let (from, to) = (origin.join(name), folder.join(name));
        if from.is_dir() {
            link(&from, &to);
        }
        if name == CONTEXTS && !to.is_dir() {
            root.shift_remove(CURRENT_CONTEXT);
        }
    }
}

/// Takes the links away again, and nothing else.
pub(super) fn take_away(folder: &Path) {
    for name in FOLDERS {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            // A link that stays only keeps the empty folder in place.
            let _ = fs::remove_file(path);
        }
    }
}

/// A link that cannot be made is no failure: logins work without it.
#[cfg(unix)]
fn link(from: &Path, to: &Path) {
    let _ = fs::canonicalize(from).and_then(|from| std::os::unix::fs::symlink(from, to));
}

/// Windows lets only administrators make links.
#[cfg(not(unix))]
fn link(_from: &Path, _to: &Path) {}
