//! Escaped, a text comes out of the agent's reader as it went in; neutralised, it is no command in any reader.

use causeway_agent::{Escaping, neutralise};

use crate::command::Command;

pub(super) const EXAMPLES: &[&str] = &[
    "plain",
    "100%AZP25;]\r\n##vso[task.complete result=Failed;]done",
    "#\u{200b}#vso[task.setvariable variable=x;issecret=true]y",
    "##[error]x\u{feff}#\u{7f}#[x",
    "%0A%0D%3B%5D%AZP25",
];

pub(super) fn run(data: &[u8]) {
    let text = crate::text(data);
    escaped(&text, None, true);
    // Without decoding there is no way to write an escape itself.
    let has_escapes = ["%0A", "%0D", "%3B", "%5D"].iter().any(|escape| text.contains(escape));
    if !has_escapes {
        escaped(&text, Some("false"), false);
    }
    neutral(&text);
}

fn escaped(text: &str, setting: Option<&str>, decodes: bool) {
    let escaping = Escaping::new(setting);
    // The agent drops a property without a value, and `=` at its beginning.
    let property = format!("p{text}");
    let line =
        format!("##vso[task.setvariable variable={};]{}", escaping.property(&property), escaping.data(text));
    assert!(!line.contains(['\r', '\n']), "{line:?} is not one line");
    let command = Command::parse(&line, decodes).expect("a command");
    assert_eq!(command.data, text, "{line:?}");
    assert_eq!(command.property("variable"), Some(property.as_str()), "{line:?}");
}

fn neutral(text: &str) {
    let harmless = neutralise(text);
    // .NET compares without characters that weigh nothing; nothing outside ASCII counts here.
    let heavy: String = harmless.chars().filter(char::is_ascii).collect();
    for found in [&harmless, &heavy] {
        for line in found.lines() {
            assert!(
                Command::parse(line, true).is_none() && !line.contains("##"),
                "{text:?} becomes {line:?}"
            );
        }
    }
    let control = harmless.chars().find(|letter| letter.is_control() && !"\n\t".contains(*letter));
    assert_eq!(control, None, "{text:?} becomes {harmless:?}");
    assert_eq!(neutralise(&harmless), harmless, "a second time changes {text:?}");
}
