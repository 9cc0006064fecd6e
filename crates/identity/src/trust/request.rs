use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use causeway_types::{AccountId, RoleArn};
use serde_json::Value as Json;

use crate::claims::Claims;

/// `AssumeRoleWithWebIdentity` with a token, as a trust policy sees it.
#[derive(Debug, Clone)]
pub struct Request {
    provider: String,
    partition: String,
    account: AccountId,
    claims: Claims,
    /// By the key's name in lower case: "Context key names are not case-sensitive".
    context: BTreeMap<String, Vec<String>>,
}

/// The request's value of a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Present(&'a [String]),
    /// AWS does not put the key into such a request.
    Missing,
    /// AWS may put it in, but what it would say is not known here.
    Unknown,
}

/// The claims that AWS makes condition keys of, for every provider that it has no table of its own for (IAM User
/// Guide, "IAM and AWS STS condition context keys", section "Available keys for AWS OIDC federation", tab "Default").
pub(super) const CLAIM_KEYS: [&str; 5] = ["amr", "aud", "email", "oaud", "sub"];

/// Keys that only signed calls bring, or only claims that Azure DevOps does not write: session tags, source identity.
/// External IDs are a parameter of `AssumeRole` alone.
const NEVER_SENT: [&str; 4] =
    ["sts:externalid", "sts:sourceidentity", "sts:transitivetagkeys", "aws:tagkeys"];

impl Request {
    /// The request of a token for a role of `account`, at a point in time.
    #[must_use]
    pub fn new(claims: &Claims, partition: &str, account: &AccountId, now: SystemTime) -> Self {
        let provider = claims.provider().to_owned();
        let request = Self {
            provider: provider.clone(),
            partition: partition.to_owned(),
            account: account.clone(),
            claims: claims.clone(),
            context: BTreeMap::new(),
        };
        let seconds =
            i64::try_from(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).unwrap_or_default();
        let iso = DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default();
        let request = request.with("aws:CurrentTime", [iso]).with("aws:EpochTime", [seconds.to_string()]);
        CLAIM_KEYS.into_iter().fold(request, |request, key| match claimed(claims, key) {
            values if values.is_empty() => request,
            values => request.with(&format!("{provider}:{key}"), values),
        })
    }

    /// The request for a role.
    #[must_use]
    pub fn for_role(claims: &Claims, role: &RoleArn, now: SystemTime) -> Self {
        Self::new(claims, role.partition(), role.account(), now)
    }

    /// With a condition key that is known beyond the claims, such as `sts:RoleSessionName` or `aws:SourceIp`.
    #[must_use]
    pub fn with<T: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.context.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
        self
    }

    /// The OIDC provider that must be the principal: its ARN ends in the issuer without `https://`.
    #[must_use]
    pub fn provider_arn(&self) -> String {
        format!("arn:{}:iam::{}:oidc-provider/{}", self.partition, self.account, self.provider)
    }

    pub(super) fn provider(&self) -> &str {
        &self.provider
    }

    pub(super) fn account(&self) -> &AccountId {
        &self.account
    }

    pub(super) fn partition(&self) -> &str {
        &self.partition
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(super) fn value(&self, key: &str) -> Value<'_> {
        let key = key.to_lowercase();
        match self.context.get(&key) {
            Some(values) => Value::Present(values),
            None if self.is_never_sent(&key) => Value::Missing,
            None => Value::Unknown,
        }
    }

    /// Only the provider that made the token brings keys of its own, and those were all put in.
    fn is_never_sent(&self, key: &str) -> bool {
        let of_a_provider = !["aws:", "sts:", "iam:", "saml:"].iter().any(|prefix| key.starts_with(prefix));
        let of_the_session = NEVER_SENT.contains(&key) || key.starts_with("aws:requesttag/");
        let claims_tags = self.claims.all().any(|(name, _)| name.starts_with("https://aws.amazon.com/"));
        of_a_provider || (of_the_session && !claims_tags)
    }

    /// The claim's name, if the key is one of this provider's.
    pub(super) fn own_claim<'a>(&self, key: &'a str) -> Option<&'a str> {
        let (provider, claim) = key.rsplit_once(':')?;
        provider.eq_ignore_ascii_case(&self.provider).then_some(claim)
    }
}

/// What AWS makes of a claim: key `aud` is the claim `azp` if there is one, and `oaud` always the claim `aud` (the same
/// table).
fn claimed(claims: &Claims, key: &str) -> Vec<String> {
    let claim = |name: &str| claims.all().find(|(key, _)| *key == name).map(|(_, value)| texts(value));
    let claim = |name: &str| claim(name).unwrap_or_default();
    match key {
        "aud" if !claim("azp").is_empty() => claim("azp"),
        "oaud" => claim("aud"),
        name => claim(name),
    }
}

fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        Json::String(text) if !text.is_empty() => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// What AWS compares with the audiences of a provider and with the key `aud` of a policy.
pub(super) fn audience_key(claims: &Claims) -> Vec<String> {
    claimed(claims, "aud")
}
