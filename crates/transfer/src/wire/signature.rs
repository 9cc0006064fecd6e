//! Signature Version 4 in headers, as S3 wants it: the path is encoded once, the payload's hash is a header (Amazon S3
//! API Reference, "Authenticating Requests: Using the Authorization Header").
//!
//! `aws_sigv4::http_request::sign` is made for any request of any service, and takes a tenth of the time that a small
//! object costs. The keys and the signature are the same crate's; only the text that is signed is put together here,
//! and the tests compare the two.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;
use http::header::{self, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::{Digest as _, Sha256};

use crate::checksum::push_hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const PAYLOAD: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// What is signed of a request beside its headers.
pub(super) struct Signable<'a> {
    pub(super) method: &'a Method,
    /// Encoded.
    pub(super) path: &'a str,
    /// Encoded, in the order of the names, each with a value.
    pub(super) query: &'a str,
    /// The header `x-amz-content-sha256`.
    pub(super) payload: &'a str,
}

/// What all signatures of one second and one key share.
pub(super) struct Second {
    number: u64,
    date_time: HeaderValue,
    /// The first lines of what is signed.
    start: String,
    /// The authorization up to the names of the headers.
    authorization: String,
    token: Option<HeaderValue>,
    key: SecretSlice<u8>,
}

impl Second {
    pub(super) fn new(
        credentials: &Credentials,
        now: SystemTime,
        region: &str,
        service: &str,
    ) -> Result<Self, InvalidHeaderValue> {
        let number = number(now);
        let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(number);
        // 2026-11-21T12:00:00Z, and without what SigV4 leaves out of it.
        let date_time =
            DateTime::from(whole).fmt(Format::DateTime).unwrap_or_default().replace(['-', ':'], "");
        let day = date_time.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{region}/{service}/aws4_request");
        let token = credentials.session_token().map(HeaderValue::from_str).transpose()?.map(|mut token| {
            token.set_sensitive(true);
            token
        });
        let key = generate_signing_key(credentials.secret_access_key(), whole, region, service);
        Ok(Self {
            number,
            start: format!("{ALGORITHM}\n{date_time}\n{scope}\n"),
            authorization: format!(
                "{ALGORITHM} Credential={}/{scope}, SignedHeaders=",
                credentials.access_key_id()
            ),
            date_time: HeaderValue::from_str(&date_time)?,
            token,
            key: key.as_ref().to_vec().into(),
        })
    }

    /// Whether it is the second of this moment.
    pub(super) fn is(&self, now: SystemTime) -> bool {
        self.number == number(now)
    }

    /// Adds the headers of a signature. What is signed are all headers but those that may change on the way.
    pub(super) fn sign(
        &self,
        request: &Signable<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), InvalidHeaderValue> {
        headers.insert(DATE, self.date_time.clone());
        headers.insert(PAYLOAD, HeaderValue::from_str(request.payload)?);
        if let Some(token) = &self.token {
            headers.insert(TOKEN, token.clone());
        }
        let (canonical, names) = canonical(request, headers);
        let mut text = String::with_capacity(self.start.len() + 64);
        text.push_str(&self.start);
        push_hex(&mut text, &Sha256::digest(canonical));
        let signature = calculate_signature(self.key.expose_secret(), text.as_bytes());
        let mut value = String::with_capacity(
            self.authorization.len() + names.len() + ", Signature=".len() + signature.len(),
        );
        for part in [&self.authorization, &names, ", Signature=", &signature] {
            value.push_str(part);
        }
        let mut value = HeaderValue::from_maybe_shared(Bytes::from(value))?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
        Ok(())
    }
}

