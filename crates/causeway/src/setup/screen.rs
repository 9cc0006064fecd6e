use std::io::{IsTerminal, Write};

use anyhow::{Context, Result};
use causeway_agent::neutralise;
use serde::Serialize;

/// A colour of the terminal ("Select Graphic Rendition", ECMA-48).
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
}

impl Colour {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
        }
    }
}

/// The only writer of this command: words for a person with colours where a terminal shows them, or JSON.
pub(super) struct Screen {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    json: bool,
    colours: bool,
}

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        let colours = std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { out: Box::new(std::io::stdout()), err: Box::new(std::io::stderr()), json, colours }
    }

    /// Whether machines read.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// A line for a person. What comes from outside is made harmless before colours are put around it.
    pub(super) fn line(&mut self, colour: Colour, text: &str) -> Result<()> {
        if self.json {
            return Ok(());
        }
        let text = neutralise(text);
        let painted = match colour {
            Colour::Plain => text,
            _ if !self.colours => text,
            colour => format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code()),
        };
        writeln!(self.out, "{painted}").context("standard output")
    }

    /// Columns, each as wide as its widest cell.
    pub(super) fn table(&mut self, rows: &[Vec<String>]) -> Result<()> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            let text = cells.collect::<Vec<_>>().join("  ");
            self.line(if number == 0 { Colour::Bold } else { Colour::Plain }, text.trim_end())?;
        }
        Ok(())
    }

    /// A question, and whether the answer is yes.
    pub(super) fn asks(&mut self, question: &str) -> Result<bool> {
        write!(self.out, "{} [y/N] ", neutralise(question))
            .and_then(|()| self.out.flush())
            .context("standard output")?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).context("standard input")?;
        if !self.colours {
            writeln!(self.out).context("standard output")?;
        }
        Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
    }

    /// One JSON document.
    pub(super) fn json(&mut self, document: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(document).context("JSON")?;
        writeln!(self.out, "{}", without_commands(&text)).context("standard output")
    }

    /// Code that was asked for.
    pub(super) fn write(&mut self, text: &str) -> Result<()> {
        self.out
            .write_all(without_commands(text).as_bytes())
            .and_then(|()| self.out.flush())
            .context("standard output")
    }

    /// Words beside it, on standard error.
    pub(super) fn note(&mut self, text: &str) {
        // Nobody is left to tell.
        let _ = writeln!(self.err, "causeway: {}", neutralise(text));
    }

    pub(super) fn complain(&mut self, error: &anyhow::Error) {
        self.note(&crate::failure::describe(error));
        let refused =
            error.chain().find_map(|cause| cause.downcast_ref::<causeway_setup::AzureDevOpsError>());
        if let Some(refused) = refused {
            self.note(&format!("{}.", refused.hint()));
        }
    }
}

/// JSON, or HCL, in which nothing is a command to the agent (`##vso[…]`, `##[…]`): of two `#` in a text the second is written as
/// its escape, which both languages read as the same. What may weigh nothing to the agent does not part them.
fn without_commands(code: &str) -> String {
    let mut harmless = String::with_capacity(code.len());
    let mut after_hash = false;
    for character in code.chars() {
        match character {
            '#' if after_hash => harmless.push_str("\\u0023"),
            _ => harmless.push(character),
        }
        if character == '\n' || character.is_ascii() && !character.is_ascii_control() {
            after_hash = character == '#';
        }
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_no_command_and_says_the_same() {
        for text in ["##vso[task.complete]x", "####[error]", "#\u{200b}#vso[x]", "a # b", "#"] {
            let code = serde_json::to_string(text).unwrap();
            let harmless = without_commands(&code);
            assert!(!harmless.replace('\u{200b}', "").contains("##"), "{harmless}");
            assert_eq!(serde_json::from_str::<String>(&harmless).unwrap(), text);
        }
        assert_eq!(without_commands("# one\n# two\n"), "# one\n# two\n");
    }
}
