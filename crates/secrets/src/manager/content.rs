use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// What a secret holds.
#[derive(Debug, Clone)]
pub enum SecretContent {
    /// `SecretString`: the text as it was stored.
    Text(SecretString),
    /// `SecretBinary`: the bytes, kept in base64.
    Binary(SecretString),
}

impl SecretContent {
    /// Bytes as a binary secret.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::Binary(SecretString::from(BASE64_STANDARD.encode(bytes)))
    }

    /// The bytes of text or binary content.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.expose_secret().as_bytes().to_vec(),
            // It was encoded here, so it can be decoded.
            Self::Binary(encoded) => BASE64_STANDARD.decode(encoded.expose_secret()).unwrap_or_default(),
        }
    }

    /// The text, or the bytes in base64.
    #[must_use]
    pub fn text_or_base64(&self) -> &SecretString {
        match self {
            Self::Text(text) | Self::Binary(text) => text,
        }
    }

    /// The length in bytes.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.expose_secret().len(),
            Self::Binary(_) => self.bytes().len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_none_of_them_shows() {
        let bytes: Vec<u8> = (0..=255).collect();
        let content = SecretContent::of_bytes(&bytes);
        assert_eq!((content.bytes(), content.length()), (bytes, 256));
        let text = SecretContent::Text("hunter2\0".into());
        assert_eq!((text.bytes(), text.length()), (b"hunter2\0".to_vec(), 8));
        assert!(!format!("{text:?}").contains("hunter2"));
    }
}
