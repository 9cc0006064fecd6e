use anyhow::Result;
use causeway_setup::plan::{Change, Plan, Step};

use super::screen::{Colour, Screen};

/// Shows a plan: place by place, thing by thing, line by line.
pub(super) fn show(plan: &Plan, screen: &mut Screen) -> Result<()> {
    let mut place = "";
    for step in &plan.steps {
        if step.place != place {
            place = &step.place;
            screen.line(Colour::Bold, place)?;
        }
        screen.line(colour(step.change), &format!("  {} {}", sign(step.change), title(step)))?;
        for detail in &step.details {
            screen.line(detail_colour(detail), &format!("      {detail}"))?;
        }
    }
    for note in &plan.notes {
        screen.line(Colour::Yellow, &format!("Note: {note}"))?;
    }
    for obstacle in &plan.obstacles {
        screen.line(Colour::Red, &format!("In the way: {}: {}", obstacle.subject, obstacle.problem))?;
        screen.line(Colour::Plain, &format!("  To do: {}", obstacle.cure))?;
    }
    summary(plan, screen)
}

fn summary(plan: &Plan, screen: &mut Screen) -> Result<()> {
    let count = |change: Change| plan.steps.iter().filter(|step| step.change == change).count();
    if plan.is_empty() && plan.obstacles.is_empty() {
        return screen.line(Colour::Green, "Nothing to change.");
    }
    let counts = format!(
        "{} to create, {} to change, {} to delete.",
        count(Change::Create),
        count(Change::Update),
        count(Change::Delete)
    );
    screen.line(Colour::Bold, &counts)
}

/// The thing and what of it.
pub(super) fn title(step: &Step) -> String {
    if step.part.is_empty() { step.subject.clone() } else { format!("{}: {}", step.subject, step.part) }
}

fn sign(change: Change) -> &'static str {
    match change {
        Change::Create => "+",
        Change::Update => "~",
        Change::Delete => "-",
    }
}

fn colour(change: Change) -> Colour {
    match change {
        Change::Create => Colour::Green,
        Change::Update => Colour::Yellow,
        Change::Delete => Colour::Red,
    }
}

fn detail_colour(detail: &str) -> Colour {
    match detail.chars().next() {
        Some('+') => Colour::Green,
        Some('-') => Colour::Red,
        _ => Colour::Dim,
    }
}
