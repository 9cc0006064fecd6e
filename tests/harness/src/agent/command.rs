//! Logging commands: `##vso[area.event key=value;]data`.
//!
//! Read as the agent reads them (`Command.cs`, `CommandStringConvertor.cs`); written from its rules and without a
//! look at the product's own code, so that a mistake there is not repeated here.

const PREFIX: &str = "##vso[";

/// A parsed logging command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The part before the dot, such as `task`.
    pub area: String,
    /// The part after it, such as `setvariable`.
    pub event: String,
    /// The properties, unescaped. A later one of the same name replaces an earlier.
    pub properties: Vec<(String, String)>,
    /// The data, unescaped.
    pub data: String,
}

impl Command {
    /// Finds a command anywhere in a line. `decode_percents` is false when the job sets `DECODE_PERCENTS=false`.
    #[must_use]
    pub fn parse(line: &str, decode_percents: bool) -> Option<Self> {
        let (_, rest) = line.split_once(PREFIX)?;
        let (info, data) = rest.split_once(']')?;
        let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
        let name: Vec<&str> = name.split('.').filter(|part| !part.is_empty()).collect();
        let [area, event] = name[..] else { return None };
        let mut command = Self {
            area: area.to_owned(),
            event: event.to_owned(),
            properties: Vec::new(),
            data: unescape(data, decode_percents),
        };
        for property in properties.split(';') {
            command.set_property(property, decode_percents);
        }
        Some(command)
    }

    /// A property by its name in any case.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// A property that is a boolean as .NET reads it: `true` in any case, with spaces around it or not.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.property(name).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
    }

    /// Whether it is `area.event`, in any case.
    #[must_use]
    pub fn is(&self, area: &str, event: &str) -> bool {
        self.area.eq_ignore_ascii_case(area) && self.event.eq_ignore_ascii_case(event)
    }

    /// A property without a value or without a name is dropped, as .NET's `Split` without empty entries drops it.
    fn set_property(&mut self, text: &str, decode_percents: bool) {
        let Some((name, value)) = text.trim_start_matches('=').split_once('=') else { return };
        let value = value.trim_start_matches('=');
        if !value.is_empty() {
            self.properties.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
            self.properties.push((name.to_owned(), unescape(value, decode_percents)));
        }
    }
}

/// Undoes the escapes, each over the whole text and `%AZP25` last, exactly as the agent orders them.
#[must_use]
pub fn unescape(text: &str, decode_percents: bool) -> String {
    let text = text.replace("%3B", ";").replace("%0D", "\r").replace("%0A", "\n").replace("%5D", "]");
    if decode_percents { text.replace("%AZP25", "%") } else { text }
}

/// Escapes as the agent itself does when it registers the escaped form of a secret.
#[must_use]
pub fn escape(text: &str, decode_percents: bool) -> String {
    let text = if decode_percents { text.replace('%', "%AZP25") } else { text.to_owned() };
    text.replace(';', "%3B").replace('\r', "%0D").replace('\n', "%0A").replace(']', "%5D")
}
