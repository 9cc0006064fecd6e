//! What docker looks for beside `config.json`: contexts (where the engine is), plugins (buildx, compose), builders,
//! certificates of the engine.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::files::TEMPORARY;

/// The folder of contexts. `currentContext` in the file names one of them.
const CONTEXTS: &str = "contexts";
const CURRENT_CONTEXT: &str = "currentContext";
/// What is written anew: the file itself and what docker calls its half-written forms.
const OWN: &str = "config.json";

/// Links what is in `origin` into `folder`. Where its contexts cannot be brought along, the copied `currentContext` goes:
/// docker fails at one that it does not find (`docker/cli`, "context not found").
pub(super) fn bring(origin: &Path, folder: &Path, root: &mut Map<String, Value>) {
    for entry in fs::read_dir(origin).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_own = name.to_str().is_none_or(|name| name.starts_with(OWN) || name.starts_with(TEMPORARY));
        if !is_own {
            link(&entry.path(), &folder.join(name));
        }
    }
    if !folder.join(CONTEXTS).is_dir() {
        root.shift_remove(CURRENT_CONTEXT);
    }
}

/// Takes the links away again, and what a step that was killed left half written; nothing else.
pub(super) fn take_away(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_temporary = entry.file_name().to_str().is_some_and(|name| name.starts_with(TEMPORARY));
        if is_temporary || entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            // A link that stays only keeps the empty folder in place.
            let _ = fs::remove_file(entry.path());
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
