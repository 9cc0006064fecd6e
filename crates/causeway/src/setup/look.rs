use std::time::{Duration, SystemTime};

use anyhow::Result;
use causeway_setup::Setup;
use causeway_setup::check::{Finding, Severity, check as judge};
use causeway_setup::inventory::{self, Authentication, Entry};
use causeway_setup::plan::observe_azure_devops;
use serde_json::json;

use super::screen::{Colour, Screen};
use super::sides::Sides;
use super::{FINE, NOT_FINE};

/// How long to wait before each further look at what was just done: IAM answers with older states for a while ("IAM is eventually
/// consistent", IAM User Guide, "Troubleshooting IAM").
const WAITS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// `setup check`.
pub(super) async fn check(sides: &Sides, setup: &Setup, screen: &mut Screen) -> Result<u8> {
    let findings = find(sides, setup).await;
    say(setup, &findings, screen)
}

/// The same right after `apply`: problems are said only if they stay.
pub(super) async fn check_what_was_done(sides: &Sides, setup: &Setup, screen: &mut Screen) -> Result<u8> {
    let mut findings = find(sides, setup).await;
    for wait in WAITS {
        if !has_problem(&findings) {
            break;
        }
        tokio::time::sleep(wait).await;
        findings = find(sides, setup).await;
    }
    say(setup, &findings, screen)
}

async fn find(sides: &Sides, setup: &Setup) -> Vec<Finding> {
    judge(setup, &sides.see(setup).await, SystemTime::now())
}

fn has_problem(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Problem)
}

fn say(setup: &Setup, findings: &[Finding], screen: &mut Screen) -> Result<u8> {
    let code = if has_problem(findings) { NOT_FINE } else { FINE };
    if screen.is_json() {
        screen.json(&json!({ "setup": setup.id, "findings": findings }))?;
        return Ok(code);
    }
    for finding in findings {
        let (colour, word) = match finding.severity {
            Severity::Problem => (Colour::Red, "Problem"),
            Severity::Warning => (Colour::Yellow, "Warning"),
        };
        let place = if finding.place.is_empty() { String::new() } else { format!(" ({})", finding.place) };
        screen.line(colour, &format!("{word}: {}{place}: {}", finding.subject, finding.cause))?;
        screen.line(Colour::Plain, &format!("  To do: {}. [{}]", finding.cure, finding.code))?;
    }
    let words = match (code, findings.is_empty()) {
        (FINE, true) => "Everything lines up: pipelines that use these connections get their roles.",
        (FINE, false) => "Pipelines that use these connections get their roles; see to the warnings.",
        _ => "Not everything lines up.",
    };
    screen.line(if code == FINE { Colour::Green } else { Colour::Red }, words)?;
    Ok(code)
}

/// `setup list`.
pub(super) async fn list(sides: &Sides, setup: &Setup, screen: &mut Screen) -> Result<u8> {
    let state = observe_azure_devops(&sides.clients.azure_devops, setup).await?;
    let entries = inventory::list(setup, &state.endpoints);
    if screen.is_json() {
        screen.json(&json!({ "setup": setup.id, "connections": entries }))?;
        return Ok(FINE);
    }
    if entries.is_empty() {
        screen.line(Colour::Plain, "The project has no connections of the types Causeway and AWS.")?;
        return Ok(FINE);
    }
    let head = ["name", "type", "authenticates by", "role", "this set-up's"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(entries.iter().map(row));
    screen.table(&rows)?;
    for entry in entries.iter().filter(|entry| entry.long_lived_key) {
        let key = entry.access_key.as_deref().unwrap_or_default();
        screen.line(
            Colour::Yellow,
            &format!(
                "Connection {} stores the long-lived access key {key}: name it under connections with convert: true to have it federated.",
                entry.name
            ),
        )?;
    }
    Ok(FINE)
}

fn row(entry: &Entry) -> Vec<String> {
    let key = entry.access_key.as_deref().unwrap_or_default();
    let how = match entry.authentication {
        Authentication::Federated => "OIDC".to_owned(),
        Authentication::AccessKey => format!("access key {key}"),
        Authentication::Contradictory => format!("OIDC and access key {key}"),
        Authentication::Agent => "the agent's credentials".to_owned(),
    };
    let managed = if entry.managed { "yes" } else { "no" };
    vec![
        entry.name.clone(),
        entry.kind.clone(),
        how,
        entry.role.clone().unwrap_or_default(),
        managed.to_owned(),
    ]
}
