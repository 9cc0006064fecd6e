use causeway_types::RoleArn;

use super::document::{self, Node, PolicyError, within};
use super::operator::Operator;
use super::principal::Principals;

/// A role's trust policy (its `AssumeRolePolicyDocument`).
///
/// The elements are those of the IAM User Guide, "IAM JSON policy elements reference". What stands there but not here
/// is refused, so that no verdict rests on something that was not understood.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether `${…}` means something: version 2012-10-17 only.
    pub(super) variables: bool,
    pub(super) statements: Vec<Statement>,
    role: Option<RoleArn>,
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// `Statement[1]`, with its `Sid` if it has one.
    pub(super) name: String,
    pub(super) effect: Effect,
    pub(super) principals: Principals,
    pub(super) actions: Actions,
    pub(super) tests: Vec<Test>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// `Action`, or with `excepted` `NotAction`.
#[derive(Debug, Clone)]
pub(super) struct Actions {
    pub(super) excepted: bool,
    pub(super) patterns: Vec<String>,
}

/// One key of one operator in a `Condition`.
#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) operator: Operator,
    pub(super) operator_name: String,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

impl Policy {
    /// Reads a policy document, also URL-encoded, and also inside the output of `aws iam get-role`.
    ///
    /// # Errors
    /// [`PolicyError`] names the place of what IAM would refuse or what is not known here.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let (document, role) = document::find(text)?;
        let mut variables = false;
        let mut statements = None;
        for (name, value) in document.fields("the policy")? {
            match name.as_str() {
                "Version" => variables = version(value)?,
                "Id" => drop(value.text("Id")?),
                "Statement" => statements = Some(read_statements(value)?),
                _ => return Err(PolicyError::at(name, "a policy has no such element")),
            }
        }
        let statements = statements.ok_or_else(|| PolicyError::at("Statement", "it is missing"))?;
        Ok(Self { variables, statements, role })
    }

    /// The role whose policy it is, where the text said so.
    #[must_use]
    pub fn role(&self) -> Option<&RoleArn> {
        self.role.as_ref()
    }

    /// The ARNs that it names as federated principals.
    pub fn federated_principals(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().flat_map(|statement| statement.principals.federated())
    }
}

/// "IAM JSON policy elements: Version": two versions, and variables only in the newer one.
fn version(value: &Node) -> Result<bool, PolicyError> {
    match value.text("Version")?.as_str() {
        "2012-10-17" => Ok(true),
        "2008-10-17" => Ok(false),
        other => Err(PolicyError::at("Version", format!("\"{other}\" is neither 2012-10-17 nor 2008-10-17"))),
    }
}

fn read_statements(value: &Node) -> Result<Vec<Statement>, PolicyError> {
    match value {
        Node::List(items) if items.is_empty() => Err(PolicyError::at("Statement", "it is empty")),
        Node::List(items) => {
            items.iter().enumerate().map(|(at, item)| statement(&format!("Statement[{at}]"), item)).collect()
        }
        one => Ok(vec![statement("Statement", one)?]),
    }
}

fn statement(place: &str, node: &Node) -> Result<Statement, PolicyError> {
    let (mut sid, mut effect, mut principals, mut actions, mut tests) = (None, None, None, None, Vec::new());
    for (name, value) in node.fields(place)? {
        let here = within(place, name);
        let twice = || {
            let other = name.strip_prefix("Not").map_or_else(|| format!("Not{name}"), str::to_owned);
            PolicyError::at(&here, format!("it excludes {other}, which the statement has too"))
        };
        match name.as_str() {
            "Sid" => sid = Some(value.text(&here)?),
            "Effect" => effect = Some(read_effect(&here, value)?),
            "Principal" => principals = Some(Principals::read(&here, value)?),
            // "You cannot use the NotPrincipal element in … an IAM role trust policy" ("AWS JSON policy elements: NotPrincipal").
            "NotPrincipal" => {
                return Err(PolicyError::at(
                    &here,
                    "AWS takes no NotPrincipal in a trust policy: name the ones meant in Principal",
                ));
            }
            "Action" | "NotAction" if actions.is_some() => return Err(twice()),
            "Action" | "NotAction" => {
                actions = Some(Actions { excepted: name == "NotAction", patterns: value.texts(&here)? });
            }
            "Condition" => tests = read_tests(&here, value)?,
            "Resource" | "NotResource" => {
                return Err(PolicyError::at(
                    &here,
                    "a trust policy names no resource: it stands on the role",
                ));
            }
            _ => return Err(PolicyError::at(&here, "a statement has no such element")),
        }
    }
    let missing = |name: &str| PolicyError::at(&within(place, name), "it is missing");
    Ok(Statement {
        name: sid.map_or_else(|| place.to_owned(), |sid| format!("{place} ({sid})")),
        effect: effect.ok_or_else(|| missing("Effect"))?,
        principals: principals.ok_or_else(|| missing("Principal"))?,
        actions: actions.ok_or_else(|| missing("Action"))?,
        tests,
    })
}

/// "IAM JSON policy elements: Effect": the value is case-sensitive.
fn read_effect(place: &str, value: &Node) -> Result<Effect, PolicyError> {
    match value.text(place)?.as_str() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(PolicyError::at(place, format!("\"{other}\" is neither Allow nor Deny"))),
    }
}

fn read_tests(place: &str, node: &Node) -> Result<Vec<Test>, PolicyError> {
    let mut tests = Vec::new();
    for (name, keys) in node.fields(place)? {
        let here = within(place, name);
        let operator = Operator::parse(name).map_err(|problem| PolicyError::at(&here, problem))?;
        for (key, values) in keys.fields(&here)? {
            let here = within(&here, key);
            let values = values.texts(&here)?;
            if let Some(problem) = values.iter().find_map(|value| operator.problem_of(value)) {
                return Err(PolicyError::at(&here, problem));
            }
            tests.push(Test { operator, operator_name: name.clone(), key: key.clone(), values });
        }
    }
    Ok(tests)
}
