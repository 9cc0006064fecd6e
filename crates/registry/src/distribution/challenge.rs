use secrecy::SecretString;
use url::Url;

/// `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// Reads a Bearer challenge; `None` for any other.
    pub(super) fn bearer(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let value = |name: &str| parameters(rest).find(|(key, _)| key.eq_ignore_ascii_case(name));
        Some(Self {
            realm: value("realm")?.1.to_owned(),
            service: value("service").map(|(_, value)| value.to_owned()),
            scope: value("scope").map(|(_, value)| value.to_owned()),
        })
    }

    /// Where the token is to be had.
    pub(super) fn address(&self) -> Option<Url> {
        let mut url = Url::parse(&self.realm).ok()?;
        for (name, value) in [("service", &self.service), ("scope", &self.scope)] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Some(url)
    }
}

/// `key="value"` pairs; a comma within quotes does not end one.
fn parameters(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (key, after) = rest.trim_start_matches([',', ' ']).split_once('=')?;
        let value;
        (value, rest) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        Some((key.trim(), value.trim()))
    })
}

/// The token of the answer: `token`, or OAuth's `access_token`.
pub(super) fn token(json: &[u8]) -> Option<SecretString> {
    let json: serde_json::Value = serde_json::from_slice(json).ok()?;
    let token = json["token"].as_str().or_else(|| json["access_token"].as_str())?;
    (!token.is_empty()).then(|| SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_challenge_becomes_an_address() {
        let header =
            r#"Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws a,b""#;
        let address = Challenge::bearer(header).unwrap().address().unwrap();
        assert_eq!(address.as_str(), "https://public.ecr.aws/token/?service=public.ecr.aws&scope=aws+a%2Cb");
        let bare = Challenge::bearer("bearer realm=https://x.example/t, service=x").unwrap();
        assert_eq!(bare.address().unwrap().as_str(), "https://x.example/t?service=x");
        for other in ["Basic realm=\"x\"", "", "Bearer", "Bearer service=\"x\""] {
            assert_eq!(Challenge::bearer(other), None, "{other}");
        }
    }
}
