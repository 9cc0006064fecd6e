use std::collections::HashMap;

use anyhow::{Result, bail};

/// Beginnings of names that the agent keeps from tasks and scripts ("Define variables", Azure Pipelines docs).
const RESERVED: [&str; 5] = ["endpoint", "input", "secret", "path", "securefile"];

/// Refuses pairs of (what it came from, variable) where a variable has no name or two share one.
///
/// Two names are one variable to Azure Pipelines when they differ only in case, or in `.`, space and `_`: scripts see
/// both under the same name in their environment.
pub(crate) fn check_names<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
    let mut owners: HashMap<String, &str> = HashMap::new();
    for (origin, variable) in pairs {
        if variable.trim().is_empty() {
            bail!("nothing is left of the name \"{origin}\" for a variable");
        }
        if let Some(first) = owners.insert(comparable(variable), origin) {
            bail!("\"{first}\" and \"{origin}\" would both become variable \"{variable}\"");
        }
    }
    Ok(())
}

/// Whether the agent hides a variable of this name from tasks and scripts.
pub(super) fn is_reserved(variable: &str) -> bool {
    let variable = variable.to_lowercase();
    RESERVED.iter().any(|word| variable.starts_with(word))
}

/// The output variables that task.json declares.
const OUTPUTS: [&str; 12] = [
    "accountId",
    "callerArn",
    "storedVersion",
    "secretArn",
    "registry",
    "imageUri",
    "imageDigest",
    "uploadedCount",
    "uploadedBytes",
    "downloadedCount",
    "downloadedBytes",
    "deletedCount",
];

/// Whether the agent would make an output variable of this one, `<step>.<name>` and nothing else, because task.json declares
/// one of that name in any case (`ExecutionContext.SetVariable` of the agent).
pub(crate) fn is_an_output(variable: &str) -> bool {
    OUTPUTS.iter().any(|output| output.eq_ignore_ascii_case(variable))
}

/// The form in which the agent puts a variable into the environment ("Define variables").
fn comparable(variable: &str) -> String {
    variable.replace(['.', ' '], "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_one_variable_are_both_named() {
        for pairs in [
            [("/dev/token", "token"), ("/prod/token", "token")],
            [("/a/Token", "Token"), ("/b/TOKEN", "TOKEN")],
            [("/a/my.key", "my.key"), ("secret x", "MY_KEY")],
        ] {
            let error = check_names(pairs).unwrap_err().to_string();
            assert!(pairs.iter().all(|(origin, _)| error.contains(origin)), "{error}");
        }
        assert!(check_names([("/a", "my-key"), ("/b", "my_key")]).is_ok());
    }

    #[test]
    fn a_variable_without_a_name_is_refused() {
        for empty in ["", "  "] {
            assert!(check_names([("/a/b", empty)]).unwrap_err().to_string().contains("/a/b"));
        }
    }

    #[test]
    fn the_outputs_are_those_of_the_task() {
        let task: serde_json::Value =
            serde_json::from_str(include_str!("../../../../task/task.json")).unwrap();
        let declared =
            task["outputVariables"].as_array().unwrap().iter().map(|output| output["name"].as_str());
        assert_eq!(declared.collect::<Vec<_>>(), OUTPUTS.map(Some));
        assert!(is_an_output("ImageUri") && !is_an_output("image"));
    }

    #[test]
    fn the_systems_own_words_are_known() {
        assert!(is_reserved("SecretToken") && is_reserved("PATH") && !is_reserved("mySecret"));
    }
}
