//! Looks for known secrets where none may be: the masked log, what tasks wrote, command lines and environments of processes,
//! and files that stay.

mod form;
mod index;
mod place;

use std::path::{Path, PathBuf};

pub use form::Form;
use index::Index;

use crate::agent::JobResult;

/// Who may have a secret in its environment beside the task's own processes, which get what the agent gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Nobody: the job's token, a connection's key.
    Nobody,
    /// Script steps, to which a pipeline hands it by `env:`: the value of a parameter.
    ScriptSteps,
    /// Script steps and the programs that a task starts for its user: a session's keys.
    Programs,
}

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
    /// Adds a secret that no environment but the task's own may hold. Values, and lines of a value, shorter than 4
    /// characters are not looked for.
    pub fn add(&mut self, name: &str, value: &str) {
        self.add_for(name, value, Holder::Nobody);
    }

    /// Adds a secret that others may have in their environment too.
    pub fn add_for(&mut self, name: &str, value: &str, holder: Holder) {
        self.forms.extend(form::forms(name, value, holder));
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
        let mut search = Search { index: Index::new(&self.forms), forms: &self.forms, leaks: Vec::new() };
        search.steps(job);
        search.files(job.root(), &self.ignored);
        search.leaks
    }

    /// Fails the test when something is found.
    ///
    /// # Panics
    /// With the list of what stood where.
    pub fn assert_none_in(&self, job: &JobResult) {
        let leaks = self.search(job);
        assert!(leaks.is_empty(), "secrets leaked:\n{}", listed(&leaks));
    }
}

/// One leak a line.
#[must_use]
pub fn listed(leaks: &[Leak]) -> String {
    let lines: Vec<String> =
        leaks.iter().map(|leak| format!("{} ({}) in {}", leak.secret, leak.form, leak.place)).collect();
    lines.join("\n")
}

/// A search under way.
struct Search<'a> {
    forms: &'a [Form],
    index: Index<'a>,
    leaks: Vec<Leak>,
}

impl Search<'_> {
    fn find(&mut self, text: &str, place: &str) {
        self.find_for(text, place, |_| true);
    }

    fn find_for(&mut self, text: &str, place: &str, counts: impl Fn(&Form) -> bool) {
        for at in self.index.found_in(text) {
            if counts(&self.forms[at]) {
                self.leaks.push(self.forms[at].leak(place));
            }
        }
    }

    fn files(&mut self, folder: &Path, ignored: &[PathBuf]) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if ignored.contains(&path) {
                continue;
            }
            self.find(&path.to_string_lossy(), &format!("the name of {}", path.display()));
            if kind.is_dir() {
                self.files(&path, ignored);
            } else if kind.is_file() {
                let content = std::fs::read(&path).unwrap_or_default();
                self.find(&String::from_utf8_lossy(&content), &path.display().to_string());
            }
        }
    }
}
