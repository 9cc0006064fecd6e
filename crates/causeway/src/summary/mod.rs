//! The job summary: one Markdown file a step, which Azure Pipelines shows on the run's page.
//!
//! The agent uploads it as it is, without masking. So a summary takes names, numbers and digests, and never a value that
//! could be secret; what it takes is printed as literal text, whatever stands in it, and what the log masks is masked here.

mod hidden;
mod markdown;

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use causeway_identity::Session;

use crate::files;
use crate::identity::utc;
use crate::step::Step;
use hidden::Hidden;
use markdown::Table;

/// What the step has done so far, for its summary. Commands add to it as they go.
#[derive(Default)]
pub(crate) struct Summary(Mutex<Facts>);

#[derive(Default)]
struct Facts {
    about: Vec<(&'static str, String)>,
    images: Vec<[String; 2]>,
    variables: Vec<[String; 2]>,
}

impl Summary {
    /// Who the step is for AWS, and until when.
    pub(crate) fn signed_in(&self, session: &Session) {
        let caller = &session.caller;
        self.fact("AWS account", caller.account.as_str());
        self.fact("Caller", &caller.arn);
        if let Some((role, name)) = role_session(&caller.arn) {
            self.fact("Role", role);
            self.fact("Session", name);
        }
        if let Some(seconds) = session.expires_at {
            self.fact("Valid until", &utc(seconds));
        }
    }

    /// Something that the step did once, such as the registry that it logged in to.
    pub(crate) fn fact(&self, label: &'static str, text: &str) {
        self.facts().about.push((label, text.to_owned()));
    }

    /// An image that was pushed, pulled or tagged.
    pub(crate) fn image(&self, uri: &str, digest: &str) {
        self.facts().images.push([uri.to_owned(), digest.to_owned()]);
    }

    /// A variable that was set, and the name of the parameter or secret that it holds. Never the value.
    pub(crate) fn variable(&self, read: &str, variable: &str) {
        self.facts().variables.push([read.to_owned(), variable.to_owned()]);
    }

    /// Objects that were transferred to or from `place`.
    pub(crate) fn objects(&self, label: &'static str, place: &str, count: usize, bytes: u64) {
        self.fact(label, &format!("{count} objects, {bytes} bytes, {place}"));
    }

    /// Objects or files that were deleted, where the step was to delete any.
    pub(crate) fn deleted(&self, count: usize) {
        self.fact("Deleted", &count.to_string());
    }

    /// A parameter or secret that was written, by name, and its new version.
    pub(crate) fn stored(&self, name: &str, version: &str) {
        self.fact("Stored", &format!("{name}, version {version}"));
    }

    /// Shows the summary on the run's page. That it cannot be shown is no failure of the step.
    pub(crate) fn publish(&self, step: &Step, command: &str, succeeded: bool) {
        if self.facts().about.is_empty() {
            return;
        }
        match self.write(step, command, succeeded) {
            Ok(file) => step.console().upload_summary(&file.display().to_string()),
            Err(error) => step.console().warning(&format!("The job summary could not be written: {error:#}")),
        }
    }

    /// The page shows the file's name as a heading, so it lies in a folder of its own. It stays until the agent empties
    /// the temp folder after the job: the agent uploads it in the background.
    fn write(&self, step: &Step, command: &str, succeeded: bool) -> Result<PathBuf> {
        let folder = files::fresh_path(&step.temp_directory()?, "");
        let file = folder.join(format!("Causeway {command}.md"));
        std::fs::create_dir(&folder).context("its folder")?;
        std::fs::write(&file, self.markdown(succeeded, &Hidden::of(step))).context("its file")?;
        Ok(file)
    }

    fn markdown(&self, succeeded: bool, hidden: &Hidden) -> String {
        let facts = self.facts();
        let mut about = Table::of_facts(hidden);
        about.row(["Result", if succeeded { "succeeded" } else { "failed: the log says why" }]);
        for (label, text) in &facts.about {
            about.row([label, text]);
        }
        let mut page = about.into_text();
        for (heading, rows) in
            [(["Image", "Digest"], &facts.images), (["Read", "Into variable"], &facts.variables)]
        {
            if !rows.is_empty() {
                let mut table = Table::new(heading, hidden);
                rows.iter().for_each(|[first, second]| table.row([first, second]));
                // Writing to a String cannot fail.
                let _ = write!(page, "\n{}", table.into_text());
            }
        }
        page
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Role and session of `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
fn role_session(arn: &str) -> Option<(&str, &str)> {
    arn.split(':').nth(5)?.strip_prefix("assumed-role/")?.split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_what_was_done_and_nothing_else() {
        let summary = Summary::default();
        summary.fact("AWS account", "123456789012");
        summary.objects("Uploaded", "s3://web/releases", 3, 4096);
        summary.variable("/shop/token", "TOKEN");
        assert_eq!(
            summary.markdown(true, &Hidden::default()),
            "| Step |   |\n|:---|:---|\n\
             | Result | `succeeded` |\n\
             | AWS account | `123456789012` |\n\
             | Uploaded | `3 objects, 4096 bytes, s3://web/releases` |\n\
             \n| Read | Into variable |\n|:---|:---|\n\
             | `/shop/token` | `TOKEN` |\n"
        );
        assert!(summary.markdown(false, &Hidden::default()).contains("failed"));
    }

    #[test]
    fn role_and_session_come_from_an_assumed_roles_arn_only() {
        let assumed = "arn:aws:sts::123456789012:assumed-role/deploy/causeway-ci-7";
        assert_eq!(role_session(assumed), Some(("deploy", "causeway-ci-7")));
        assert_eq!(role_session("arn:aws:iam::123456789012:user/ci"), None);
        assert_eq!(role_session("nonsense"), None);
    }
}
