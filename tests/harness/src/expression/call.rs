use super::{Context, Node, Status, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Or,
    Not,
    Equal,
    NotEqual,
    In,
    NotIn,
    StartsWith,
    EndsWith,
    Contains,
    Coalesce,
    Lower,
    Upper,
    Replace,
    Status(Status),
}

const KNOWN: [(&str, Function, usize, usize); 19] = [
    ("and", Function::And, 2, usize::MAX),
    ("or", Function::Or, 2, usize::MAX),
    ("not", Function::Not, 1, 1),
    ("eq", Function::Equal, 2, 2),
    ("ne", Function::NotEqual, 2, 2),
    ("in", Function::In, 2, usize::MAX),
    ("notIn", Function::NotIn, 2, usize::MAX),
    ("startsWith", Function::StartsWith, 2, 2),
    ("endsWith", Function::EndsWith, 2, 2),
    ("contains", Function::Contains, 2, 2),
    ("coalesce", Function::Coalesce, 2, usize::MAX),
    ("lower", Function::Lower, 1, 1),
    ("upper", Function::Upper, 1, 1),
    ("replace", Function::Replace, 3, 3),
    ("succeeded", Function::Status(Status::Succeeded), 0, usize::MAX),
    ("failed", Function::Status(Status::Failed), 0, usize::MAX),
    ("succeededOrFailed", Function::Status(Status::SucceededOrFailed), 0, usize::MAX),
    ("always", Function::Status(Status::Always), 0, 0),
    ("canceled", Function::Status(Status::Canceled), 0, 0),
];

impl Function {
    /// The function of this name in any case, which must take so many arguments.
    pub(super) fn find(name: &str, arguments: usize) -> Result<Self, String> {
        let known = KNOWN.iter().find(|known| known.0.eq_ignore_ascii_case(name));
        let (name, function, least, most) =
            known.ok_or_else(|| format!("function {name} is not known here"))?;
        if (*least..=*most).contains(&arguments) {
            Ok(*function)
        } else {
            Err(format!("{name} does not take {arguments} arguments"))
        }
    }

    pub(super) fn call(
        self,
        arguments: &[Node],
        value: &dyn Fn(&Node) -> Result<Value, String>,
        context: &dyn Context,
    ) -> Result<Value, String> {
        // `and` and `or` look no further than they must; everything else needs all of its arguments.
        match self {
            Self::And => return all(arguments, value, true),
            Self::Or => return all(arguments, value, false).map(|found| Value::Boolean(!found.truth())),
            _ => {}
        }
        let values = arguments.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let texts: Vec<String> = values.iter().map(|value| value.text().to_lowercase()).collect();
        let one_of = || values[1..].iter().any(|other| values[0].equals(other));
        let boolean = match self {
            Self::Coalesce => {
                let found = values.iter().find(|value| !value.text().is_empty());
                return Ok(found.cloned().unwrap_or(Value::Null));
            }
            Self::Lower => return Ok(Value::Text(values[0].text().to_lowercase())),
            Self::Upper => return Ok(Value::Text(values[0].text().to_uppercase())),
            Self::Replace => {
                return Ok(Value::Text(values[0].text().replace(&values[1].text(), &values[2].text())));
            }
            Self::Not => !values[0].truth(),
            Self::Equal => values[0].equals(&values[1]),
            Self::NotEqual => !values[0].equals(&values[1]),
            Self::In => one_of(),
            Self::NotIn => !one_of(),
            Self::StartsWith => texts[0].starts_with(&texts[1]),
            Self::EndsWith => texts[0].ends_with(&texts[1]),
            Self::Contains => texts[0].contains(&texts[1]),
            Self::Status(status) => {
                let names: Vec<String> = values.iter().map(Value::text).collect();
                context.status(status, &names)?
            }
            Self::And | Self::Or => unreachable!("answered above"),
        };
        Ok(Value::Boolean(boolean))
    }
}

/// Whether every argument is `wanted`; the rest is not looked at once one is not.
fn all(
    arguments: &[Node],
    value: &dyn Fn(&Node) -> Result<Value, String>,
    wanted: bool,
) -> Result<Value, String> {
    for argument in arguments {
        if value(argument)?.truth() != wanted {
            return Ok(Value::Boolean(false));
        }
    }
    Ok(Value::Boolean(true))
}
