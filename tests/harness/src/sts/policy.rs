//! Trust policies, as far as roles for pipelines need them.
//!
//! Source: IAM User Guide, "IAM JSON policy elements reference". What is not known here is refused when the role
//! is created, so that no test passes on a policy that was not understood.

use serde_json::Value;

/// The operations that a trust policy can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    AssumeRole,
    AssumeRoleWithWebIdentity,
    TagSession,
    SetSourceIdentity,
}

impl Action {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::AssumeRoleWithWebIdentity => "sts:AssumeRoleWithWebIdentity",
            Self::TagSession => "sts:TagSession",
            Self::SetSourceIdentity => "sts:SetSourceIdentity",
        }
    }
}

/// Who asks.
#[derive(Debug)]
pub(super) enum Principal {
    Aws { arn: String, account: String },
    Federated { provider: String },
}

/// Who asks, and the condition keys of the request.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) principal: Principal,
    pub(super) keys: Vec<(String, String)>,
}

impl Context {
    /// Whether the policy lets this request through: an `Allow` fits and no `Deny` does.
    pub(super) fn allows(&self, policy: &Value, action: Action) -> bool {
        let fitting = |effect: &str| {
            list(&policy["Statement"])
                .into_iter()
                .any(|statement| statement["Effect"] == effect && self.fits(statement, action))
        };
        fitting("Allow") && !fitting("Deny")
    }

    fn fits(&self, statement: &Value, action: Action) -> bool {
        self.is_principal(&statement["Principal"])
            && strings(&statement["Action"])
                .any(|pattern| like(&pattern.to_lowercase(), &action.name().to_lowercase()))
            && self.meets(&statement["Condition"])
    }

    fn is_principal(&self, principal: &Value) -> bool {
        if principal == "*" {
            return true;
        }
        match &self.principal {
            Principal::Federated { provider } => {
                strings(&principal["Federated"]).any(|named| named == provider)
            }
            Principal::Aws { arn, account } => strings(&principal["AWS"]).any(|named| {
                named == "*"
                    || named == arn
                    || named == account
                    || named == format!("arn:aws:iam::{account}:root")
            }),
        }
    }

    fn meets(&self, condition: &Value) -> bool {
        let operators = condition.as_object().into_iter().flatten();
        operators
            .flat_map(|(operator, tests)| {
                tests.as_object().into_iter().flatten().map(move |test| (operator, test))
            })
            .all(|(operator, (key, wanted))| {
                let mut keys = self.keys.iter();
                let found =
                    keys.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str());
                Operator::parse(operator).is_some_and(|operator| operator.holds(found, wanted))
            })
    }
}

/// A string operator: its comparison, whether it is negated, and whether an absent key passes.
struct Operator {
    compare: fn(&str, &str) -> bool,
    negated: bool,
    if_exists: bool,
}

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        let (base, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |base| (base, true));
        let (compare, negated): (fn(&str, &str) -> bool, bool) = match base {
            "StringEquals" => (|wanted, found| wanted == found, false),
            "StringNotEquals" => (|wanted, found| wanted == found, true),
            "StringEqualsIgnoreCase" => (|wanted, found| wanted.eq_ignore_ascii_case(found), false),
            "StringLike" | "ArnLike" | "ArnEquals" => (like, false),
            "StringNotLike" => (like, true),
            _ => return None,
        };
        Some(Self { compare, negated, if_exists })
    }

    /// An absent key fails a positive operator and passes a negated one.
    fn holds(&self, found: Option<&str>, wanted: &Value) -> bool {
        match found {
            None => self.if_exists || self.negated,
            Some(found) => strings(wanted).any(|wanted| (self.compare)(wanted, found)) != self.negated,
        }
    }
}

/// Stops a test whose policy has elements that are not judged here.
pub(super) fn check_is_understood(policy: &Value) {
    for statement in list(&policy["Statement"]) {
        let fields = statement.as_object().expect("a statement is an object");
        for name in fields.keys() {
            let known = ["Sid", "Effect", "Principal", "Action", "Condition"].contains(&name.as_str());
            assert!(known, "the local STS does not know the policy element {name}");
        }
        for operator in statement["Condition"].as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(
                Operator::parse(operator).is_some(),
                "the local STS does not know the operator {operator}"
            );
        }
    }
}

/// `*` stands for any text, `?` for one character.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for symbol in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match symbol {
                '*' => reachable[..=at].contains(&true),
                '?' => at > 0 && reachable[at - 1],
                plain => at > 0 && reachable[at - 1] && text[at - 1] == plain,
            };
        }
        reachable = next;
    }
    reachable[text.len()]
}

/// A value that may be one thing or a list of them.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    list(value).into_iter().filter_map(Value::as_str)
}
