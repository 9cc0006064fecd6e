//! The private copy of this program that the shim makes where the task's folder is read-only.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use causeway_agent::{Environment, Job};

/// How the shim's `mkdtemp` names the copy's folder: this, and six characters.
const PREFIX: &str = "causeway-";

/// Removes the copy that this process runs from. Where node has given its place to this process, nobody else does.
pub(crate) fn remove(environment: &Environment) {
    let temp = Job::new(environment).temp_directory().map(PathBuf::from);
    let program = std::env::current_exe().ok();
    if let (Some(temp), Some(program)) = (temp, program)
        && let Some(folder) = folder_of_copy(&program, &temp)
    {
        // The agent empties the temp folder in any case.
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn folder_of_copy<'a>(program: &'a Path, temp: &Path) -> Option<&'a Path> {
    let folder = program.parent()?;
    let name = folder.file_name().and_then(OsStr::to_str)?;
    let made = name.strip_prefix(PREFIX).is_some_and(|random| random.chars().count() == 6);
    let temp = std::fs::canonicalize(temp).unwrap_or_else(|_| temp.to_owned());
    (made && folder.parent() == Some(temp.as_path())).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_copy_of_the_shims_is_taken_for_one() {
        let temp = Path::new("/nowhere/_temp");
        for (program, is_copy) in [
            ("/nowhere/_temp/causeway-aB3xY9/causeway", true),
            ("/nowhere/_temp/causeway-job/causeway", false),
            ("/nowhere/_temp/mine-aB3xY9/causeway", false),
            ("/nowhere/_tasks/causeway-aB3xY9/causeway", false),
            ("/nowhere/_temp/causeway-aB3xY9/deeper/causeway", false),
        ] {
            assert_eq!(folder_of_copy(Path::new(program), temp).is_some(), is_copy, "{program}");
        }
    }
}
