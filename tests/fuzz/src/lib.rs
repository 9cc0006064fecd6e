//! What must hold for any input at all. Each target takes bytes and panics when something does not hold; `fuzz/` gives them to
//! libFuzzer, `tests/seeded.rs` to a seeded mutation of examples.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the finding")]

// The agent's side of logging commands, without the rest of the harness, which libFuzzer would have to carry.
#[allow(dead_code, unreachable_pub, reason = "the harness uses more of it")]
#[path = "../../harness/src/agent/command.rs"]
mod command;
mod connection;
mod docker;
mod glob;
mod host;
mod logging;
mod token;
mod trust;

/// A target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Takes an input; panics when something does not hold.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub examples: &'static [&'static str],
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target { name: "logging", run: logging::run, examples: logging::EXAMPLES },
    Target { name: "connection", run: connection::run, examples: connection::EXAMPLES },
    Target { name: "trust", run: trust::run, examples: trust::EXAMPLES },
    Target { name: "token", run: token::run, examples: token::EXAMPLES },
    Target { name: "host", run: host::run, examples: host::EXAMPLES },
    Target { name: "glob", run: glob::run, examples: glob::EXAMPLES },
    Target { name: "docker", run: docker::run, examples: docker::EXAMPLES },
];

fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}
