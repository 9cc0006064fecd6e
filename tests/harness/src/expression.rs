//! The expressions of Azure Pipelines: `condition:` and `$[ … ]` ("Expressions" in its documentation).
//!
//! A function or a name that is not known here is an error when the pipeline is read, so that no test rests on one.

mod call;
mod parse;
mod value;

pub use value::Value;

use call::Function;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Literal(Value),
    /// `variables['a']` or `dependencies.a.outputs['b.c']`, names in the order in which they were written.
    Path(Vec<String>),
    Call(Function, Vec<Node>),
}

/// What an expression can ask for.
pub trait Context {
    /// The value of a variable by its name in any case.
    fn variable(&self, name: &str) -> Option<String>;

    /// What stands behind `dependencies.…` or `stageDependencies.…`; an error says that there is no such thing, which
    /// Azure Pipelines would answer with nothing at all.
    ///
    /// # Errors
    /// When the path names a stage, job or step that is not there.
    fn dependency(&self, path: &[String]) -> Result<Option<String>, String>;

    /// Whether `succeeded`, `failed`, `succeededOrFailed`, `always` or `canceled` holds, for these dependencies or all.
    ///
    /// # Errors
    /// When one of them is not there.
    fn status(&self, function: Status, of: &[String]) -> Result<bool, String>;
}

/// The functions that ask how the work before this stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything before this succeeded.
    Succeeded,
    /// Something before this failed.
    Failed,
    /// The run was not cancelled.
    SucceededOrFailed,
    /// Whatever happened.
    Always,
    /// The run was cancelled.
    Canceled,
}

impl Expression {
    /// Reads one.
    ///
    /// # Errors
    /// In words: what is not known, or where it breaks off.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::parse(text).map(|root| Self { root }).map_err(|reason| format!("\"{text}\": {reason}"))
    }

    /// `succeeded()`, the default of every condition.
    #[must_use]
    pub fn succeeded() -> Self {
        Self { root: Node::Call(Function::Status(Status::Succeeded), Vec::new()) }
    }

    /// Its value.
    ///
    /// # Errors
    /// When it asks for what is not there.
    pub fn evaluate(&self, context: &dyn Context) -> Result<Value, String> {
        evaluate(&self.root, context)
    }

    /// Its value as a condition.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn holds(&self, context: &dyn Context) -> Result<bool, String> {
        Ok(self.evaluate(context)?.truth())
    }
}

/// The expression inside `$[ … ]`, which must be the whole text; `None` for any other text.
#[must_use]
pub fn runtime(text: &str) -> Option<&str> {
    text.trim().strip_prefix("$[")?.strip_suffix(']').map(str::trim)
}

fn evaluate(node: &Node, context: &dyn Context) -> Result<Value, String> {
    match node {
        Node::Literal(value) => Ok(value.clone()),
        Node::Path(path) => look_up(path, context),
        Node::Call(function, arguments) => {
            let value = |node: &Node| evaluate(node, context);
            function.call(arguments, &value, context)
        }
    }
}

fn look_up(path: &[String], context: &dyn Context) -> Result<Value, String> {
    let found = match path {
        [root, name] if root == "variables" => context.variable(name),
        [root, ..] if root == "dependencies" || root == "stageDependencies" => context.dependency(path)?,
        _ => return Err(format!("{} is not known here", path.join("."))),
    };
    Ok(found.map_or(Value::Null, Value::Text))
}
