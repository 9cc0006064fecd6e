use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use causeway_agent::neutralise;

/// The exit code of what went wrong, and of a question that stays open.
pub(super) const FAILED: u8 = 2;

/// The only writer of the terminal's commands. What it says is neutralised, for it may stand in a pipeline's log; what
/// is written has been made harmless where it was generated.
pub(super) struct Terminal {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { out: Box::new(std::io::stdout()), err: Box::new(std::io::stderr()) }
    }

    /// Words for the reader, on standard output.
    pub(super) fn say(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{}", neutralise(text)).context("standard output")
    }

    /// The text that was asked for, on standard output.
    pub(super) fn write(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).context("standard output")
    }

    /// Words beside that text, on standard error.
    pub(super) fn note(&mut self, text: &str) {
        // Nobody is left to tell.
        let _ = writeln!(self.err, "causeway: {}", neutralise(text));
    }

    pub(super) fn complain(&mut self, error: &anyhow::Error) {
        self.note(&format!("{error:#}"));
    }
}

/// The text of a file, or of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}
