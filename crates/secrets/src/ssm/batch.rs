use std::collections::HashSet;

use crate::ParameterName;

/// The most that one `GetParameters` takes (Systems Manager API reference).
pub(super) const BATCH: usize = 10;

/// Names of one call: none twice, so that each answer belongs to one of them, whether it came by name or by ARN and in
/// whichever version.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    names: Vec<&'a ParameterName>,
    taken: HashSet<&'a str>,
}

impl<'a> Batch<'a> {
    /// The names as the API takes them.
    pub(super) fn wanted(&self) -> Vec<String> {
        self.names.iter().map(ToString::to_string).collect()
    }

    /// The name that an answer with this name or ARN belongs to.
    pub(super) fn name_of(&self, answered: &str) -> Option<&'a ParameterName> {
        let own = own_name(answered);
        self.names.iter().copied().find(|name| own_name(name.as_str()) == own)
    }

    fn add(&mut self, name: &'a ParameterName) -> bool {
        let fits = self.names.len() < BATCH && self.taken.insert(own_name(name.as_str()));
        if fits {
            self.names.push(name);
        }
        fits
    }
}

/// The fewest calls for these names; a name that comes twice is asked for once.
pub(super) fn batches(names: &[ParameterName]) -> Vec<Batch<'_>> {
    let mut seen = HashSet::new();
    let mut full = Vec::new();
    let mut open: Vec<Batch<'_>> = Vec::new();
    for name in names.iter().filter(|name| seen.insert(*name)) {
        if !open.iter_mut().any(|batch| batch.add(name)) {
            let mut batch = Batch::default();
            batch.add(name);
            open.push(batch);
        }
        full.extend(open.extract_if(.., |batch| batch.names.len() == BATCH));
    }
    full.extend(open);
    full
}

/// What remains of a name or an ARN when account and leading slash are left out.
fn own_name(name: &str) -> &str {
    let own = match name.splitn(6, ':').nth(5) {
        Some(resource) if name.starts_with("arn:") => resource.strip_prefix("parameter").unwrap_or(resource),
        _ => name,
    };
    own.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<ParameterName> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn sizes(names: &[ParameterName]) -> Vec<usize> {
        batches(names).iter().map(|batch| batch.wanted().len()).collect()
    }

    #[test]
    fn names_go_by_tens() {
        let many: Vec<ParameterName> =
            (0..500).map(|number| format!("/a/{number}").parse().unwrap()).collect();
        assert_eq!(sizes(&many), [10; 50]);
        assert_eq!(sizes(&many[..11]), [10, 1]);
        assert!(batches(&[]).is_empty());
    }

    #[test]
    fn one_parameter_stands_once_in_a_call() {
        let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/a";
        assert_eq!(sizes(&names(&["/a", "/a"])), [1]);
        assert_eq!(sizes(&names(&["/a", "/a:1", "/b", "/a:2", arn])), [2, 1, 1, 1]);
        let mixed = names(&[arn, "b:live"]);
        let batches = batches(&mixed);
        assert_eq!(batches[0].name_of("/a"), Some(&mixed[0]));
        assert_eq!(batches[0].name_of(arn), Some(&mixed[0]));
        assert_eq!(batches[0].name_of("b"), Some(&mixed[1]));
        assert_eq!(batches[0].name_of("/c"), None);
    }
}
