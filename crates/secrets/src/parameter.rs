use aws_sdk_ssm::types::{Parameter as SsmParameter, ParameterType};
use secrecy::SecretString;

use crate::ParameterName;

/// A parameter as SSM answered it, decrypted.
///
/// Every value is kept as a secret, whatever its kind: who writes it out decides then, by
/// [`Parameter::is_secret`] or more strictly.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The name; for one that was asked for by ARN, that ARN.
    pub name: String,
    /// What SSM stores it as.
    pub kind: ParameterKind,
    /// The value, exactly as the service sent it. A string list is one text with commas.
    pub value: SecretString,
    /// The version's number.
    pub version: i64,
    /// The parameter's ARN, where the service names it.
    pub arn: Option<String>,
}

/// What SSM stores a parameter as (`Type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A text.
    String,
    /// Several texts, separated by commas.
    StringList,
    /// A text that KMS encrypts.
    SecureString,
}

impl Parameter {
    /// Whether SSM keeps the value as a secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == ParameterKind::SecureString
    }

    /// The same under the name that it was asked for by, without version or label: SSM answers an ARN with sometimes
    /// the one, sometimes the other, and the AWS Toolkit names variables by what was asked for.
    pub(crate) fn named(self, name: &ParameterName) -> Self {
        Self { name: name.as_str().to_owned(), ..self }
    }

    /// Takes what the service sent. `None` when it sent no name or no value.
    pub(crate) fn from_answer(answer: SsmParameter) -> Option<Self> {
        Some(Self {
            name: answer.name?,
            kind: ParameterKind::from_answer(answer.r#type.as_ref()),
            value: SecretString::from(answer.value?),
            version: answer.version,
            arn: answer.arn,
        })
    }
}

impl From<ParameterKind> for ParameterType {
    fn from(kind: ParameterKind) -> Self {
        match kind {
            ParameterKind::String => Self::String,
            ParameterKind::StringList => Self::StringList,
            ParameterKind::SecureString => Self::SecureString,
        }
    }
}

impl ParameterKind {
    /// A kind that this version does not know, or none, counts as secret: the error that does no harm.
    fn from_answer(kind: Option<&ParameterType>) -> Self {
        match kind {
            Some(ParameterType::String) => Self::String,
            Some(ParameterType::StringList) => Self::StringList,
            _ => Self::SecureString,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_is_secret_and_no_value_shows_in_debug() {
        let answer = SsmParameter::builder().name("a").value("hunter2").r#type("Mystery".into()).build();
        let parameter = Parameter::from_answer(answer).unwrap();
        assert!(parameter.is_secret());
        assert!(!format!("{parameter:?}").contains("hunter2"));
    }
}
