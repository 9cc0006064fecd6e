use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use secrecy::ExposeSecret;

use super::{Value, check_names, dotenv};
use crate::files;
use crate::step::Step;

/// How [`OutputFile`] is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Dotenv,
    Json,
}

/// The file that the user wants all values in.
///
/// It is the user's: nobody but its owner reads it, and it stays, unless it lies in the job's temp folder, where the
/// post-job step removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputFile {
    pub(super) path: PathBuf,
    pub(super) format: Format,
}

impl OutputFile {
    /// What is wrong with the names for this format, before anything is written.
    pub(super) fn check(&self, values: &[Value]) -> Result<()> {
        if self.format == Format::Json {
            return Ok(());
        }
        let keys: Vec<String> = values.iter().map(|value| dotenv::key(&value.variable)).collect();
        let origins = values.iter().map(|value| value.origin.as_str());
        check_names(origins.zip(keys.iter().map(String::as_str))).context("input outputFile")
    }

    pub(super) fn write(&self, step: &Step, values: &[Value]) -> Result<()> {
        let content = match self.format {
            Format::Json => json(values)?,
            Format::Dotenv => {
                let file = dotenv::write(values).context("input outputFile")?;
                warn(step, &file);
                file.text
            }
        };
        replace(&self.path, content.as_bytes())?;
        let stays = match self.path.starts_with(step.temp_directory()?) {
            true => "until the job ends",
            false => "and stay there: it lies outside $(Agent.TempDirectory)",
        };
        step.console().info(&format!("{} values are in {} {stays}", values.len(), self.path.display()));
        Ok(())
    }
}

fn json(values: &[Value]) -> Result<String> {
    let member = |value: &Value| {
        let text = value.content.text_or_base64().expose_secret();
        (value.variable.clone(), serde_json::Value::from(text))
    };
    let object: serde_json::Map<String, serde_json::Value> = values.iter().map(member).collect();
    Ok(serde_json::to_string_pretty(&object)? + "\n")
}

fn warn(step: &Step, file: &dotenv::Dotenv) {
    if !file.not_for_docker.is_empty() {
        step.console().warning(&format!(
            "docker --env-file cannot read these values as they are, for it knows no quotes and no long lines: {}. bash reads them; outputFormat json holds every value.",
            file.not_for_docker.join(", ")
        ));
    }
    if !file.bash_only.is_empty() {
        step.console().warning(&format!(
            "Of the readers of dotenv files only bash reads these values as they are (a carriage return, or quotes beside other marks): {}. outputFormat json holds every value.",
            file.bash_only.join(", ")
        ));
    }
}

/// Writes a file that only its owner reads, wholly or not at all. A link is not followed and not replaced.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(known) if known.is_symlink() => {
            bail!("{} is a link, and no secret is written through one", path.display())
        }
        Ok(known) if !known.is_file() => bail!("{} is not a file", path.display()),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} could not be written", path.display()));
        }
        _ => {}
    }
    let folder = path.parent().context("input outputFile names no file")?;
    let fresh = files::fresh_path(folder, ".tmp");
    let written = files::write_private(&fresh, content).and_then(|()| {
        fs::rename(&fresh, path).with_context(|| format!("{} could not be written", path.display()))
    });
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_private_whole_and_no_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = std::env::temp_dir().join(format!("causeway-test-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let file = folder.join("x.env");
        for content in ["one", "two, longer"] {
            replace(&file, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&file, b"three").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        let link = folder.join("link.env");
        symlink(&file, &link).unwrap();
        assert!(replace(&link, b"four").unwrap_err().to_string().contains("link.env"));
        assert!(replace(&folder, b"four").is_err());
        assert!(replace(&folder.join("no/such/x.env"), b"four").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "three");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing is left beside them");
        fs::remove_dir_all(&folder).unwrap();
    }
}
