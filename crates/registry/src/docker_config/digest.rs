use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The first four bytes of the SHA-256 of a value's JSON: they tell whether it is still the same, and are too few to
/// confirm a guess at a password in it. The order of keys does not count, as docker writes its own.
pub(super) fn of(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    URL_SAFE_NO_PAD.encode(&Sha256::digest(value.to_string())[..4])
}
