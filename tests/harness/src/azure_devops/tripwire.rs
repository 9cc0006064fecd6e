use std::sync::{Arc, Mutex};

/// Stops everything at one call that changes something: the client that waits there can be killed "at every step".
///
/// It counts the changing calls of Azure DevOps and IAM together. From the one at which it trips on nothing is answered.
#[derive(Debug, Clone, Default)]
pub struct Tripwire {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    armed: Option<(usize, Moment)>,
    tripped: bool,
    changes: Vec<String>,
}

/// Whether the call at which it trips still has its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It never arrives.
    Before,
    /// It is carried out, but nobody hears of it.
    After,
}

/// What is to become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Hold,
    CarryOutAndHold,
}

impl Tripwire {
    /// Trips at the changing call of this number, from 0.
    pub fn arm(&self, at: usize, moment: Moment) {
        *self.state.lock().unwrap() = State { armed: Some((at, moment)), ..State::default() };
    }

    /// Lets everything pass, and counts anew.
    pub fn disarm(&self) {
        *self.state.lock().unwrap() = State::default();
    }

    /// Whether a call was stopped.
    #[must_use]
    pub fn is_tripped(&self) -> bool {
        self.state.lock().unwrap().tripped
    }

    /// The changing calls since it was armed or disarmed.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        self.state.lock().unwrap().changes.clone()
    }

    pub(crate) fn judge(&self, call: &str, changes: bool) -> Verdict {
        let mut state = self.state.lock().unwrap();
        if state.tripped {
            return Verdict::Hold;
        }
        if !changes {
            return Verdict::Pass;
        }
        let number = state.changes.len();
        state.changes.push(call.to_owned());
        match state.armed {
            Some((at, moment)) if at == number => {
                state.tripped = true;
                if moment == Moment::Before { Verdict::Hold } else { Verdict::CarryOutAndHold }
            }
            _ => Verdict::Pass,
        }
    }
}
