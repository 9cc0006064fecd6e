use std::str::FromStr;

/// Text that can stand in an HTTP header: not empty, visible ASCII and spaces, none at the ends
/// (RFC 9110, 5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderText(String);

/// The text cannot stand in a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be sent as a header: it must be printable ASCII and not empty")]
pub struct InvalidHeaderText(String);

impl HeaderText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderText {
    type Err = InvalidHeaderText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        if trimmed.is_empty() || !trimmed.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(InvalidHeaderText(text.to_owned()));
        }
        Ok(Self(trimmed.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_no_line_break() {
        assert_eq!(
            " text/html; charset=utf-8 ".parse::<HeaderText>().unwrap().as_str(),
            "text/html; charset=utf-8"
        );
        for wrong in ["", " ", "a\nx-amz-acl: public-read", "a\rb", "a\u{7f}", "text/ü"] {
            assert!(wrong.parse::<HeaderText>().is_err(), "{wrong:?}");
        }
    }
}
