use secrecy::{ExposeSecret, SecretString};

use causeway_agent::SHORTEST_MASK;

use crate::step::Step;

/// What the log of the step shows as `***`. The agent does not mask a summary.
#[derive(Default)]
pub(super) struct Hidden(Vec<SecretString>);

impl Hidden {
    /// What the agent masks by itself, and what the step has told it to mask.
    pub(super) fn of(step: &Step) -> Self {
        let mut values = step.environment().masked_values();
        values.extend(step.console().masked());
        Self::new(&values)
    }

    /// Each line by itself, as the log has them; the longer ones first, since one may stand in another.
    fn new(values: &[SecretString]) -> Self {
        let lines = values.iter().flat_map(|value| value.expose_secret().split(['\r', '\n']));
        let lines = lines.map(str::trim).filter(|line| line.chars().count() >= SHORTEST_MASK);
        let mut lines: Vec<SecretString> = lines.map(SecretString::from).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.expose_secret().len()));
        Self(lines)
    }

    /// `text` with `***` where something hidden stands.
    pub(super) fn without(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for line in &self.0 {
            if text.contains(line.expose_secret()) {
                text = text.replace(line.expose_secret(), "***");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_goes_first_each_line_counts_and_what_is_short_stays() {
        let hidden =
            Hidden::new(&["deploy", "deploy-prod", "a1\nsecond line \r\n", ""].map(SecretString::from));
        for (text, expected) in [
            ("role/deploy-prod/x", "role/***/x"),
            ("role/deploy", "role/***"),
            ("a1 of a second line", "a1 of a ***"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(hidden.without(text), expected);
        }
    }
}
