use anyhow::{Result, ensure};
use causeway_setup::Setup;
use causeway_setup::plan::{self, Observed, Plan, Step};
use causeway_setup::run::{self, Progress, StepError, Stopped};
use serde_json::{Value, json};

use super::screen::{Colour, Screen};
use super::sides::Sides;
use super::{Arguments, FAILED, FINE, NOT_FINE, ask};

/// `setup plan`.
pub(super) async fn plan(
    sides: &Sides,
    setup: &Setup,
    arguments: &Arguments,
    exit_code: bool,
    screen: &mut Screen,
) -> Result<u8> {
    let observed = sides.observe(setup).await?;
    let plan = plan::apply(setup, &observed, arguments.prune);
    if screen.is_json() {
        screen.json(&document(setup, &plan))?;
    } else {
        ask::show(&plan, screen)?;
    }
    Ok(match plan.obstacles.is_empty() {
        false => FAILED,
        true if exit_code && !plan.is_empty() => NOT_FINE,
        true => FINE,
    })
}

/// How `setup apply` ended.
pub(super) struct Applied {
    pub(super) code: u8,
    /// Whether the plan had a step.
    pub(super) had_steps: bool,
}

/// `setup apply`.
pub(super) async fn apply(
    sides: &Sides,
    setup: &Setup,
    arguments: &Arguments,
    screen: &mut Screen,
) -> Result<Applied> {
    let observed = sides.observe(setup).await?;
    let plan = plan::apply(setup, &observed, arguments.prune);
    if !plan.obstacles.is_empty() {
        return Ok(Applied { code: refuse(setup, &plan, screen)?, had_steps: false });
    }
    let code = carry_out(sides, setup, &observed, &plan, arguments, screen).await?;
    Ok(Applied { code, had_steps: !plan.is_empty() })
}

/// `setup remove`: what is in the way of one thing does not keep the others.
pub(super) async fn remove(
    sides: &Sides,
    setup: &Setup,
    arguments: &Arguments,
    screen: &mut Screen,
) -> Result<u8> {
    let observed = sides.observe(setup).await?;
    let plan = plan::remove(setup, &observed);
    let code = carry_out(sides, setup, &observed, &plan, arguments, screen).await?;
    Ok(if code == FINE && !plan.obstacles.is_empty() { NOT_FINE } else { code })
}

fn refuse(setup: &Setup, plan: &Plan, screen: &mut Screen) -> Result<u8> {
    if screen.is_json() {
        screen.json(&document(setup, plan))?;
    } else {
        ask::show(plan, screen)?;
        screen.line(Colour::Red, "Nothing was changed.")?;
    }
    Ok(FAILED)
}

async fn carry_out(
    sides: &Sides,
    setup: &Setup,
    observed: &Observed,
    plan: &Plan,
    arguments: &Arguments,
    screen: &mut Screen,
) -> Result<u8> {
    ensure!(!screen.is_json() || arguments.yes || plan.is_empty(), "--json asks nobody: say --yes with it");
    ask::show(plan, screen)?;
    if !plan.is_empty() && !arguments.yes && !screen.asks("Do this?")? {
        screen.line(Colour::Yellow, "Nothing was changed.")?;
        return Ok(NOT_FINE);
    }
    let ended = run::run(&sides.clients, &observed.azure_devops, plan, &mut Watcher { screen }).await;
    match ended {
        Ok(()) => {
            done(setup, plan, screen)?;
            Ok(FINE)
        }
        Err(stopped) => {
            half_way(setup, plan, &stopped, screen)?;
            Ok(FAILED)
        }
    }
}

struct Watcher<'a> {
    screen: &'a mut Screen,
}

impl Progress for Watcher<'_> {
    fn begins(&mut self, number: usize, all: usize, step: &Step) {
        // A closed pipe must not stop what has begun.
        let _ =
            self.screen.line(Colour::Dim, &format!("[{number}/{all}] {}: {}", step.place, ask::title(step)));
    }

    fn done(&mut self, _step: &Step) {}
}

fn done(setup: &Setup, plan: &Plan, screen: &mut Screen) -> Result<()> {
    if screen.is_json() {
        let mut document = document(setup, plan);
        document["done"] = json!(plan.steps.len());
        document["failed"] = Value::Null;
        return screen.json(&document);
    }
    if plan.is_empty() {
        return Ok(());
    }
    screen.line(Colour::Green, &format!("Done: {} of {}.", plan.steps.len(), plan.steps.len()))
}

/// What is done, what failed and why, what is not done.
fn half_way(setup: &Setup, plan: &Plan, stopped: &Stopped, screen: &mut Screen) -> Result<()> {
    let title = ask::title(&stopped.failed);
    let cure = match &stopped.error {
        StepError::AzureDevOps(error) => error.hint(),
        StepError::Aws(_) | StepError::Missing(_) => {
            "See to what AWS says; docs/setup.md lists the permissions that are needed"
        }
    };
    if screen.is_json() {
        let mut document = document(setup, plan);
        document["done"] = json!(stopped.done);
        document["failed"] = json!({
            "place": stopped.failed.place,
            "subject": stopped.failed.subject,
            "part": stopped.failed.part,
            "error": stopped.error.to_string(),
            "cure": cure,
        });
        return screen.json(&document);
    }
    screen.line(Colour::Red, &format!("Failed: {}: {title}: {}", stopped.failed.place, stopped.error))?;
    screen.line(
        Colour::Plain,
        &format!("  To do: {cure}, then run the same command again: it goes on from here."),
    )?;
    for (number, step) in plan.steps.iter().enumerate() {
        let (colour, word) = match number.cmp(&stopped.done) {
            std::cmp::Ordering::Less => (Colour::Green, "done    "),
            std::cmp::Ordering::Equal => (Colour::Red, "failed  "),
            std::cmp::Ordering::Greater => (Colour::Dim, "not done"),
        };
        screen.line(colour, &format!("  {word}  {}: {}", step.place, ask::title(step)))?;
    }
    Ok(())
}

fn document(setup: &Setup, plan: &Plan) -> Value {
    json!({ "setup": setup.id, "changes": plan.steps, "notes": plan.notes, "obstacles": plan.obstacles })
}
