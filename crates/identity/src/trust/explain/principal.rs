use super::super::pattern::Pattern;
use super::super::principal::{Kind, Principals};
use super::super::request::Request;
use super::difference::{organization_of, unseen};
use super::quoted;

/// Why the token's provider is not among the principals.
pub(super) fn mismatch(principals: &Principals, request: &Request) -> String {
    let wanted = request.provider_arn();
    let named: Vec<String> = principals.federated().map(str::to_owned).collect();
    if named.is_empty() {
        return format!(
            "it trusts {}, not the OIDC provider {wanted} (write it as Principal.Federated)",
            others(principals)
        );
    }
    let hint = named.iter().find_map(|named| difference(named, request)).unwrap_or_default();
    format!(
        "the token comes through the OIDC provider \"{wanted}\", the policy trusts {}{hint}",
        quoted(&named)
    )
}

fn others(principals: &Principals) -> String {
    let kind = |kind: Kind| match kind {
        Kind::Service => "AWS service",
        Kind::CanonicalUser => "canonical user",
        Kind::Everyone | Kind::Aws | Kind::Federated => "AWS principal",
    };
    let named: Vec<String> =
        principals.named.iter().map(|(of, name)| format!("the {} {name}", kind(*of))).collect();
    named.join(" and ")
}

/// The one thing that differs, in parentheses.
fn difference(named: &str, request: &Request) -> Option<String> {
    let wanted = request.provider_arn();
    if let Some(unseen) = unseen(&wanted, named) {
        return Some(format!(" ({unseen})"));
    }
    let Some((partition, account, host)) = parts(named) else {
        return Some(match named.trim_start_matches("https://") {
            host if host == request.provider() => {
                " (the ARN of the provider is wanted, not its address)".into()
            }
            _ => " (this is not the ARN of an OIDC provider)".into(),
        });
    };
    let problems = [
        (partition != request.partition())
            .then(|| format!("the partition differs: the role is in {}", request.partition())),
        (account != request.account().as_str()).then(|| {
            format!(
                "the account differs: the provider must be in the role's own account {}",
                request.account()
            )
        }),
        (host != request.provider()).then(|| of_hosts(host, request.provider())),
    ];
    let problems: Vec<String> = problems.into_iter().flatten().collect();
    Some(format!(" ({})", problems.join("; ")))
}

/// Partition, account, and host with path of a provider's ARN.
fn parts(arn: &str) -> Option<(&str, &str, &str)> {
    let mut fields = arn.splitn(6, ':');
    let (Some("arn"), Some(partition), Some("iam"), Some(""), Some(account), Some(resource)) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return None;
    };
    Some((partition, account, resource.strip_prefix("oidc-provider/")?))
}

/// How the policy's provider differs from the token's.
pub(super) fn of_hosts(named: &str, provider: &str) -> String {
    if named.starts_with("https://") || named.starts_with("http://") {
        return "https:// does not belong there".to_owned();
    }
    if named.eq_ignore_ascii_case(provider) {
        return "case differs".to_owned();
    }
    if named.trim_end_matches('/') == provider.trim_end_matches('/') {
        return "a slash at the end differs".to_owned();
    }
    if named.contains(['*', '?']) && Pattern::with_wildcards(named).matches(provider) {
        return "a principal takes no wildcards".to_owned();
    }
    match (organization_of(named), organization_of(provider)) {
        (Some(named), Some(own)) => format!("another organization: {named} there, this job's is {own}"),
        _ => format!("another issuer: {named} there, the token's is {provider}"),
    }
}
