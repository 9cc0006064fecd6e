use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A program that must be on the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Aws,
    Bash,
    Sh,
    Pwsh,
    PowerShell,
    Cmd,
}

impl Tool {
    /// What it is called on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Bash => "bash",
            Self::Sh => "sh",
            Self::Pwsh => "pwsh",
            Self::PowerShell => "powershell",
            Self::Cmd => "cmd",
        }
    }

    /// Where it lies on this agent's `PATH`.
    pub(crate) fn on_path(self) -> Option<PathBuf> {
        let unusable = |path: &Path| cfg!(windows) && self == Self::Bash && is_of_wsl(path);
        which::which_all(self.name()).ok()?.find(|path| !unusable(path))
    }

    /// The same.
    ///
    /// # Errors
    /// When it is not there; the message says how to get it.
    pub(crate) fn find(self) -> Result<PathBuf> {
        match self.on_path() {
            Some(path) => Ok(path),
            None => bail!("{} is not on this agent's PATH. {}", self.name(), self.how_to_get()),
        }
    }

    fn how_to_get(self) -> &'static str {
        match self {
            Self::Aws => {
                "Install the AWS CLI (https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html); Microsoft-hosted agents have it"
            }
            Self::Bash if cfg!(windows) => {
                "Install Git for Windows, which brings it, or set shell to pwsh, powershell or cmd"
            }
            Self::Bash => "Install the package bash, or set shell to sh",
            Self::Sh => "Install a POSIX shell, on Windows for example Git for Windows",
            Self::Pwsh => "Install PowerShell 7 (https://aka.ms/powershell)",
            Self::PowerShell => "Windows PowerShell exists on Windows only: set shell to pwsh",
            Self::Cmd => "cmd exists on Windows only: set shell to bash or pwsh",
        }
    }
}

/// Whether this is the `bash.exe` of Windows itself: it starts Linux, and hands it neither the environment, in which the
/// credentials are, nor the paths of this machine.
fn is_of_wsl(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.split(['\\', '/'])
        .any(|part| ["System32", "SysNative", "WindowsApps"].iter().any(|own| part.eq_ignore_ascii_case(own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bash_that_starts_linux_is_known() {
        for (path, of_wsl) in [
            (r"C:\Windows\system32\bash.EXE", true),
            (r"C:\Users\ci\AppData\Local\Microsoft\WindowsApps\bash.exe", true),
            (r"C:\Program Files\Git\bin\bash.exe", false),
            (r"C:\msys64\usr\bin\bash.exe", false),
        ] {
            assert_eq!(is_of_wsl(Path::new(path)), of_wsl, "{path}");
        }
    }

    #[test]
    fn a_tool_is_found_where_it_is() {
        assert!(Tool::Sh.on_path().is_some_and(|path| path.is_file()) || cfg!(windows));
    }
}
