//! HCL as `terraform fmt` lays it out: the equals signs of neighbouring lines stand below each other, a value of several lines
//! parts its neighbours.

use serde_json::Value;

/// An argument's value: data, or an expression of the language.
pub(super) enum Term {
    Data(Value),
    Expression(String),
    /// Braces around arguments, as a value.
    Object(Vec<(String, Term)>),
    /// A block: no equals sign.
    Block(Vec<(String, Term)>),
}

/// A resource, provider or data source.
pub(super) fn block(header: &str, arguments: &[(String, Term)]) -> String {
    format!("{header} {{\n{}}}\n", body(arguments, 1))
}

fn body(arguments: &[(String, Term)], depth: usize) -> String {
    let mut lines: Vec<(String, Option<String>, String)> = Vec::new();
    for (name, term) in arguments {
        let text = value(term, depth);
        match term {
            Term::Block(_) => lines.push((name.clone(), None, text)),
            _ => lines.push((name.clone(), Some(" = ".to_owned()), text)),
        }
    }
    let single = |line: &(String, Option<String>, String)| line.1.is_some() && !line.2.contains('\n');
    let mut out = String::new();
    let mut at = 0;
    while at < lines.len() {
        let run = lines[at..].iter().take_while(|line| single(line)).count();
        let width = lines[at..at + run].iter().map(|line| line.0.chars().count()).max().unwrap_or(0);
        for (name, _, text) in &lines[at..at + run] {
            out += &format!("{:indent$}{name:width$} = {text}\n", "", indent = depth * 2);
        }
        at += run;
        if let Some((name, equals, text)) = lines.get(at).filter(|line| !single(line)) {
            let equals = equals.as_deref().unwrap_or(" ");
            out += &format!("{:indent$}{name}{equals}{text}\n", "", indent = depth * 2);
            at += 1;
        }
    }
    out
}

fn value(term: &Term, depth: usize) -> String {
    match term {
        Term::Expression(text) => text.clone(),
        Term::Data(data) => literal(data, depth),
        Term::Object(arguments) | Term::Block(arguments) if arguments.is_empty() => "{}".to_owned(),
        Term::Object(arguments) | Term::Block(arguments) => {
            format!("{{\n{}{:indent$}}}", body(arguments, depth + 1), "", indent = depth * 2)
        }
    }
}

fn literal(data: &Value, depth: usize) -> String {
    match data {
        Value::String(text) => quoted(text),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let items: Vec<String> = items.iter().map(|item| literal(item, depth)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Array(items) => {
            let line = |item: &Value| {
                format!("{:indent$}{},\n", "", literal(item, depth + 1), indent = (depth + 1) * 2)
            };
            format!("[\n{}{:indent$}]", items.iter().map(line).collect::<String>(), "", indent = depth * 2)
        }
        Value::Object(fields) => {
            let arguments: Vec<(String, Term)> =
                fields.iter().map(|(key, value)| (key_of(key), Term::Data(value.clone()))).collect();
            value(&Term::Object(arguments), depth)
        }
        other => other.to_string(),
    }
}

/// `jsonencode` of a document in which the texts of `references` become expressions.
pub(super) fn json_encoded(document: &Value, depth: usize, references: &[(String, String)]) -> String {
    let mut text = literal(document, depth);
    for (literal_text, expression) in references {
        text = text.replace(&quoted(literal_text), expression);
    }
    format!("jsonencode({text})")
}

fn key_of(key: &str) -> String {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain && !key.starts_with(|c: char| c.is_ascii_digit()) { key.to_owned() } else { quoted(key) }
}

/// Text in quotes, where `${` and `%{` would begin a template ("Strings and Templates" in Terraform's documentation).
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn neighbours_are_aligned_and_templates_are_not() {
        let data = |value: Value| Term::Data(value);
        let arguments = vec![
            ("a".to_owned(), data(json!("x"))),
            ("long".to_owned(), data(json!(["y", "${z}"]))),
            ("p".to_owned(), data(json!({"Statement": [{"a:b": "1", "E": true}]}))),
        ];
        assert_eq!(
            block("resource \"r\" \"n\"", &arguments),
            "resource \"r\" \"n\" {\n  a    = \"x\"\n  long = [\"y\", \"$${z}\"]\n  p = {\n    Statement = [\n      {\n        \"a:b\" = \"1\"\n        E     = true\n      },\n    ]\n  }\n}\n"
        );
    }
}
