use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use super::program::Program;
use super::tool::Tool;

/// What a script is written for.
#[allow(clippy::enum_variant_names, reason = "PowerShell is the name of that shell")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Sh,
    Pwsh,
    PowerShell,
    Cmd,
}

/// Input `shell`: `None` is `auto`.
pub(crate) const SHELLS: [(&str, Option<Shell>); 6] = [
    ("auto", None),
    ("bash", Some(Shell::Bash)),
    ("sh", Some(Shell::Sh)),
    ("pwsh", Some(Shell::Pwsh)),
    ("powershell", Some(Shell::PowerShell)),
    ("cmd", Some(Shell::Cmd)),
];

impl Shell {
    /// The shell for a file of this name: by its ending, else bash, as the AWS Toolkit has it, or sh where there is no bash.
    pub(crate) fn for_file(path: &Path) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
        match ending.as_str() {
            "ps1" if cfg!(windows) && Tool::Pwsh.on_path().is_none() => Self::PowerShell,
            "ps1" => Self::Pwsh,
            "cmd" | "bat" => Self::Cmd,
            _ => Self::for_text(),
        }
    }

    /// The shell for a text that does not say what it is for.
    pub(crate) fn for_text() -> Self {
        let has_bash = Tool::Bash.on_path().is_some();
        if !has_bash && Tool::Sh.on_path().is_some() { Self::Sh } else { Self::Bash }
    }

    fn tool(self) -> Tool {
        match self {
            Self::Bash => Tool::Bash,
            Self::Sh => Tool::Sh,
            Self::Pwsh => Tool::Pwsh,
            Self::PowerShell => Tool::PowerShell,
            Self::Cmd => Tool::Cmd,
        }
    }

    /// The ending that the shell wants of a file.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Bash | Self::Sh => ".sh",
            Self::Pwsh | Self::PowerShell => ".ps1",
            Self::Cmd => ".cmd",
        }
    }

    /// An inline script as it goes into a file: with the line ends that the shell wants, and for PowerShell with the frame that
    /// Azure Pipelines' own task gives it, so that an error, or a program that fails last, fails the script.
    pub(crate) fn file_text(self, script: &str) -> String {
        let unix = script.replace("\r\n", "\n");
        match self {
            Self::Bash | Self::Sh => unix,
            Self::Cmd => format!("@echo off\n{unix}\n").replace('\n', "\r\n"),
            // Windows PowerShell takes a file without a mark for one in the machine's code page.
            Self::Pwsh | Self::PowerShell => format!(
                "\u{feff}$ErrorActionPreference = 'Stop'\n{unix}\nif (Test-Path -LiteralPath variable:\\LASTEXITCODE) {{ exit $LASTEXITCODE }}\n"
            ),
        }
    }

    /// The program that runs `file` with these arguments.
    ///
    /// # Errors
    /// When the shell is not on this agent.
    pub(crate) fn program(self, file: &Path, arguments: &[String]) -> Result<Program> {
        let options: &[&str] = match self {
            Self::Bash => &["--noprofile", "--norc"],
            Self::Sh => &[],
            Self::Pwsh => &["-NoLogo", "-NoProfile", "-NonInteractive", "-File"],
            Self::PowerShell => {
                &["-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Unrestricted", "-File"]
            }
            Self::Cmd => &["/D", "/E:ON", "/V:OFF", "/S", "/C"],
        };
        let mut all: Vec<OsString> = options.iter().map(OsString::from).collect();
        let mut raw_arguments = None;
        if self == Self::Cmd {
            raw_arguments = Some(cmd_line(file, arguments));
        } else {
            all.push(file.as_os_str().to_owned());
            all.extend(arguments.iter().map(OsString::from));
        }
        Ok(Program {
            described: "the script".to_owned(),
            file: self.tool().find()?,
            arguments: all,
            raw_arguments,
            folder: None,
            fail_on_standard_error: false,
        })
    }
}

/// `cmd /S /C` takes away the outer quotes and leaves the rest as it is.
fn cmd_line(file: &Path, arguments: &[String]) -> OsString {
    let mut line = OsString::from("\"CALL \"");
    line.push(file);
    line.push("\"");
    for argument in arguments {
        line.push(" \"");
        line.push(argument.replace('"', "\"\""));
        line.push("\"");
    }
    line.push("\"");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_ending_says_the_shell() {
        for (file, shell) in [
            ("deploy.ps1", Shell::Pwsh),
            ("deploy.CMD", Shell::Cmd),
            ("deploy.bat", Shell::Cmd),
            ("deploy.sh", Shell::Bash),
            ("deploy", Shell::Bash),
        ] {
            assert_eq!(Shell::for_file(Path::new(file)), shell, "{file}");
        }
    }

    #[test]
    fn inline_texts_get_the_line_ends_of_their_shell() {
        assert_eq!(Shell::Bash.file_text("a\r\nb\n"), "a\nb\n");
        assert_eq!(Shell::Cmd.file_text("a\nb"), "@echo off\r\na\r\nb\r\n");
        assert!(Shell::Pwsh.file_text("a").starts_with("\u{feff}$ErrorActionPreference = 'Stop'\na\n"));
    }

    #[test]
    fn cmd_gets_one_line_of_its_own_quoting() {
        let line = cmd_line(Path::new("C:\\a b\\x.cmd"), &["one two".to_owned(), "say \"hi\"".to_owned()]);
        assert_eq!(line, "\"CALL \"C:\\a b\\x.cmd\" \"one two\" \"say \"\"hi\"\"\"\"");
    }
}
