//! JSON Web Tokens, RS256 (RFC 7515, RFC 7518 section 3.3): made by the local Azure DevOps, checked by the local STS.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// An RSA key that signs tokens.
#[derive(Debug)]
pub struct SigningKey {
    pair: KeyPair,
    id: String,
}

impl SigningKey {
    /// The key that the local Azure DevOps publishes; one a process, because making one is slow.
    #[must_use]
    pub fn azure_devops() -> &'static Self {
        static KEY: LazyLock<SigningKey> = LazyLock::new(SigningKey::generate);
        &KEY
    }

    /// A key that nobody publishes, for forged tokens.
    #[must_use]
    pub fn stranger() -> &'static Self {
        static KEY: LazyLock<SigningKey> = LazyLock::new(SigningKey::generate);
        &KEY
    }

    fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
        Self { pair, id: crate::random::id("", 27) }
    }

    /// The `kid` of its tokens.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs claims under this key's own id.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.id, claims)
    }

    /// Signs claims under a key id of the caller's choice, as a forger would.
    #[must_use]
    pub fn sign_as(&self, key_id: &str, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": key_id, "kid": key_id });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("a signature");
        format!("{signed}.{}", encode(signature))
    }

    /// The public half as a JSON Web Key (RFC 7517).
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": encode(public.modulus().big_endian_without_leading_zero()),
            "e": encode(public.exponent().big_endian_without_leading_zero()),
        })
    }
}

/// A token taken apart, not yet believed.
#[derive(Debug, Clone)]
pub struct Token {
    /// The JOSE header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Token {
    /// Takes a compact token apart; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: decode_json(header)?,
            claims: decode_json(claims)?,
            signed: signed.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// A claim that is text; empty when it is absent.
    #[must_use]
    pub fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// A claim that is a time, in seconds since 1970.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<u64> {
        self.claims[name].as_u64()
    }

    /// Whether one of these published keys signed it, by RS256 and under its own id.
    #[must_use]
    pub fn is_signed_by_one_of(&self, keys: &[Value]) -> bool {
        self.header["alg"] == "RS256"
            && keys.iter().any(|key| key["kid"] == self.header["kid"] && self.verifies(key).unwrap_or(false))
    }

    fn verifies(&self, key: &Value) -> Option<bool> {
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok();
        let public = PublicKeyComponents { n: part("n")?, e: part("e")? };
        Some(public.verify(&RSA_PKCS1_2048_8192_SHA256, self.signed.as_bytes(), &self.signature).is_ok())
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode_json(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok().filter(Value::is_object)
}
