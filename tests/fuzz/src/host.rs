//! What is taken for a registry's host is one, and nothing in it leads elsewhere.

use causeway_registry::RegistryHost;

pub(super) const EXAMPLES: &[&str] = &[
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
    "123456789012.dkr-ecr.eu-west-1.on.aws",
    "public.ecr.aws",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/x@evil.example",
];

pub(super) fn run(data: &[u8]) {
    let text = crate::text(data);
    let Ok(host) = text.parse::<RegistryHost>() else { return };
    let name = host.as_str();
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || ".-".contains(letter);
    assert!(name.chars().all(plain), "{text:?} becomes {name:?}");
    let end = [".amazonaws.com", ".amazonaws.com.cn", ".on.aws", ".on.amazonwebservices.com.cn", ".ecr.aws"];
    let is_awss = end.iter().any(|end| name.ends_with(end)) || host.region().is_some() || host.is_public();
    assert!(is_awss && name.parse().as_ref() == Ok(&host), "{text:?} becomes {name:?}");
}
