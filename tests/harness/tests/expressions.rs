//! Conditions and `$[ … ]`, as Azure Pipelines' documentation of expressions has them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

use causeway_harness::expression::{Context, Expression, Status, runtime};

/// Two variables, one dependency, and everything succeeded.
struct Known;

impl Context for Known {
    fn variable(&self, name: &str) -> Option<String> {
        match name.to_lowercase().as_str() {
            "build.sourcebranch" => Some("refs/heads/feat/Cart".to_owned()),
            "empty" => Some(String::new()),
            _ => None,
        }
    }

    fn dependency(&self, path: &[String]) -> Result<Option<String>, String> {
        if path[1..] == ["a", "outputs", "step.x"] { Ok(Some("1".to_owned())) } else { Err(path.join("/")) }
    }

    fn status(&self, function: Status, of: &[String]) -> Result<bool, String> {
        Ok(matches!(function, Status::Succeeded | Status::SucceededOrFailed | Status::Always)
            && of.is_empty())
    }
}

#[test]
fn conditions_hold_as_documented() {
    for (text, expected) in [
        ("eq(variables['Build.SourceBranch'], 'refs/heads/feat/cart')", true),
        ("startsWith(variables['build.sourcebranch'], 'refs/heads/FEAT/')", true),
        ("and(succeeded(), ne(variables['Build.SourceBranch'], 'refs/heads/main'))", true),
        ("or(failed(), endsWith(variables['Build.SourceBranch'], 'x'))", false),
        ("not(contains('abc', 'B'))", false),
        ("in('a', 'b', 'A')", true),
        ("notIn('a', 'b', 'A')", false),
        ("eq(variables['missing'], '')", true),
        ("eq(variables.empty, '')", true),
        ("eq(true, 'false')", true),
        ("eq('true', true)", true),
        ("eq(1, '1')", true),
        ("eq('it''s', 'it''s')", true),
        ("eq(dependencies.a.outputs['step.x'], 1)", true),
        ("eq(stageDependencies['a'].outputs['step.x'], '1')", true),
        ("and(always(), not(canceled()), succeededOrFailed())", true),
        // What is decided already is not looked up.
        ("or(true, dependencies.none.result)", true),
    ] {
        assert_eq!(Expression::parse(text).unwrap().holds(&Known), Ok(expected), "{text}");
    }
}

#[test]
fn values_are_texts() {
    for (text, expected) in [
        ("coalesce(variables.missing, variables.empty, 'x')", "x"),
        ("lower('ABC')", "abc"),
        ("upper('abc')", "ABC"),
        ("replace('a-b', '-', '.')", "a.b"),
        ("eq(1, 1)", "True"),
        ("variables.missing", ""),
    ] {
        let value = Expression::parse(text).unwrap().evaluate(&Known).map(|value| value.text());
        assert_eq!(value, Ok(expected.to_owned()), "{text}");
    }
    assert_eq!(runtime(" $[ eq(1, 1) ] "), Some("eq(1, 1)"));
    assert_eq!(runtime("x $[1]"), None);
}

#[test]
fn what_is_not_there_is_an_error() {
    let expression = Expression::parse("eq(dependencies.b.result, 'Succeeded')").unwrap();
    assert_eq!(expression.holds(&Known), Err("dependencies/b/result".to_owned()));
    for text in
        ["", "eq(", "eq('a)", "eq(1 1)", "x()", "variables", "variables[0]", "xor(true, false) true", "inf"]
    {
        assert!(Expression::parse(text).is_err(), "{text}");
    }
}
