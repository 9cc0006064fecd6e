use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use causeway_types::Region;

use super::config;
use super::name::ProfileName;

/// The folder in the job's temp folder that all steps of a job share: configuration file, program, and the brokers' sockets.
/// Only this user can enter it.
#[derive(Debug, Clone)]
pub(crate) struct JobFolder(PathBuf);

impl JobFolder {
    const NAME: &str = "causeway-job";
    const PROGRAM: &str = if cfg!(windows) { "causeway.exe" } else { "causeway" };

    /// The folder of the job whose temp folder `temp` is. Nothing is made.
    pub(crate) fn of(temp: &Path) -> Self {
        Self(temp.join(Self::NAME))
    }

    /// The folder that the running program lies in.
    pub(crate) fn of_this_program() -> Result<Self> {
        let program = std::env::current_exe().context("where this program lies cannot be found out")?;
        Ok(Self(program.parent().map(Path::to_owned).unwrap_or_default()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a file lies in it.
    pub(crate) fn holds(&self, path: &str) -> bool {
        Path::new(path).starts_with(&self.0)
    }

    /// For `AWS_CONFIG_FILE`.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.0.join("config")
    }

    /// For `AWS_SHARED_CREDENTIALS_FILE`. It is empty: keys in the machine's own file would come before a profile of ours.
    pub(crate) fn credentials_file(&self) -> PathBuf {
        self.0.join("credentials")
    }

    /// The file name, in this folder, by which the broker of a profile is reached.
    pub(crate) fn socket_name(profile: &ProfileName) -> String {
        format!("{profile}{}", Self::SOCKET)
    }

    const SOCKET: &str = ".socket";

    /// Makes the folder, or checks that the one that is there belongs to this user alone.
    pub(crate) fn open(&self) -> Result<()> {
        #[cfg_attr(not(unix), allow(unused_mut, reason = "a mode is set on Unix only"))]
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.0) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.check_owner(),
            made => made.with_context(|| format!("{} could not be made", self.0.display())),
        }
    }

    fn check_owner(&self) -> Result<()> {
        let found = std::fs::symlink_metadata(&self.0)?;
        ensure!(
            found.is_dir() && is_private(&found),
            "{} exists and is not a folder of this user alone; remove it",
            self.0.display()
        );
        Ok(())
    }

    /// Puts a copy of this program here, which later steps can run: the task's own folder may be read-only, or hold no
    /// program that may be executed.
    pub(crate) fn install_program(&self) -> Result<PathBuf> {
        let target = self.0.join(Self::PROGRAM);
        let source = std::env::current_exe().context("where this program lies cannot be found out")?;
        if !is_copy(&target, &source) {
            let fresh = crate::files::fresh_path(&self.0, "");
            std::fs::copy(&source, &fresh)
                .and_then(|_| make_executable(&fresh))
                .and_then(|()| std::fs::rename(&fresh, &target))
                .with_context(|| format!("{} could not be written", target.display()))?;
        }
        ensure!(
            may_run(&target),
            "{} cannot be run: is the agent's temp folder mounted noexec? Tools would start it for each profile",
            target.display()
        );
        Ok(target)
    }

    /// Writes a profile into the configuration file; with `program`, tools start that for its credentials.
    pub(crate) fn write_profile(
        &self,
        name: &ProfileName,
        region: &Region,
        program: Option<&Path>,
    ) -> Result<()> {
        let process = program.map(|program| config::process(program, name)).transpose()?;
        let file = self.config_file();
        let before = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| format!("{} could not be read", file.display()))?,
        };
        self.replace(&file, &config::with_profile(&before, name, region, process.as_deref()))?;
        self.replace(&self.credentials_file(), "")
    }

    /// Tools that read the file meanwhile see the old or the new text, nothing between.
    fn replace(&self, file: &Path, text: &str) -> Result<()> {
        let fresh = crate::files::fresh_path(&self.0, "");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&fresh)
            .and_then(|mut open| open.write_all(text.as_bytes()))
            .and_then(|()| std::fs::rename(&fresh, file))
            .with_context(|| format!("{} could not be written", file.display()))
    }

    /// Removes everything, once no profile of the job has a broker any more.
    pub(crate) fn remove_if_unused(&self) -> Result<()> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.with_context(|| format!("{} could not be read", self.0.display()))?,
        };
        let is_socket = |name: std::ffi::OsString| name.to_string_lossy().ends_with(Self::SOCKET);
        if entries.flatten().any(|entry| is_socket(entry.file_name())) {
            return Ok(());
        }
        std::fs::remove_dir_all(&self.0).with_context(|| format!("{} could not be removed", self.0.display()))
    }
}

/// Whether a folder is this user's, and closed to others. On Windows the job's temp folder decides that.
fn is_private(folder: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    let private = {
        use std::os::unix::fs::MetadataExt;
        folder.uid() == rustix::process::geteuid().as_raw() && folder.mode() & 0o077 == 0
    };
    #[cfg(not(unix))]
    let private = folder.is_dir();
    private
}

/// A copy of an earlier step is taken for good by its length: the folder is closed to others.
fn is_copy(target: &Path, source: &Path) -> bool {
    let length = |path: &Path| std::fs::metadata(path).map(|found| found.len());
    matches!((length(target), length(source)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix, where it can fail")]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A mount option can forbid what the mode allows.
fn may_run(path: &Path) -> bool {
    #[cfg(unix)]
    let may = rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    #[cfg(not(unix))]
    let may = path.is_file();
    may
}
