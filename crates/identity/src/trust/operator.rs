use super::compare;

/// A condition operator, taken apart (IAM User Guide, "IAM JSON policy elements: Condition operators").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) comparison: Comparison,
    /// `…Not…`: true when none of the values matches.
    pub(super) negated: bool,
    /// `…IfExists`: true when the key is missing.
    pub(super) if_exists: bool,
    /// `ForAllValues:` or `ForAnyValue:`.
    pub(super) set: Option<SetOperator>,
}

/// How one value of the request is held against one of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Text,
    TextIgnoringCase,
    Like,
    Arn,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// "Set operators for multivalued context keys".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetOperator {
    ForAllValues,
    ForAnyValue,
}

const NAMES: [(&str, Comparison, bool); 27] = [
    ("StringEquals", Comparison::Text, false),
    ("StringNotEquals", Comparison::Text, true),
    ("StringEqualsIgnoreCase", Comparison::TextIgnoringCase, false),
    ("StringNotEqualsIgnoreCase", Comparison::TextIgnoringCase, true),
    ("StringLike", Comparison::Like, false),
    ("StringNotLike", Comparison::Like, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnNotLike", Comparison::Arn, true),
    ("NumericEquals", Comparison::Number(Order::Equal), false),
    ("NumericNotEquals", Comparison::Number(Order::Equal), true),
    ("NumericLessThan", Comparison::Number(Order::Less), false),
    ("NumericLessThanEquals", Comparison::Number(Order::LessOrEqual), false),
    ("NumericGreaterThan", Comparison::Number(Order::Greater), false),
    ("NumericGreaterThanEquals", Comparison::Number(Order::GreaterOrEqual), false),
    ("DateEquals", Comparison::Date(Order::Equal), false),
    ("DateNotEquals", Comparison::Date(Order::Equal), true),
    ("DateLessThan", Comparison::Date(Order::Less), false),
    ("DateLessThanEquals", Comparison::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Comparison::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Comparison::Date(Order::GreaterOrEqual), false),
    ("Bool", Comparison::Bool, false),
    ("BinaryEquals", Comparison::Binary, false),
    ("IpAddress", Comparison::Ip, false),
    ("NotIpAddress", Comparison::Ip, true),
    ("Null", Comparison::Null, false),
];

impl Operator {
    /// Reads a name such as `ForAnyValue:StringLikeIfExists`; the problem in words if there is no such operator.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let (set, rest) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(SetOperator::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(SetOperator::ForAnyValue), rest),
            _ => (None, name),
        };
        let (base, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
        let Some((_, comparison, negated)) = NAMES.iter().find(|(known, ..)| *known == base) else {
            return Err(unknown(base));
        };
        // "You can add IfExists to the end of any condition operator name except the Null condition"; a set operator
        // asks for values, which a missing key has none of.
        if *comparison == Comparison::Null && (if_exists || set.is_some()) {
            return Err("Null stands alone: it takes neither IfExists nor a set operator".to_owned());
        }
        Ok(Self { comparison: *comparison, negated: *negated, if_exists, set })
    }

    /// Whether `${…}` in its values stands for something ("You can use a policy variable with the … condition
    /// operator", said of the string, ARN and boolean operators only).
    pub(super) fn takes_variables(self) -> bool {
        matches!(
            self.comparison,
            Comparison::Text
                | Comparison::TextIgnoringCase
                | Comparison::Like
                | Comparison::Arn
                | Comparison::Bool
        )
    }

    /// What is wrong with a value of the policy, if it has not the form that the operator asks for.
    pub(super) fn problem_of(self, value: &str) -> Option<String> {
        let (readable, wanted) = match self.comparison {
            Comparison::Number(_) => (compare::number(value).is_some(), "a number"),
            Comparison::Date(_) => (
                compare::date(value).is_some(),
                "a date (such as 2026-11-21T08:30:00Z) or a number of seconds since 1970",
            ),
            Comparison::Null => (compare::boolean(value).is_some(), "true or false"),
            Comparison::Bool => (value.contains("${") || compare::boolean(value).is_some(), "true or false"),
            Comparison::Ip => (compare::network(value).is_some(), "an IP address or range"),
            Comparison::Binary => (compare::binary(value).is_some(), "base64"),
            Comparison::Text | Comparison::TextIgnoringCase | Comparison::Like | Comparison::Arn => {
                (true, "")
            }
        };
        (!readable).then(|| format!("\"{value}\" is not {wanted}"))
    }
}

fn unknown(name: &str) -> String {
    let same = |known: &str| known.eq_ignore_ascii_case(name);
    match NAMES.iter().find(|(known, ..)| same(known) || is_near(known, name)) {
        Some((known, ..)) => format!("there is no such condition operator; is {known} meant?"),
        None => "there is no such condition operator".to_owned(),
    }
}

/// One character more, less or other.
fn is_near(known: &str, name: &str) -> bool {
    let (known, name): (Vec<char>, Vec<char>) = (known.chars().collect(), name.chars().collect());
    let ahead = known.iter().zip(&name).take_while(|(a, b)| a == b).count();
    let shorter = known.len().min(name.len()) - ahead;
    let behind = known.iter().rev().zip(name.iter().rev()).take(shorter).take_while(|(a, b)| a == b).count();
    known.len().abs_diff(name.len()) <= 1 && known.len().max(name.len()) - ahead - behind <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_is_read_in_all_its_forms() {
        for (name, comparison, negated) in NAMES {
            let plain = Operator::parse(name).unwrap();
            assert_eq!((plain.comparison, plain.negated, plain.if_exists), (comparison, negated, false));
            let long = Operator::parse(&format!("ForAnyValue:{name}IfExists"));
            assert_eq!(long.is_ok(), comparison != Comparison::Null, "{name}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_named() {
        for (slip, meant) in [
            ("StringEquls", "StringEquals"),
            ("stringlike", "StringLike"),
            ("StringLikes", "StringLike"),
            ("ForAnyValue:StringEqualz", "StringEquals"),
        ] {
            assert!(Operator::parse(slip).unwrap_err().contains(&format!("is {meant} meant?")), "{slip}");
        }
        assert_eq!(Operator::parse("Sounds").unwrap_err(), "there is no such condition operator");
        assert!(Operator::parse("ForSomeValues:StringLike").is_err());
    }
}