/// The seconds since 1970.
fn number(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The canonical request, and the names of its headers.
fn canonical(request: &Signable<'_>, headers: &HeaderMap) -> (String, String) {
    let mut signed: Vec<(&str, &str)> = headers
        .iter()
        // Proxies change what a client says of itself; what is no text cannot be signed.
        .filter(|(name, _)| {
            !matches!(**name, header::AUTHORIZATION | header::USER_AGENT | header::TRANSFER_ENCODING)
        })
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    // A stable one: the values of one name stay in their order.
    signed.sort_by_key(|(name, _)| *name);
    let bytes: usize = signed.iter().map(|(name, value)| 2 * name.len() + value.len() + 3).sum();
    let mut text = String::with_capacity(request.path.len() + request.query.len() + bytes + 128);
    let mut names = String::with_capacity(bytes / 2);
    for part in [request.method.as_str(), "\n", request.path, "\n", request.query] {
        text.push_str(part);
    }
    for (at, (name, value)) in signed.iter().enumerate() {
        if at > 0 && signed[at - 1].0 == *name {
            text.push(',');
        } else {
            text.push('\n');
            text.push_str(name);
            text.push(':');
            names.push_str(if names.is_empty() { "" } else { ";" });
            names.push_str(name);
        }
        push_trimmed(&mut text, value);
    }
    for part in ["\n\n", &names, "\n", request.payload] {
        text.push_str(part);
    }
    (text, names)
}

/// Without spaces around it, and with one where there were several (SigV4, `Trim`).
fn push_trimmed(text: &mut String, value: &str) {
    for (at, word) in value.split(' ').filter(|word| !word.is_empty()).enumerate() {
        text.push_str(if at == 0 { "" } else { " " });
        text.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sigv4::http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    };
    use aws_sigv4::sign::v4;
    use percent_encoding::utf8_percent_encode;
    use proptest::prelude::*;

    use crate::wire::RESERVED;

    /// The headers that the official crate adds.
    fn official(
        credentials: &Credentials,
        now: SystemTime,
        request: &Signable<'_>,
        headers: &HeaderMap,
    ) -> Vec<(String, String)> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name("s3")
            .time(now)
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let mark = if request.query.is_empty() { "" } else { "?" };
        let address = format!("https://shop.example{}{mark}{}", request.path, request.query);
        let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = match request.payload {
            "UNSIGNED-PAYLOAD" => SignableBody::UnsignedPayload,
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => SignableBody::StreamingUnsignedPayloadTrailer,
            hash => SignableBody::Precomputed(hash.to_owned()),
        };
        let signable = SignableRequest::new(request.method.as_str(), &address, texts, body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let added = instructions.into_parts().0;
        added.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect()
    }

    fn credentials(token: Option<String>) -> Credentials {
        Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token, None, "test")
    }

    proptest! {
        #[test]
        fn it_is_what_the_official_crate_signs(
            seconds in 0..4_102_444_800_u64,
            token in proptest::option::of("[A-Za-z0-9+/=]{1,200}"),
            method in proptest::sample::select(vec![Method::GET, Method::PUT, Method::HEAD]),
            path in "(/[A-Za-z0-9._~-]{0,5}(%[0-9A-F]{2})?){1,5}",
            part in proptest::option::of((1..10_000_u16, "[ -~ü]{1,40}")),
            values in proptest::collection::vec(("x-amz-meta-[a-z0-9-]{1,8}", "[ -~\tü]{0,30}"), 0..8),
            payload in proptest::sample::select(vec![
                super::super::EMPTY_SHA256, super::super::UNSIGNED, super::super::UNSIGNED_WITH_TRAILER,
            ]),
        ) {
            let query = part.map(|(number, id)| {
                format!("partNumber={number}&uploadId={}", utf8_percent_encode(&id, RESERVED))
            }).unwrap_or_default();
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("shop.example"));
            headers.insert(header::USER_AGENT, HeaderValue::from_static("causeway/1"));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("4096"));
            for (name, value) in &values {
                headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
            }
            let (credentials, now) = (credentials(token), SystemTime::UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 999));
            let request = Signable { method: &method, path: &path, query: &query, payload };
            let expected = official(&credentials, now, &request, &headers);
            Second::new(&credentials, now, "eu-west-1", "s3").unwrap().sign(&request, &mut headers).unwrap();
            for (name, value) in &expected {
                prop_assert_eq!(headers.get(name.as_str()).and_then(|value| value.to_str().ok()), Some(value.as_str()));
            }
            prop_assert!(expected.len() >= 3);
        }
    }

    #[test]
    fn a_second_is_over_when_the_next_begins() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let second = Second::new(&credentials(None), at(86_400_000), "eu-west-1", "s3").unwrap();
        assert!(second.is(at(86_400_999)) && !second.is(at(86_401_000)) && !second.is(at(86_399_999)));
        assert_eq!(second.date_time, "19700102T000000Z");
    }

    #[test]
    fn what_is_secret_is_marked_so() {
        let second =
            Second::new(&credentials(Some("token".into())), SystemTime::now(), "eu-west-1", "s3").unwrap();
        let mut headers = HeaderMap::new();
        let request =
            Signable { method: &Method::GET, path: "/", query: "", payload: super::super::EMPTY_SHA256 };
        second.sign(&request, &mut headers).unwrap();
        assert!(headers[TOKEN].is_sensitive() && headers[header::AUTHORIZATION].is_sensitive());
    }

    #[test]
    fn a_token_that_cannot_be_a_header_is_refused() {
        assert!(
            Second::new(&credentials(Some("a\nb".into())), SystemTime::now(), "eu-west-1", "s3").is_err()
        );
    }
}
