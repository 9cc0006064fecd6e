//! What the agent does with each line of a step's output (`WorkerCommandManager.cs`, `TaskCommandExtension.cs`).

use std::fmt::Write;

use super::command::escape;
use super::variables::{Variable, Variables};
use super::{Command, Issue, Line, Masker, Outcome, StepResult, TaskFolder};

/// What the steps of a job share and change.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// As they were set, macros and all.
    pub(super) variables: Variables,
    pub(super) masker: Masker,
    pub(super) prepended: Vec<String>,
}

impl Shared {
    /// The knob `DECODE_PERCENTS`: on unless the job turns it off.
    pub(super) fn decodes_percents(&self) -> bool {
        let text = self.variables.value("DECODE_PERCENTS").unwrap_or_default().to_lowercase();
        text.is_empty() || ["1", "true", "$true"].contains(&text.as_str())
    }
}

/// A step while it runs.
pub(super) struct Running<'a> {
    pub(super) shared: &'a mut Shared,
    pub(super) task: Option<&'a TaskFolder>,
    pub(super) task_variables: &'a mut Variables,
    pub(super) result: StepResult,
    /// What `task.complete` says.
    pub(super) completed: Option<Outcome>,
    /// A command that the agent refused fails the step.
    pub(super) refused: bool,
}

impl Running<'_> {
    /// Takes one line of output.
    pub(super) fn take(&mut self, line: Line) {
        match Command::parse(&line.text, self.shared.decodes_percents()) {
            Some(command) => self.obey(command, &line.text),
            None => {
                if line.text.contains("##vso") {
                    self.issue(
                        false,
                        format!("\"{}\" contains the keyword ##vso but is no command", line.text),
                    );
                }
                self.log(&line.text);
            }
        }
        self.result.lines.push(line);
    }

    /// Writes to the masked log.
    pub(super) fn log(&mut self, text: &str) {
        let masked = self.shared.masker.mask(text);
        let _ = writeln!(self.result.log, "{masked}");
    }

    pub(super) fn issue(&mut self, is_error: bool, message: String) {
        self.log(&format!("##[{}]{message}", if is_error { "error" } else { "warning" }));
        self.result.issues.push(Issue { is_error, message });
    }

    fn obey(&mut self, command: Command, line: &str) {
        if !command.area.eq_ignore_ascii_case("task") {
            // Other areas (build, artifact, …) are real, but none of ours.
            self.result.commands.push(command);
            return;
        }
        if let Err(reason) = self.execute(&command) {
            self.issue(true, format!("Unable to process command '{line}' successfully."));
            self.issue(true, reason);
            self.refused = true;
        }
        self.result.commands.push(command);
    }

    fn execute(&mut self, command: &Command) -> Result<(), String> {
        let data = command.data.as_str();
        match command.event.to_lowercase().as_str() {
            "setsecret" => self.add_secret(data),
            "setvariable" => self.set_variable(command)?,
            "settaskvariable" => self.set_task_variable(command)?,
            "logissue" => self.log_issue(command)?,
            "complete" => self.complete(command)?,
            "setprogress" => {
                let value = command.property("value").and_then(|text| text.trim().parse::<i64>().ok());
                self.result.progress = Some(u8::try_from(value.unwrap_or(0).clamp(0, 100)).unwrap_or(0));
            }
            "prependpath" if data.is_empty() => return Err("Argument 'prependpath' must not be empty".into()),
            "prependpath" => {
                self.shared.prepended.retain(|folder| folder != data);
                self.shared.prepended.push(data.to_owned());
            }
            "uploadsummary" => {
                let content = std::fs::read_to_string(data)
                    .map_err(|error| format!("Cannot upload the summary file {data}: {error}"))?;
                self.result.summaries.push(content);
            }
            "debug" | "uploadfile" | "addattachment" | "logdetail" | "setendpoint" => {}
            other => return Err(format!("##vso[task.{other}] is not a recognized command for Task")),
        }
        Ok(())
    }

    fn set_variable(&mut self, command: &Command) -> Result<(), String> {
        let name = command.property("variable").ok_or("Required field 'variable' is missing")?;
        let (is_secret, is_output) = (command.flag("issecret"), command.flag("isoutput"));
        if self.shared.variables.get(name).is_some_and(|known| known.read_only) {
            return Err(format!("Overwriting readonly variable '{name}' is not permitted."));
        }
        let data = &command.data;
        if is_secret {
            check_is_one_line(data)?;
            let escaped = escape(data, self.shared.decodes_percents());
            self.add_secret(&escaped);
            self.shared.masker.add(data);
        }
        let is_output = is_output || self.task.is_some_and(|task| task.declares_output(name));
        let name = if is_output { format!("{}.{name}", self.result.name) } else { name.to_owned() };
        let read_only = command.flag("isreadonly") || command.flag("isoutput");
        self.shared.variables.set(Variable { name, value: data.clone(), secret: is_secret, read_only });
        Ok(())
    }

    fn set_task_variable(&mut self, command: &Command) -> Result<(), String> {
        let name = command.property("variable").ok_or("Required field 'variable' is missing")?;
        if self.task_variables.get(name).is_some_and(|known| known.read_only) {
            return Err(format!("Overwriting readonly task variable '{name}' is not permitted."));
        }
        let secret = command.flag("issecret");
        if secret {
            check_is_one_line(&command.data)?;
            self.shared.masker.add(&command.data);
        }
        self.task_variables.set(Variable {
            name: name.to_owned(),
            value: command.data.clone(),
            secret,
            read_only: command.flag("isreadonly"),
        });
        Ok(())
    }

    fn log_issue(&mut self, command: &Command) -> Result<(), String> {
        let is_error = match command.property("type").unwrap_or_default().to_lowercase().as_str() {
            "error" => true,
            "warning" => false,
            other => return Err(format!("Issue type {other} is not an expected issue type")),
        };
        self.issue(is_error, command.data.clone());
        Ok(())
    }

    fn complete(&mut self, command: &Command) -> Result<(), String> {
        let text = command.property("result").unwrap_or_default();
        let outcome = Outcome::parse(text).ok_or("Command doesn't have valid result value")?;
        self.completed = Some(Outcome::merged(self.completed, outcome));
        Ok(())
    }

    /// With percents not decoded, the agent masks the decoded form too.
    fn add_secret(&mut self, value: &str) {
        self.shared.masker.add(value);
        if !self.shared.decodes_percents() {
            self.shared.masker.add(&super::command::unescape(value, true));
        }
    }
}

fn check_is_one_line(value: &str) -> Result<(), String> {
    if value.contains('\n') {
        return Err("Secrets cannot contain multiple lines".into());
    }
    Ok(())
}
