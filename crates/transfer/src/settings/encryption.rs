use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::HeaderText;

/// Who encrypts an object where S3 stores it, and with which key (S3 User Guide, "Protecting data with
/// encryption").
#[derive(Debug, Clone, Default)]
pub enum Encryption {
    /// Nothing is said: the bucket's own setting counts.
    #[default]
    BucketDefault,
    /// S3 with its own keys (`AES256`).
    S3Managed,
    /// KMS with the given key, or with the account's key for S3 (`aws/s3`).
    Kms {
        /// The key's id, ARN or alias.
        key: Option<HeaderText>,
    },
    /// S3 with a key that the caller keeps and must give again to read the object (SSE-C).
    CustomerKey(SseCustomerKey),
}

impl Encryption {
    /// The value of `x-amz-server-side-encryption`.
    pub(crate) fn header(&self) -> Option<&'static str> {
        match self {
            Self::S3Managed => Some("AES256"),
            Self::Kms { .. } => Some("aws:kms"),
            Self::BucketDefault | Self::CustomerKey(_) => None,
        }
    }

    /// The KMS key, where one was named.
    pub(crate) fn kms_key(&self) -> Option<&HeaderText> {
        match self {
            Self::Kms { key } => key.as_ref(),
            _ => None,
        }
    }
}

/// A 256-bit key for SSE-C.
#[derive(Clone)]
pub struct SseCustomerKey(SecretSlice<u8>);

/// The text is not a 256-bit key in hexadecimal digits. It is a secret, so it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the customer key must be 64 hexadecimal digits (256 bits)")]
pub struct InvalidCustomerKey;

impl SseCustomerKey {
    /// The algorithm that belongs to such keys; S3 knows only this one.
    pub(crate) const ALGORITHM: &'static str = "AES256";

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &SecretString) -> Result<Self, InvalidCustomerKey> {
        let digits = text.expose_secret().trim().as_bytes();
        if digits.len() != 64 {
            return Err(InvalidCustomerKey);
        }
        let key: Option<Vec<u8>> = digits.chunks_exact(2).map(byte).collect();
        key.map(|key| Self(key.into())).ok_or(InvalidCustomerKey)
    }

    /// The key as S3 wants it in `x-amz-server-side-encryption-customer-key`.
    pub(crate) fn base64(&self) -> SecretString {
        BASE64.encode(self.0.expose_secret()).into()
    }

    /// The digest by which S3 checks that the key arrived whole.
    pub(crate) fn md5(&self) -> String {
        BASE64.encode(Md5::digest(self.0.expose_secret()))
    }
}

fn byte(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(value(*high)? * 16 + value(*low)?).ok()
}

impl fmt::Debug for SseCustomerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SseCustomerKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_and_never_shown() {
        let hex = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
        let key = SseCustomerKey::from_hex(&hex.into()).unwrap();
        assert_eq!(key.base64().expose_secret(), "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=");
        assert_eq!(key.md5(), "mVVvM6hE6xhsOKL2H1NQ0w==");
        assert_eq!(format!("{:?}", Encryption::CustomerKey(key)), "CustomerKey(SseCustomerKey(***))");
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in
            ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32), &"+1".repeat(32)]
        {
            assert!(SseCustomerKey::from_hex(&wrong.into()).is_err(), "{wrong}");
        }
    }
}
