use std::collections::BTreeMap;

/// A variable of a job, or a task variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name as it was last written.
    pub name: String,
    /// The value; in [`Variables`] it may still hold macros.
    pub value: String,
    /// Whether it is secret.
    pub secret: bool,
    /// Whether it may be set again.
    pub read_only: bool,
}

impl Variable {
    /// An ordinary variable.
    #[must_use]
    pub fn public(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned(), secret: false, read_only: false }
    }

    /// A secret variable.
    #[must_use]
    pub fn secret(name: &str, value: &str) -> Self {
        Self { secret: true, ..Self::public(name, value) }
    }
}

/// Variables by name, in any case. Once secret or read-only, a variable stays so (`Variables.cs`, `Set`).
#[derive(Debug, Clone, Default)]
pub struct Variables {
    by_name: BTreeMap<String, Variable>,
}

impl Variables {
    /// Sets a variable.
    pub fn set(&mut self, mut variable: Variable) {
        let key = variable.name.to_lowercase();
        if let Some(old) = self.by_name.get(&key) {
            variable.secret |= old.secret;
            variable.read_only |= old.read_only;
        }
        self.by_name.insert(key, variable);
    }

    /// A variable by its name in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.by_name.get(&name.to_lowercase())
    }

    /// A variable's value.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(|variable| variable.value.as_str())
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.by_name.values()
    }
}

/// The name of a variable in the environment (`VarUtil.ConvertToEnvVariableFormat`).
pub(super) fn environment_name(name: &str) -> String {
    name.replace(['.', ' '], "_").to_uppercase()
}
