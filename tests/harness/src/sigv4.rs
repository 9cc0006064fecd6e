//! AWS Signature Version 4, the server's half: read an authorization, and check it with the known secret.
//!
//! Source: IAM User Guide, "Create a signed AWS API request".

use std::fmt::Write;

use aws_lc_rs::{digest, hmac};
use http::request::Parts;
use url::form_urlencoded;

use crate::http::header;

/// What an `Authorization` header or a presigned query says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authorization {
    pub(crate) access_key: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) session_token: Option<String>,
    signed_headers: Vec<String>,
    signature: String,
    presigned: bool,
}

impl Authorization {
    /// Reads the request's authorization; `None` when it is unsigned.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        Self::from_header(parts).or_else(|| Self::from_query(parts))
    }

    fn from_header(parts: &Parts) -> Option<Self> {
        let fields = header(&parts.headers, "authorization").strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| {
            let mut all = fields.split(',').map(str::trim);
            all.find_map(|field| field.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
        };
        let token = header(&parts.headers, "x-amz-security-token");
        Self::new(field("Credential"), field("SignedHeaders"), field("Signature"), token)
    }

    fn from_query(parts: &Parts) -> Option<Self> {
        let query = parts.uri.query()?;
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let mut found = Self::new(
            &value("X-Amz-Credential"),
            &value("X-Amz-SignedHeaders"),
            &value("X-Amz-Signature"),
            &value("X-Amz-Security-Token"),
        )?;
        found.presigned = true;
        Some(found)
    }

    fn new(credential: &str, signed_headers: &str, signature: &str, token: &str) -> Option<Self> {
        let scope: Vec<&str> = credential.split('/').collect();
        let [access_key, date, region, service, "aws4_request"] = scope[..] else {
            return None;
        };
        Some(Self {
            access_key: access_key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            session_token: (!token.is_empty()).then(|| token.to_owned()),
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            signature: signature.to_owned(),
            presigned: false,
        })
    }

    /// Whether the payload's hash must be computed from the body: S3 sends it in a header, the others do not.
    pub(crate) fn declared_payload_hash<'a>(&self, parts: &'a Parts) -> Option<&'a str> {
        Some(header(&parts.headers, "x-amz-content-sha256")).filter(|hash| !hash.is_empty())
    }

    /// Whether this secret made the signature over this request. A presigned request counts as right.
    pub(crate) fn is_made_with(&self, secret: &str, parts: &Parts, payload_hash: &str) -> bool {
        if self.presigned {
            return true;
        }
        let request = self.canonical_request(parts, payload_hash);
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let time = header(&parts.headers, "x-amz-date");
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256_hex(request.as_bytes()));
        let mut key = sign(format!("AWS4{secret}").as_bytes(), &self.date);
        for part in [self.region.as_str(), self.service.as_str(), "aws4_request"] {
            key = sign(&key, part);
        }
        time.starts_with(&self.date) && hex(&sign(&key, &to_sign)) == self.signature
    }

    fn canonical_request(&self, parts: &Parts, payload_hash: &str) -> String {
        let path = parts.uri.path();
        // Every service but S3 encodes the path of the address once more.
        let path = if self.service == "s3" { path.to_owned() } else { encode(path, "/") };
        let mut headers = String::new();
        for name in &self.signed_headers {
            let values: Vec<String> = parts.headers.get_all(name).iter().map(trimmed).collect();
            let _ = writeln!(headers, "{name}:{}", values.join(","));
        }
        let names = self.signed_headers.join(";");
        let query = canonical_query(parts.uri.query().unwrap_or_default());
        format!("{}\n{path}\n{query}\n{headers}\n{names}\n{payload_hash}", parts.method)
    }
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("{}={}", encode(&percent_decode(key), ""), encode(&percent_decode(value), ""))
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn percent_decode(text: &str) -> String {
    // Form decoding turns a plus into a space; in a signed query a plus is a plus.
    let text = format!("k={}", text.replace('+', "%2B"));
    form_urlencoded::parse(text.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn encode(text: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || kept.as_bytes().contains(&byte);
        if plain {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn trimmed(value: &http::HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
