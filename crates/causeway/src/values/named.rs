use std::str::FromStr;

/// A line `name` or `name=VARIABLE` of an input.
///
/// The last `=` counts: what itself has one in its name needs its variable behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named<T> {
    /// What is wanted.
    pub(crate) what: T,
    /// The variable; empty when the line ends with `=`.
    pub(crate) variable: Option<String>,
}

impl<T: FromStr> FromStr for Named<T> {
    type Err = T::Err;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let (what, variable) = match line.rsplit_once('=') {
            Some((what, variable)) => (what, Some(variable.trim().to_owned())),
            None => (line, None),
        };
        Ok(Self { what: what.trim().parse()?, variable })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_and_perhaps_a_variable() {
        for (line, what, variable) in [
            ("/a/b", "/a/b", None),
            ("/a/b=TOKEN", "/a/b", Some("TOKEN")),
            (" /a/b = My.Token ", "/a/b", Some("My.Token")),
            ("/a/b=", "/a/b", Some("")),
            ("a=b=TOKEN", "a=b", Some("TOKEN")),
        ] {
            let named: Named<String> = line.parse().unwrap();
            assert_eq!((named.what.as_str(), named.variable.as_deref()), (what, variable), "{line}");
        }
    }
}
