use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::receipt::{AddedLogin, CopiedEntry};
use super::{AUTHS, DockerConfigError, HELPERS, LoginReceipt, companions, digest, edit_section, files};

/// What is left after [`remove_logins`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleaned {
    /// There was no file.
    Nothing,
    /// The file stays: it holds what others added.
    Kept,
    /// The file is gone, and the folder too if it was empty.
    Removed,
}

/// Takes back what `receipt` names from the configuration in `folder`: the logins, and the copies that nobody has
/// changed since. The file goes when nothing else is in it, the folder when nothing else is in that. Nothing
/// outside `folder` is touched, and no symbolic link followed.
///
/// # Errors
/// When the file is malformed, is a link, or cannot be read, written or deleted; the error names it.
pub fn remove_logins(folder: &Path, receipt: &LoginReceipt) -> Result<Cleaned, DockerConfigError> {
    files::refuse_link(folder)?;
    let path = files::path_in(folder, receipt.kind);
    files::refuse_link(&path)?;
    let Some(mut root) = files::read(path.clone())? else {
        clear(folder)?;
        return Ok(Cleaned::Nothing);
    };
    for added in &receipt.added {
        take_back(&mut root, added);
    }
    for copied in &receipt.copied {
        remove_unchanged(&mut root, copied);
    }
    for key in [AUTHS, HELPERS] {
        if root.get(key).is_some_and(|section| section.as_object().is_none_or(Map::is_empty)) {
            root.shift_remove(key);
        }
    }
    if root.is_empty() {
        delete(folder, path)?;
        return Ok(Cleaned::Removed);
    }
    files::write(folder, receipt.kind, &root)?;
    Ok(Cleaned::Kept)
}

/// Removes a login; a helper that it had put aside comes back, unless somebody set another one.
///
/// The login goes whoever wrote it last: at the end of a job a key to the registry too few does no harm.
fn take_back(root: &mut Map<String, Value>, added: &AddedLogin) {
    edit_section(root, AUTHS, |auths| {
        auths.shift_remove(&added.host);
    });
    edit_section(root, HELPERS, |helpers| {
        if helpers.get(&added.host).is_some_and(|helper| helper == "") {
            helpers.shift_remove(&added.host);
        }
        if let Some(helper) = &added.helper {
            helpers.entry(&added.host).or_insert_with(|| Value::from(helper.as_str()));
        }
    });
}

fn remove_unchanged(root: &mut Map<String, Value>, copied: &CopiedEntry) {
    let holder = match &copied.section {
        Some(section) => root.get_mut(section).and_then(Value::as_object_mut),
        None => Some(root),
    };
    if let Some(holder) = holder
        && holder.get(&copied.key).is_some_and(|value| digest::of(value) == copied.digest)
    {
        holder.shift_remove(&copied.key);
    }
}

fn delete(folder: &Path, path: PathBuf) -> Result<(), DockerConfigError> {
    accept_missing(fs::remove_file(&path)).map_err(|error| DockerConfigError::Io {
        action: "deleted",
        path,
        error,
    })?;
    clear(folder)
}

/// Removes what came along, and the folder if nothing else is in it.
fn clear(folder: &Path) -> Result<(), DockerConfigError> {
    companions::take_away(folder);
    match accept_missing(fs::remove_dir(folder)) {
        Err(error) if error.kind() != ErrorKind::DirectoryNotEmpty => {
            Err(DockerConfigError::Io { action: "deleted", path: folder.to_owned(), error })
        }
        _ => Ok(()),
    }
}

fn accept_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
