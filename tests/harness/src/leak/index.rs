//! Finds hundreds of texts in one pass: by their first four bytes, and then by all of them.

use std::collections::HashMap;

use super::Form;

const START: usize = 4;

pub(super) struct Index<'a> {
    forms: &'a [Form],
    by_start: HashMap<[u8; START], Vec<usize>>,
    /// The first two bytes of any text, so that most places need no look into the map.
    begins: Vec<bool>,
}

impl<'a> Index<'a> {
    pub(super) fn new(forms: &'a [Form]) -> Self {
        let mut by_start: HashMap<_, Vec<usize>> = HashMap::new();
        let mut begins = vec![false; 1 << 16];
        for (at, form) in forms.iter().enumerate() {
            let start = start_of(form.text.as_bytes()).expect("a form of four bytes or more");
            begins[pair(&start)] = true;
            by_start.entry(start).or_default().push(at);
        }
        Self { forms, by_start, begins }
    }

    /// The forms that stand in a text, each once; base64 also where line breaks cut it.
    pub(super) fn found_in(&self, text: &str) -> Vec<usize> {
        let mut found = self.places(text.as_bytes(), |_| true);
        if text.trim_end().contains('\n') {
            let joined: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            found.extend(self.places(&joined, Form::may_be_wrapped));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn places(&self, text: &[u8], counts: impl Fn(&Form) -> bool) -> Vec<usize> {
        let mut found = Vec::new();
        for at in 0..text.len().saturating_sub(START - 1) {
            let rest = &text[at..];
            if !self.begins[pair(rest)] {
                continue;
            }
            let candidates = start_of(rest).and_then(|start| self.by_start.get(&start));
            found.extend(candidates.into_iter().flatten().copied().filter(|candidate| {
                let form = &self.forms[*candidate];
                rest.starts_with(form.text.as_bytes()) && counts(form)
            }));
        }
        found
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

fn start_of(bytes: &[u8]) -> Option<[u8; START]> {
    bytes.get(..START)?.try_into().ok()
}
