use super::compare;
use super::operator::{Comparison, SetOperator};
use super::pattern::Pattern;
use super::policy::Test;
use super::request::{Request, Value};
use super::truth::Truth;

impl Test {
    /// Whether the request meets it.
    pub(super) fn holds(&self, request: &Request, variables: bool) -> Truth {
        match request.value(&self.key) {
            Value::Unknown => Truth::unknown(format!("condition key {}", self.key)),
            Value::Missing | Value::Present([]) => self.holds_without_value(),
            Value::Present(found) => self.holds_for(found, request, variables),
        }
    }

    /// A missing key: "the values do not match and the condition is false. If the policy condition requires that the
    /// key is not matched … the condition is true"; `IfExists` makes it true ("Condition operators"). `ForAllValues`
    /// is true and `ForAnyValue` false without a key ("Set operators for multivalued context keys").
    fn holds_without_value(&self) -> Truth {
        let operator = self.operator;
        Truth::from(match (operator.comparison, operator.set) {
            (Comparison::Null, _) => self.wants_absence(true),
            _ if operator.if_exists => true,
            (_, Some(SetOperator::ForAllValues)) => true,
            (_, Some(SetOperator::ForAnyValue)) => false,
            (_, None) => operator.negated,
        })
    }

    /// `Null`: "use either true (the key doesn't exist) or false (the key exists and its value is not null)".
    fn wants_absence(&self, absent: bool) -> bool {
        self.values.iter().any(|value| compare::boolean(value) == Some(absent))
    }

    fn holds_for(&self, found: &[String], request: &Request, variables: bool) -> Truth {
        let each = found.iter().map(|value| self.holds_for_one(value, request, variables));
        match (self.operator.comparison, self.operator.set) {
            (Comparison::Null, _) => Truth::from(self.wants_absence(false)),
            (_, Some(SetOperator::ForAllValues)) => Truth::all(each),
            (_, Some(SetOperator::ForAnyValue)) => Truth::any(each),
            (_, None) if found.len() == 1 => Truth::all(each),
            // "Multivalued context keys require a condition set operator": what happens without is not documented.
            (_, None) => Truth::unknown(format!(
                "condition key {}, which has {} values but no ForAnyValue: or ForAllValues:",
                self.key,
                found.len()
            )),
        }
    }

    /// One value of the request against all of the policy: OR, for a negated operator NOR ("Conditions with multiple
    /// context keys or values").
    pub(super) fn holds_for_one(&self, found: &str, request: &Request, variables: bool) -> Truth {
        let any = Truth::any(self.values.iter().map(|wanted| self.fits(found, wanted, request, variables)));
        if self.operator.negated { any.not() } else { any }
    }

    fn fits(&self, found: &str, wanted: &str, request: &Request, variables: bool) -> Truth {
        let pattern = match self.pattern(wanted, request, variables) {
            Ok(pattern) => pattern,
            Err(about) => return Truth::unknown(about),
        };
        let typed = match self.operator.comparison {
            Comparison::Text => Some(pattern.matches(found)),
            Comparison::TextIgnoringCase => Some(pattern.matches_ignoring_case(found)),
            Comparison::Like => Some(pattern.matches(found)),
            Comparison::Arn => pattern.matches_arn(found),
            Comparison::Number(order) => compare::number(found)
                .zip(compare::number(wanted))
                .map(|(found, wanted)| order.fits(&found, &wanted)),
            Comparison::Date(order) => compare::date(found)
                .zip(compare::date(wanted))
                .map(|(found, wanted)| order.fits(&found, &wanted)),
            Comparison::Bool => compare::boolean(found)
                .zip(compare::boolean(&pattern.to_string()))
                .map(|(found, wanted)| found == wanted),
            Comparison::Binary => {
                compare::binary(found).zip(compare::binary(wanted)).map(|(found, wanted)| found == wanted)
            }
            Comparison::Ip => found
                .parse()
                .ok()
                .zip(compare::network(wanted))
                .map(|(found, wanted)| compare::lies_in(found, wanted)),
            Comparison::Null => Some(false),
        };
        // What AWS makes of a value of another type than the operator's is not documented.
        typed.map_or_else(
            || Truth::unknown(format!("{} on {}, which is \"{found}\"", self.operator_name, self.key)),
            Truth::from,
        )
    }

    /// The policy's value with what stands for something else in it.
    pub(super) fn pattern(
        &self,
        wanted: &str,
        request: &Request,
        variables: bool,
    ) -> Result<Pattern, String> {
        let wildcards = matches!(self.operator.comparison, Comparison::Like | Comparison::Arn);
        if variables && self.operator.takes_variables() {
            Pattern::with_variables(wanted, wildcards, request)
        } else if wildcards {
            Ok(Pattern::with_wildcards(wanted))
        } else {
            Ok(Pattern::plain(wanted))
        }
    }
}
