//! Reading and writing the configuration file.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value};

use super::{AUTHS, ConfigKind, DockerConfigError, HELPERS};

/// What the names of files begin with that are not whole yet.
pub(super) const TEMPORARY: &str = ".causeway-";

pub(super) fn path_in(folder: &Path, kind: ConfigKind) -> PathBuf {
    folder.join(kind.file_name())
}

/// The file's content; `None` when there is no file. An empty file counts as `{}`, as it does for docker.
pub(super) fn read(path: PathBuf) -> Result<Option<Map<String, Value>>, DockerConfigError> {
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(DockerConfigError::Io { action: "read", path, error });
        }
    };
    if text.trim_ascii().is_empty() {
        return Ok(Some(Map::new()));
    }
    parse(&text).map(Some).map_err(|reason| DockerConfigError::Malformed { path, reason })
}

fn parse(text: &[u8]) -> Result<Map<String, Value>, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let Value::Object(root) = value else {
        return Err("it is not a JSON object".to_owned());
    };
    for key in [AUTHS, HELPERS] {
        if !root.get(key).is_none_or(|section| section.is_object() || section.is_null()) {
            return Err(format!("\"{key}\" is not an object"));
        }
    }
    Ok(root)
}

/// Makes the folder, for its owner alone. One that exists keeps its permissions: it may be the agent's own.
pub(super) fn create_folder(folder: &Path) -> Result<(), DockerConfigError> {
    refuse_link(folder)?;
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let path = folder.to_owned();
    builder.create(folder).map_err(|error| DockerConfigError::Io { action: "created", path, error })
}

/// Refuses a symbolic link; what does not exist is fine.
pub(super) fn refuse_link(path: &Path) -> Result<(), DockerConfigError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(DockerConfigError::Link(path.to_owned())),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DockerConfigError::Io { action: "read", path: path.to_owned(), error }),
    }
}

/// Writes beside the file (0600 from the start) and renames: a rename replaces a link and never follows it.
pub(super) fn write(
    folder: &Path,
    kind: ConfigKind,
    root: &Map<String, Value>,
) -> Result<(), DockerConfigError> {
    let path = path_in(folder, kind);
    let failed = |error| DockerConfigError::Io { action: "written", path: path.clone(), error };
    let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder).map_err(failed)?;
    file.write_all(&encode(root).map_err(failed)?).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// JSON with tabs, as docker writes it.
fn encode(root: &Map<String, Value>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"\t"));
    root.serialize(&mut serializer)?;
    text.push(b'\n');
    Ok(text)
}
