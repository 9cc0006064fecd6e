/// A value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// `True` or `False`.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Value {
    /// As a condition: an empty text, zero and nothing are false, every other text (`false` too) is true.
    #[must_use]
    pub fn truth(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Boolean(value) => *value,
            Self::Number(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// As a text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Boolean(true) => "True".to_owned(),
            Self::Boolean(false) => "False".to_owned(),
            Self::Number(value) => value.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// Whether two are equal: the right one is turned into the kind of the left one, texts are compared without case.
    #[must_use]
    pub fn equals(&self, right: &Self) -> bool {
        match self {
            Self::Null => matches!(right, Self::Null) || right.text().is_empty(),
            Self::Boolean(left) => *left == right.truth(),
            Self::Number(left) => right.number().is_some_and(|right| *left == right),
            Self::Text(left) => left.to_lowercase() == right.text().to_lowercase(),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Null => Some(0.0),
            Self::Boolean(value) => Some(f64::from(u8::from(*value))),
            Self::Number(value) => Some(*value),
            Self::Text(text) if text.trim().is_empty() => Some(0.0),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }
}
