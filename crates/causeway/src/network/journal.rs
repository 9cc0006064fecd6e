use std::sync::{Arc, Mutex, PoisonError};

/// Remembers how the last requests went. When signing in takes too long this is what the reader needs to know.
#[derive(Debug, Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    waiting_for: Option<Arc<str>>,
    fault: Option<String>,
}

impl Journal {
    /// A request leaves for `host`.
    pub(super) fn asked(&self, host: &Arc<str>) {
        self.change(|entries| entries.waiting_for = Some(host.clone()));
    }

    /// An answer came that is no fault.
    pub(super) fn answered(&self) {
        self.change(|entries| *entries = Entries::default());
    }

    /// The request failed, or its answer says that it did.
    pub(super) fn failed(&self, fault: String) {
        self.change(|entries| *entries = Entries { waiting_for: None, fault: Some(fault) });
    }

    /// The last fault, and whom an answer is still missing from.
    pub(super) fn last_fault(&self) -> Option<String> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&entries.fault, &entries.waiting_for) {
            (None, None) => None,
            (None, Some(host)) => Some(format!("{host} did not answer")),
            (Some(fault), None) => Some(fault.clone()),
            (Some(fault), Some(host)) => Some(format!("{fault}, and then {host} did not answer")),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Entries)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_the_last_fault_and_who_is_silent() {
        let journal = Journal::default();
        let host: Arc<str> = Arc::from("sts.eu-west-1.amazonaws.com");
        let last = || journal.last_fault().unwrap_or_default();
        assert_eq!(last(), "");
        journal.asked(&host);
        assert_eq!(last(), "sts.eu-west-1.amazonaws.com did not answer");
        journal.failed("x answered HTTP 503".to_owned());
        assert_eq!(last(), "x answered HTTP 503");
        journal.asked(&host);
        assert_eq!(last(), "x answered HTTP 503, and then sts.eu-west-1.amazonaws.com did not answer");
        journal.answered();
        assert_eq!(last(), "");
    }
}
