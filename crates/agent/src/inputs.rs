use crate::environment::{Environment, mangled};

/// The task's inputs as the agent hands them over: `INPUT_<NAME>`, empty when not given.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    environment: &'a Environment,
}

/// An input that cannot be used. The message names it and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Nothing was given where something is needed.
    #[error("input {name} is required{context}")]
    Missing {
        /// The input's name as it stands in task.json.
        name: &'static str,
        /// When it is required, beginning with a space; empty if always.
        context: &'static str,
    },
    /// Something was given that the input does not take.
    #[error("input {name}{}: {problem}", given(.value, .problem))]
    Invalid {
        /// The input's name as it stands in task.json.
        name: &'static str,
        /// What was given. Inputs are not secret, but come from outside.
        value: String,
        /// What is allowed.
        problem: String,
    },
}

/// What was given, unless the problem's own words begin with it.
fn given(value: &str, problem: &str) -> String {
    let quoted = format!("\"{value}\"");
    if problem.starts_with(&quoted) { String::new() } else { format!(" is {quoted}") }
}

impl InputError {
    /// An input whose value `problem` says something against.
    pub fn invalid(name: &'static str, value: &str, problem: impl ToString) -> Self {
        Self::Invalid { name, value: value.to_owned(), problem: problem.to_string() }
    }
}

impl<'a> Inputs<'a> {
    /// The inputs that the agent put into `environment`.
    #[must_use]
    pub fn new(environment: &'a Environment) -> Self {
        Self { environment }
    }

    /// The input exactly as it was given; `None` when it is empty.
    #[must_use]
    pub fn verbatim(&self, name: &'static str) -> Option<&'a str> {
        self.environment.get(&format!("INPUT_{}", mangled(name)))
    }

    /// The input without the space around it; `None` when nothing is left.
    #[must_use]
    pub fn text(&self, name: &'static str) -> Option<&'a str> {
        self.verbatim(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// An input that must be there.
    ///
    /// # Errors
    /// [`InputError::Missing`] when it is not.
    pub fn required(&self, name: &'static str) -> Result<&'a str, InputError> {
        self.text(name).ok_or(InputError::Missing { name, context: "" })
    }

    /// An input that must be there because of another one: `context` says which, such as ` with readMode single`.
    ///
    /// # Errors
    /// [`InputError::Missing`] when it is not.
    pub fn required_with(&self, name: &'static str, context: &'static str) -> Result<&'a str, InputError> {
        self.text(name).ok_or(InputError::Missing { name, context })
    }

    /// A tick-box: `true` or `false` in any case.
    ///
    /// # Errors
    /// [`InputError::Invalid`] for any other text.
    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, InputError> {
        match self.text(name) {
            None => Ok(default),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(value) => Err(InputError::invalid(name, value, "give true or false")),
        }
    }

    /// One of a list of words, without regard to case; the first word is the default.
    ///
    /// # Errors
    /// [`InputError::Invalid`] for a word that is not in the list.
    pub fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, InputError> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        match choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(value)) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                Err(InputError::invalid(name, value, format!("give one of {}", words.join(", "))))
            }
        }
    }

    /// An input that reads as some domain type; the type's own words say what is wrong with it.
    ///
    /// # Errors
    /// [`InputError::Invalid`] when it does not parse.
    pub fn parsed<T>(&self, name: &'static str) -> Result<Option<T>, InputError>
    where
        T: std::str::FromStr<Err: ToString>,
    {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        value.parse().map(Some).map_err(|error: T::Err| InputError::invalid(name, value, error.to_string()))
    }

    /// Each line of a multi-line input as some domain type.
    ///
    /// # Errors
    /// [`InputError::Invalid`] for the first line that does not parse.
    pub fn parsed_lines<T>(&self, name: &'static str) -> Result<Vec<T>, InputError>
    where
        T: std::str::FromStr<Err: ToString>,
    {
        let parse = |line: &str| {
            line.parse().map_err(|error: T::Err| InputError::invalid(name, line, error.to_string()))
        };
        self.lines(name).into_iter().map(parse).collect()
    }

    /// The lines of a multi-line input, without the space around them and without empty ones.
    #[must_use]
    pub fn lines(&self, name: &'static str) -> Vec<&'a str> {
        self.verbatim(name)
            .unwrap_or_default()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> Environment {
        Environment::from_pairs([
            ("INPUT_REGIONNAME", " eu-west-1 "),
            ("INPUT_RECURSIVE", "TRUE"),
            ("INPUT_GLOBALMATCH", "yes"),
            ("INPUT_READMODE", "Hierarchy"),
            ("INPUT_EMPTY", "   "),
            ("INPUT_GLOBEXPRESSIONS", "**\r\n\n !*.map \n"),
            ("INPUT_DURATIONSECONDS", "12x"),
        ])
    }

    #[test]
    fn inputs_are_read_trimmed_and_empty_ones_are_absent() {
        let environment = inputs();
        let inputs = Inputs::new(&environment);
        assert_eq!(inputs.text("regionName"), Some("eu-west-1"));
        assert_eq!(inputs.verbatim("regionName"), Some(" eu-west-1 "));
        assert_eq!(inputs.text("empty"), None);
        assert_eq!(inputs.lines("globExpressions"), ["**", "!*.map"]);
        assert_eq!(inputs.flag("recursive", false), Ok(true));
        assert_eq!(inputs.flag("absent", true), Ok(true));
        assert_eq!(inputs.choice("readMode", &[("single", 1), ("hierarchy", 2)]), Ok(Some(2)));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_inputs_name() {
        let environment = inputs();
        let inputs = Inputs::new(&environment);
        let messages = [
            inputs.required("empty").unwrap_err().to_string(),
            inputs.required_with("parameterName", " with readMode single").unwrap_err().to_string(),
            inputs.flag("globalMatch", true).unwrap_err().to_string(),
            inputs.choice("readMode", &[("single", 1)]).unwrap_err().to_string(),
            inputs.parsed::<u32>("durationSeconds").unwrap_err().to_string(),
        ];
        assert_eq!(
            messages,
            [
                "input empty is required",
                "input parameterName is required with readMode single",
                "input globalMatch is \"yes\": give true or false",
                "input readMode is \"Hierarchy\": give one of single",
                "input durationSeconds is \"12x\": invalid digit found in string",
            ]
        );
        let said = InputError::invalid("regionName", "x", "\"x\" is not a region");
        assert_eq!(said.to_string(), "input regionName: \"x\" is not a region");
    }
}
