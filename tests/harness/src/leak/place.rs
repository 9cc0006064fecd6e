//! Where a step can leave a secret, and who may have it there.

use super::{Holder, Search};
use crate::agent::{Command, JobResult, Seen, StepResult};

impl Search<'_> {
    pub(super) fn steps(&mut self, job: &JobResult) {
        let mut handed_over = Vec::new();
        for step in &job.steps {
            let place = |what: &str| format!("{what} of \"{}\"", step.display_name);
            self.find(&step.log, &place("the masked log"));
            for issue in &step.issues {
                self.find(&issue.message, &place("an issue"));
            }
            for summary in &step.summaries {
                self.find(summary, &place("a summary"));
            }
            if step.is_task {
                self.output(step, &place("the output"), &mut handed_over);
            }
            for seen in &step.processes {
                self.process(step, seen);
            }
        }
    }

    /// A value may stand in the command that hands it over as a secret, and after that in `task.setvariable`.
    fn output(&mut self, step: &StepResult, place: &str, handed_over: &mut Vec<String>) {
        for (number, line) in step.lines.iter().enumerate() {
            let command = Command::parse(&line.text, true);
            let hands_over = command.as_ref().is_some_and(hands_over);
            let sets = command.as_ref().is_some_and(|command| command.is("task", "setvariable"));
            for at in self.index.found_in(&line.text) {
                let form = &self.forms[at];
                if hands_over {
                    handed_over.push(form.text.clone());
                } else if !(sets && handed_over.iter().any(|known| known.contains(&form.text))) {
                    self.leaks.push(form.leak(&format!("line {} of {place}", number + 1)));
                }
            }
        }
    }

    /// What a script step's own author passes on the command line is the author's; what a task does there is not.
    fn process(&mut self, step: &StepResult, seen: &Seen) {
        let program: String = seen.arguments.join(" ").chars().take(60).collect();
        let place = |what: &str| format!("{what} of \"{}\": {program}", step.display_name);
        if step.is_task || seen.is_stranger {
            self.find(&seen.arguments.join("\n"), &place("a command line"));
        }
        if is_the_tasks_own(step, seen) {
            return;
        }
        let environment = seen.environment.join("\n");
        let holds = |holder: Holder| match holder {
            Holder::Nobody => false,
            Holder::ScriptSteps => !step.is_task && !seen.is_stranger,
            Holder::Programs => !seen.is_stranger,
        };
        self.find_for(&environment, &place("the environment"), |form| !holds(form.holder));
    }
}

/// Node, and the binary that it starts: the agent gives them everything in their environment.
fn is_the_tasks_own(step: &StepResult, seen: &Seen) -> bool {
    let program = seen.arguments.first().map_or("", |program| program.rsplit('/').next().unwrap_or_default());
    let command = seen.arguments.get(1).map(String::as_str);
    let binary = program == "causeway" && matches!(command, Some("task" | "cleanup"));
    let shim = program == "node" && seen.arguments.len() == 2;
    step.is_task && !seen.is_stranger && (binary || shim)
}

/// Whether a command is the hand-over of a secret to the agent itself.
fn hands_over(command: &Command) -> bool {
    command.is("task", "setsecret")
        || (command.flag("issecret")
            && (command.is("task", "setvariable") || command.is("task", "settaskvariable")))
}
