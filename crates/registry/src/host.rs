use std::fmt;
use std::str::FromStr;

use causeway_types::{AccountId, Region};

/// ECR Public's hosts, the second one dual-stack ("Making requests to Amazon ECR Public registries", ECR
/// Public User Guide).
const PUBLIC_HOSTS: [&str; 2] = ["public.ecr.aws", "ecr-public.aws.com"];

/// The host of a registry of Amazon ECR. Written out it is the bare host, as image names begin with it.
///
/// | form | which |
/// |---|---|
/// | `<account>.dkr.ecr[-fips].<region>.<suffix>` | a private registry (`amazonaws.com`, …) |
/// | `<account>.dkr-ecr[-fips].<region>.on.<suffix>` | the same over IPv4 and IPv6 (`on.aws`, …) |
/// | `public.ecr.aws`, `ecr-public.aws.com` | ECR Public |
///
/// Sources: "Amazon ECR endpoints and quotas" (AWS General Reference), "Making requests to Amazon ECR
/// registries" (ECR User Guide). The dual-stack suffix is the partition's own, `api.` replaced by `on.`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryHost {
    text: String,
    private: Option<PrivateRegistry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PrivateRegistry {
    account: AccountId,
    region: Region,
    fips: bool,
    dual_stack: bool,
}

/// The text is not the host of an ECR registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not the host of an ECR registry: {reason}")]
pub struct InvalidRegistryHost {
    text: String,
    reason: &'static str,
}

impl InvalidRegistryHost {
    /// What was given, without a user name and password.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl RegistryHost {
    /// The registry of an account in a region, in the partition's plain form.
    #[must_use]
    pub fn private(account: AccountId, region: Region) -> Self {
        let text = format!("{account}.dkr.ecr.{region}.{}", region.partition().dns_suffix());
        Self { text, private: Some(PrivateRegistry { account, region, fips: false, dual_stack: false }) }
    }

    /// ECR Public.
    #[must_use]
    pub fn public() -> Self {
        Self { text: PUBLIC_HOSTS[0].to_owned(), private: None }
    }

    /// The bare host.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The account whose registry it is; none for ECR Public.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.private.as_ref().map(|private| &private.account)
    }

    /// The region of the registry; none for ECR Public.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        self.private.as_ref().map(|private| &private.region)
    }

    /// Whether it is ECR Public.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.private.is_none()
    }

    /// Whether both are hosts of the same registry: FIPS and dual-stack make other hosts of it.
    #[must_use]
    pub fn is_same_registry(&self, other: &Self) -> bool {
        self.account() == other.account() && self.region() == other.region()
    }

    /// Whether it is a FIPS endpoint.
    #[must_use]
    pub fn is_fips(&self) -> bool {
        self.private.as_ref().is_some_and(|private| private.fips)
    }

    /// Whether it answers over IPv6 too.
    #[must_use]
    pub fn is_dual_stack(&self) -> bool {
        match &self.private {
            Some(private) => private.dual_stack,
            None => self.text == PUBLIC_HOSTS[1],
        }
    }
}

impl FromStr for RegistryHost {
    type Err = InvalidRegistryHost;

    /// Reads a host, with or without `https://` in front and a slash behind. Upper case is lowered, as DNS
    /// does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.trim()).map_err(|reason| InvalidRegistryHost { text: without_user(text), reason })
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The text for a message: what stands before an `@` may hold a password.
fn without_user(text: &str) -> String {
    text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, host)| format!("***@{host}"))
}

fn parse(text: &str) -> Result<RegistryHost, &'static str> {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").unwrap_or(&lower);
    let host = rest.strip_suffix('/').unwrap_or(rest);
    check_bare(host)?;
    if PUBLIC_HOSTS.contains(&host) {
        return Ok(RegistryHost { text: host.to_owned(), private: None });
    }
    let private = parse_private(host)?;
    Ok(RegistryHost { text: host.to_owned(), private: Some(private) })
}

/// Refuses what is more than a host.
fn check_bare(host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("it is empty");
    }
    if host.contains("://") {
        return Err("only https:// may stand before the host");
    }
    if host.contains('@') {
        return Err("a user name stands before the host");
    }
    if host.contains(['/', '?', '#', '\\']) {
        return Err("a path stands behind the host");
    }
    if host.contains(':') {
        return Err("a port stands behind the host; ECR has none");
    }
    let is_host_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if host.bytes().all(is_host_letter) { Ok(()) } else { Err("it holds characters that no host has") }
}

fn parse_private(host: &str) -> Result<PrivateRegistry, &'static str> {
    const FORM: &str = "the form is <account>.dkr.ecr.<region>.amazonaws.com, \
        <account>.dkr-ecr.<region>.on.aws or public.ecr.aws";
    let (account, rest) = host.split_once('.').ok_or(FORM)?;
    let (fips, dual_stack, rest) = strip_service(rest).ok_or(FORM)?;
    let (region, suffix) = rest.split_once('.').ok_or(FORM)?;
    let account = account.parse().map_err(|_| "it does not begin with an account of twelve digits")?;
    let region: Region = region.parse().map_err(|_| "no region stands in its place")?;
    if !is_suffix_of(&region, dual_stack, suffix) {
        return Err("it does not end as the hosts of this region do");
    }
    Ok(PrivateRegistry { account, region, fips, dual_stack })
}

/// Takes the service's labels away; answers FIPS, dual-stack, and the rest.
fn strip_service(rest: &str) -> Option<(bool, bool, &str)> {
    const FORMS: [(&str, bool, bool); 4] = [
        ("dkr.ecr.", false, false),
        ("dkr.ecr-fips.", true, false),
        ("dkr-ecr.", false, true),
        ("dkr-ecr-fips.", true, true),
    ];
    FORMS.iter().find_map(|(labels, fips, dual)| rest.strip_prefix(labels).map(|rest| (*fips, *dual, rest)))
}

fn is_suffix_of(region: &Region, dual_stack: bool, suffix: &str) -> bool {
    let partition = region.partition();
    if !dual_stack {
        return suffix == partition.dns_suffix();
    }
    let own = partition.dual_stack_dns_suffix().strip_prefix("api.");
    own.is_some_and(|own| suffix.strip_prefix("on.") == Some(own))
}
