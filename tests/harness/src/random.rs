//! Random text in the alphabets that AWS uses.

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An id as IAM makes them: a prefix such as `ASIA` and upper-case base32.
pub(crate) fn id(prefix: &str, length: usize) -> String {
    format!("{prefix}{}", text(BASE32, length - prefix.len()))
}

/// A secret key, or the part of a session token that looks like base64.
pub(crate) fn base64_text(length: usize) -> String {
    text(BASE64, length)
}

/// Decimal digits, the first not a zero.
pub(crate) fn digits(length: usize) -> String {
    format!("{}{}", text(b"123456789", 1), text(b"0123456789", length - 1))
}

fn text(alphabet: &[u8], length: usize) -> String {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).expect("random bytes");
    bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}
