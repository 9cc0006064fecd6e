//! Looks for known secrets where none may be: the masked log, what tasks wrote, command lines, and files that stay.

mod form;

use std::path::{Path, PathBuf};

pub use form::Form;

use crate::agent::{Command, JobResult, StepResult};

/// The secrets of a test, each with a name for the report.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    forms: Vec<Form>,
    ignored: Vec<PathBuf>,
}

/// A secret that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The secret's name, not its value.
    pub secret: String,
    /// In which form it stood there.
    pub form: &'static str,
    /// Where.
    pub place: String,
}

impl Secrets {
    /// Adds a secret. Values, and lines of a value, shorter than 4 characters are not looked for.
    pub fn add(&mut self, name: &str, value: &str) {
        self.forms.extend(form::forms(name, value));
    }

    /// Takes a file or folder out of the search, for what the user asked to be written.
    #[must_use]
    pub fn ignoring(mut self, path: &Path) -> Self {
        self.ignored.push(path.to_owned());
        self
    }

    /// Looks everywhere; nothing found is an empty list.
    #[must_use]
    pub fn search(&self, job: &JobResult) -> Vec<Leak> {
        let mut leaks = Vec::new();
        let mut handed_over = Vec::new();
        for step in &job.steps {
            let place = |what: &str| format!("{what} of \"{}\"", step.display_name);
            self.find(&step.log, &place("the masked log"), &mut leaks);
            for issue in &step.issues {
                self.find(&issue.message, &place("an issue"), &mut leaks);
            }
            for summary in &step.summaries {
                self.find(summary, &place("a summary"), &mut leaks);
            }
            if step.is_task {
                self.search_output(step, &place("the output"), &mut handed_over, &mut leaks);
                for line in &step.command_lines {
                    self.find(&line.join("\n"), &place("a command line"), &mut leaks);
                }
            }
        }
        self.search_files(job.root(), &mut leaks);
        leaks
    }

    /// Fails the test when something is found.
    ///
    /// # Panics
    /// With the list of what stood where.
    pub fn assert_none_in(&self, job: &JobResult) {
        let leaks = self.search(job);
        let list: Vec<String> =
            leaks.iter().map(|leak| format!("{} ({}) in {}", leak.secret, leak.form, leak.place)).collect();
        assert!(leaks.is_empty(), "secrets leaked:\n{}", list.join("\n"));
    }

    fn find(&self, text: &str, place: &str, leaks: &mut Vec<Leak>) {
        for form in self.forms.iter().filter(|form| form.stands_in(text)) {
            leaks.push(form.leak(place));
        }
    }

    /// A value may stand in the command that hands it over as a secret, and after that in `task.setvariable`.
    fn search_output(
        &self,
        step: &StepResult,
        place: &str,
        handed_over: &mut Vec<String>,
        leaks: &mut Vec<Leak>,
    ) {
        for (number, line) in step.lines.iter().enumerate() {
            let command = Command::parse(&line.text, true);
            let hands_over = command.as_ref().is_some_and(hands_over);
            let sets = command.as_ref().is_some_and(|command| command.is("task", "setvariable"));
            for form in self.forms.iter().filter(|form| form.stands_in(&line.text)) {
                if hands_over {
                    handed_over.push(form.text.clone());
                } else if !(sets && handed_over.iter().any(|known| known.contains(&form.text))) {
                    leaks.push(form.leak(&format!("line {} of {place}", number + 1)));
                }
            }
        }
    }

    fn search_files(&self, folder: &Path, leaks: &mut Vec<Leak>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if self.ignored.contains(&path) {
                continue;
            }
            self.find(&path.to_string_lossy(), &format!("the name of {}", path.display()), leaks);
            if kind.is_dir() {
                self.search_files(&path, leaks);
            } else if kind.is_file() {
                let content = std::fs::read(&path).unwrap_or_default();
                self.find(&String::from_utf8_lossy(&content), &path.display().to_string(), leaks);
            }
        }
    }
}

/// Whether a command is the hand-over of a secret to the agent itself.
fn hands_over(command: &Command) -> bool {
    command.is("task", "setsecret")
        || (command.flag("issecret")
            && (command.is("task", "setvariable") || command.is("task", "settaskvariable")))
}
