use super::call::Function;
use super::{Node, Value};

/// The names that an expression may begin with.
const ROOTS: [&str; 3] = ["variables", "dependencies", "stageDependencies"];

pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader { rest: text };
    let node = reader.expression()?;
    reader.skip_space();
    if reader.rest.is_empty() { Ok(node) } else { Err(format!("\"{}\" is too much", reader.rest)) }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, symbol: char) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, symbol: char) -> Result<(), String> {
        if self.takes(symbol) { Ok(()) } else { Err(format!("{symbol} is missing before \"{}\"", self.rest)) }
    }

    fn expression(&mut self) -> Result<Node, String> {
        self.skip_space();
        if self.rest.starts_with('\'') {
            return Ok(Node::Literal(Value::Text(self.quoted()?)));
        }
        let word = self.word();
        if word.is_empty() {
            return Err(format!("a value is missing before \"{}\"", self.rest));
        }
        if self.takes('(') {
            return self.call(&word);
        }
        match word.to_lowercase().as_str() {
            "true" => return Ok(Node::Literal(Value::Boolean(true))),
            "false" => return Ok(Node::Literal(Value::Boolean(false))),
            "null" => return Ok(Node::Literal(Value::Null)),
            _ => {}
        }
        if word.starts_with(|first: char| first.is_ascii_digit() || first == '-') && let Ok(number) = word.parse() {
            return Ok(Node::Literal(Value::Number(number)));
        }
        self.path(&word)
    }

    /// `''` inside a quoted text is one quote.
    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            self.rest = &self.rest[1..];
            let end = self.rest.find('\'').ok_or("a quote is not closed")?;
            text.push_str(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            if !self.rest.starts_with('\'') {
                return Ok(text);
            }
            text.push('\'');
        }
    }

    fn word(&mut self) -> String {
        let end = self.rest.find(|letter: char| !(letter.is_alphanumeric() || "_-.".contains(letter)));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word.to_owned()
    }

    fn call(&mut self, name: &str) -> Result<Node, String> {
        let mut arguments = Vec::new();
        while !self.takes(')') {
            if !arguments.is_empty() {
                self.expect(',')?;
            }
            arguments.push(self.expression()?);
        }
        Ok(Node::Call(Function::find(name, arguments.len())?, arguments))
    }

    /// `a.b['c.d'].e`.
    fn path(&mut self, first: &str) -> Result<Node, String> {
        let mut path: Vec<String> = first.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        while self.takes('[') {
            self.skip_space();
            if !self.rest.starts_with('\'') {
                return Err(format!("a quoted name is missing before \"{}\"", self.rest));
            }
            path.push(self.quoted()?);
            self.expect(']')?;
            path.extend(self.word().split('.').filter(|part| !part.is_empty()).map(str::to_owned));
        }
        // A variable's own name may hold dots: `variables.a.b` is none of Azure Pipelines' forms.
        let known = ROOTS.contains(&path[0].as_str()) && path.len() > 1;
        if known { Ok(Node::Path(path)) } else { Err(format!("{} is not known here", path.join("."))) }
    }
}
