//! The kinds of fault, and what a failure under each may say.

use std::fmt;

use causeway_harness::agent::Cancel;
use causeway_harness::chaos::Mishap;
use causeway_harness::registry::Trouble;

use super::machine::Machine;

/// What goes wrong, as the issue names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Delay,
    Status429,
    Status500,
    Status503,
    Reset,
    Truncated,
    SlowLoris,
    Silence,
    NoName,
    DiskFull,
    Clock,
    Kill,
    Interrupt,
    Terminate,
}

impl Kind {
    pub(super) const ALL: [Self; 14] = [
        Self::Delay,
        Self::Status429,
        Self::Status500,
        Self::Status503,
        Self::Reset,
        Self::Truncated,
        Self::SlowLoris,
        Self::Silence,
        Self::NoName,
        Self::DiskFull,
        Self::Clock,
        Self::Kill,
        Self::Interrupt,
        Self::Terminate,
    ];

    pub(super) fn of_mishap(mishap: &Mishap) -> Self {
        match mishap {
            Mishap::Delay(_) => Self::Delay,
            Mishap::Answer(429) => Self::Status429,
            Mishap::Answer(503) => Self::Status503,
            Mishap::Answer(_) => Self::Status500,
            Mishap::ResetBefore | Mishap::ResetAfter => Self::Reset,
            Mishap::Truncate => Self::Truncated,
            Mishap::Drip(_) => Self::SlowLoris,
            Mishap::Silent => Self::Silence,
        }
    }

    pub(super) fn of_trouble(trouble: &Trouble) -> Self {
        match trouble {
            Trouble::Answer(429, _) => Self::Status429,
            Trouble::Answer(503, _) => Self::Status503,
            Trouble::Answer(..) => Self::Status500,
            Trouble::Delay(_) => Self::Delay,
            Trouble::Silent => Self::Silence,
            Trouble::CutAnswer(_) => Self::Truncated,
            _ => Self::Reset,
        }
    }

    pub(super) fn of_machine(machine: &Machine) -> Option<Self> {
        Some(match machine {
            Machine::Well | Machine::Silent(_) => return None,
            Machine::NoName(_) => Self::NoName,
            Machine::DiskFull(_) => Self::DiskFull,
            Machine::Clock(_) => Self::Clock,
            Machine::Struck(Cancel::Killed(_)) => Self::Kill,
            Machine::Struck(Cancel::Terminated(_)) => Self::Terminate,
            Machine::Struck(_) => Self::Interrupt,
        })
    }

    /// The words of a cause that fits, in lower case: a failure under this kind has one of them.
    pub(super) fn causes(self) -> &'static [&'static str] {
        match self {
            // No answer is late enough to fail anything by itself but the identity, which has its own deadline.
            Self::Delay | Self::SlowLoris => &["within 15 seconds", "deadline of 15 seconds"],
            Self::Status429 => &["429", "too many requests", "throttl", "slow down"],
            Self::Status500 => &["500", "internal server error", "internal error"],
            Self::Status503 => &["503", "service unavailable"],
            Self::Reset => &["reset", "closed", "broken pipe", "broke off", "eof"],
            Self::Truncated => &["closed", "broke off", "cut", "eof", "incomplete", "ended early"],
            Self::Silence => &["timed out", "no answer", "within"],
            Self::NoName => {
                &["dns", "name or service not known", "resolve", "opens no connection", "bad gateway"]
            }
            Self::DiskFull => &["no space left", "disk"],
            Self::Clock => &["clock", "not yet valid", "not yet current", "expired"],
            Self::Kill | Self::Interrupt | Self::Terminate => {
                &["ended by signal", "cancel", "sigterm", "sigint"]
            }
        }
    }

    /// What a failure says under this kind alone; under none of the others may it be told.
    pub(super) fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Status429 => &["http 429"],
            Self::Status500 => &["http 500"],
            Self::Status503 => &["http 503"],
            Self::NoName => &["lookup address", "name or service"],
            Self::DiskFull => &["no space left", "enospc"],
            Self::Clock => &["clock", "signature expired", "not yet valid", "not yet current"],
            _ => &[],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Delay => "delay",
            Self::Status429 => "429",
            Self::Status500 => "500",
            Self::Status503 => "503",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::SlowLoris => "slow loris",
            Self::Silence => "no answer",
            Self::NoName => "no name",
            Self::DiskFull => "disk full",
            Self::Clock => "clock",
            Self::Kill => "SIGKILL",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}
