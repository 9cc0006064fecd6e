use std::collections::HashMap;

use crate::{NameTransform, Parameter};

/// Why the parameters cannot become variables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// The transform leaves nothing of the name.
    #[error("the name transform leaves no variable name for parameter \"{parameter}\"")]
    Empty {
        /// The parameter's name.
        parameter: String,
    },
    /// Two parameters would overwrite each other.
    #[error("parameters \"{first}\" and \"{second}\" would both become variable \"{variable}\"")]
    Clash {
        /// The variable of the second one.
        variable: String,
        /// A parameter's name.
        first: String,
        /// Another parameter's name.
        second: String,
    },
}

/// Gives each parameter its variable, in the order given.
///
/// Two names are one variable to Azure Pipelines when they differ only in case, or in `.`, space and `_`:
/// scripts see both under the same name in their environment.
///
/// # Errors
/// The first parameter whose name comes out empty, or the first two that share a variable.
pub fn name_variables(
    parameters: Vec<Parameter>,
    transform: &NameTransform,
) -> Result<Vec<(String, Parameter)>, NamingError> {
    let mut owners: HashMap<String, String> = HashMap::with_capacity(parameters.len());
    let mut named = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let variable = transform.apply(&parameter.name);
        if variable.trim().is_empty() {
            return Err(NamingError::Empty { parameter: parameter.name });
        }
        if let Some(first) = owners.insert(comparable(&variable), parameter.name.clone()) {
            return Err(NamingError::Clash { variable, first, second: parameter.name });
        }
        named.push((variable, parameter));
    }
    Ok(named)
}

/// The form in which the agent puts a variable into the environment ("Define variables", Azure Pipelines
/// docs).
fn comparable(variable: &str) -> String {
    variable.replace(['.', ' '], "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParameterKind, Substitution, SubstitutionScope};

    fn parameters(names: &[&str]) -> Vec<Parameter> {
        let parameter = |name: &&str| Parameter {
            name: (*name).to_owned(),
            kind: ParameterKind::String,
            value: "v".into(),
            version: 1,
            arn: None,
        };
        names.iter().map(parameter).collect()
    }

    #[test]
    fn each_parameter_gets_its_variable_in_order() {
        let named = name_variables(parameters(&["/b/two", "/a/one"]), &NameTransform::Leaf).unwrap();
        let pairs: Vec<_> =
            named.iter().map(|(variable, owner)| (variable.as_str(), owner.name.as_str())).collect();
        assert_eq!(pairs, [("two", "/b/two"), ("one", "/a/one")]);
    }

    #[test]
    fn two_parameters_of_one_variable_are_both_named() {
        for names in [["/dev/token", "/prod/token"], ["/a/Token", "/b/TOKEN"], ["/a/my.key", "/b/my_key"]] {
            let error = name_variables(parameters(&names), &NameTransform::Leaf).unwrap_err().to_string();
            assert!(names.iter().all(|name| error.contains(name)), "{error}");
        }
        assert!(name_variables(parameters(&["/a/my-key", "/b/my_key"]), &NameTransform::Leaf).is_ok());
        let custom = NameTransform::Custom("X".to_owned());
        assert!(matches!(name_variables(parameters(&["/a", "/b"]), &custom), Err(NamingError::Clash { .. })));
    }

    #[test]
    fn an_empty_variable_names_the_parameter() {
        let scope = SubstitutionScope { global: true, ignore_case: false };
        let nothing = NameTransform::Substitute(Substitution::new(".", "", scope).unwrap());
        let error = name_variables(parameters(&["/a/b"]), &nothing).unwrap_err();
        assert_eq!(error, NamingError::Empty { parameter: "/a/b".to_owned() });
        assert!(name_variables(parameters(&["/a"]), &NameTransform::Custom(" ".to_owned())).is_err());
    }
}
