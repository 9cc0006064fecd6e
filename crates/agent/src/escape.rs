/// How the agent of this job reads escapes in logging commands.
///
/// The mappings are those of the agent's `Command.cs`: data escapes CR and LF, properties also `]` and `;`, and `%`
/// goes first as `%AZP25` so that nothing of the value is mistaken for an escape. A job that sets
/// `DECODE_PERCENTS=false` has an agent that leaves `%AZP25` as it is: then `%` must not be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escaping {
    percents: bool,
}

const DATA: [(char, &str); 2] = [('\r', "%0D"), ('\n', "%0A")];
const PROPERTY: [(char, &str); 4] = [('\r', "%0D"), ('\n', "%0A"), (']', "%5D"), (';', "%3B")];

impl Escaping {
    /// `decode_percents` is the job's variable of that name; absent means true. The agent reads it as it reads all its
    /// settings (`StringUtil.ConvertToBoolean`): what is not one of its words for true is false.
    #[must_use]
    pub fn new(decode_percents: Option<&str>) -> Self {
        let is_true =
            |value: &str| ["1", "true", "$true"].iter().any(|word| value.eq_ignore_ascii_case(word));
        Self { percents: decode_percents.is_none_or(is_true) }
    }

    /// What stands behind the closing bracket of a command.
    #[must_use]
    pub fn data(self, text: &str) -> String {
        self.escape(text, &DATA)
    }

    /// The value of a `key=value` inside the brackets.
    #[must_use]
    pub fn property(self, text: &str) -> String {
        self.escape(text, &PROPERTY)
    }

    fn escape(self, text: &str, mappings: &[(char, &str)]) -> String {
        let mut escaped = String::with_capacity(text.len() + 8);
        for character in text.chars() {
            match mappings.iter().find(|(from, _)| *from == character) {
                Some((_, to)) => escaped.push_str(to),
                None if character == '%' && self.percents => escaped.push_str("%AZP25"),
                None => escaped.push(character),
            }
        }
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The agent's side, as `Command.cs` undoes it: each mapping over the whole text, percents last.
    fn unescape(text: &str, mappings: &[(char, &str)], percents: bool) -> String {
        let mut text = text.to_owned();
        for (to, from) in mappings {
            text = text.replace(from, &to.to_string());
        }
        if percents { text.replace("%AZP25", "%") } else { text }
    }

    #[test]
    fn the_table_of_escapes() {
        let escaping = Escaping::new(None);
        for (text, data, property) in [
            ("plain", "plain", "plain"),
            ("50%", "50%AZP25", "50%AZP25"),
            ("%0A", "%AZP250A", "%AZP250A"),
            ("%AZP25", "%AZP25AZP25", "%AZP25AZP25"),
            ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
            ("a;b]c", "a;b]c", "a%3Bb%5Dc"),
            ("##vso[task.complete]", "##vso[task.complete]", "##vso[task.complete%5D"),
            ("", "", ""),
        ] {
            assert_eq!(escaping.data(text), data);
            assert_eq!(escaping.property(text), property);
        }
    }

    #[test]
    fn percents_stay_when_the_job_does_not_decode_them() {
        for value in ["false", "False", "0", "$false", "no"] {
            assert_eq!(Escaping::new(Some(value)).data("50%\n"), "50%%0A", "{value}");
        }
        for value in ["true", "True", "1", "$True"] {
            assert_eq!(Escaping::new(Some(value)).data("50%"), "50%AZP25", "{value}");
        }
    }

    proptest! {
        #[test]
        fn data_comes_back_as_it_was(text in "(?s)(.|%|%AZP25|%0A|%0D|\r|\n|;|\\]){0,40}") {
            let escaped = Escaping::new(None).data(&text);
            prop_assert!(!escaped.contains(['\r', '\n']));
            prop_assert_eq!(unescape(&escaped, &DATA, true), text);
        }

        #[test]
        fn properties_come_back_as_they_were(text in "(?s)(.|%|%AZP25|%3B|%5D|\r|\n|;|\\]){0,40}") {
            let escaped = Escaping::new(None).property(&text);
            prop_assert!(!escaped.contains(['\r', '\n', ';', ']']));
            prop_assert_eq!(unescape(&escaped, &PROPERTY, true), text);
        }

        #[test]
        fn without_percents_all_but_the_escapes_themselves_comes_back(text in "[^%]{0,40}") {
            let escaped = Escaping::new(Some("false")).property(&text);
            prop_assert_eq!(unescape(&escaped, &PROPERTY, false), text);
        }
    }
}
