/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Not YAML, or not of this form.
    #[error("{0}")]
    Yaml(String),
    /// A value that cannot be right.
    #[error("{place}: {problem}")]
    Value {
        /// Where, such as `connections.aws-dev.role`.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

impl FileError {
    pub(super) fn at(place: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Value { place: place.into(), problem: problem.to_string() }
    }
}
