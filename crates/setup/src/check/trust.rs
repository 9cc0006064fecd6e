use std::time::SystemTime;

use causeway_identity::Claims;
use causeway_identity::trust::{Decision, Policy, Request, TrustedIdentity, evaluate, remarks};
use serde_json::{Value, json};

use super::{Finding, Severity};
use crate::aws::{AccountState, RoleState, statements, texts};
use crate::file::{Account, Role, Setup};
use crate::plan::Observed;

/// Whether a role lets its connections in, by either issuer.
pub(super) fn check(
    setup: &Setup,
    observed: &Observed,
    role: &Role,
    found: &RoleState,
    now: SystemTime,
    findings: &mut Vec<Finding>,
) {
    let mut say = |code, severity, cause| {
        findings.push(Finding {
            code,
            severity,
            place: role.account.clone(),
            subject: format!("role {}", role.arn.name()),
            cause,
            cure: "run causeway setup apply: it writes the trust policy".to_owned(),
        });
    };
    let policy = match Policy::parse(&found.trust.to_string()) {
        Ok(policy) => policy,
        Err(error) => {
            return say(
                "trust-unreadable",
                Severity::Problem,
                format!("its trust policy cannot be judged: {error}"),
            );
        }
    };
    for connection in &role.connections {
        for identity in observed.identities(setup, connection) {
            let Some(claims) = claims(&identity) else { continue };
            let request = Request::for_role(&claims, &role.arn, now);
            let is_new = identity.issuer().starts_with("https://login.microsoftonline.com/");
            let (code, severity) = match is_new {
                true => ("issuer-2027", Severity::Warning),
                false => ("trust-denied", Severity::Problem),
            };
            let who = format!("connection {connection} ({})", identity.subject());
            match evaluate(&policy, &request) {
                Decision::Granted { .. } => {}
                Decision::Denied { .. } if is_new => {
                    say(
                        code,
                        severity,
                        format!(
                            "it does not let {who} in by the new issuer (Microsoft Entra); the old one retires on 2027-07-01"
                        ),
                    );
                }
                Decision::Denied { why } => {
                    let why: Vec<String> = why.iter().map(ToString::to_string).collect();
                    say(code, severity, format!("it does not let {who} in: {}", why.join("; ")));
                }
                Decision::Undecided { why } => {
                    let why: Vec<String> = why.iter().map(ToString::to_string).collect();
                    say(
                        "trust-undecided",
                        Severity::Warning,
                        format!("whether it lets {who} in cannot be told: {}", why.join("; ")),
                    );
                }
            }
        }
    }
}

fn claims(identity: &TrustedIdentity) -> Option<Claims> {
    let audience = identity.audiences().first()?;
    let claims = json!({ "iss": identity.issuer(), "sub": identity.subject(), "aud": audience });
    Claims::from_json(claims.to_string().as_bytes()).ok()
}

/// Whether anybody beyond the named connections gets in: no `sub`, no `aud`, or a pattern.
pub(super) fn too_wide(
    account: &Account,
    state: &AccountState,
    role: &RoleState,
    findings: &mut Vec<Finding>,
) {
    let providers: Vec<&String> = state.providers.keys().filter(|arn| role.trusts(arn)).collect();
    let Ok(arn) = role.arn.parse() else { return };
    let Ok(policy) = Policy::parse(&role.trust.to_string()) else { return };
    let mut causes: Vec<String> = Vec::new();
    for provider in providers {
        let host = provider.split_once("oidc-provider/").map_or("", |(_, host)| host);
        let somebody = json!({ "iss": format!("https://{host}"), "sub": "somebody", "aud": "something" });
        if let Ok(claims) = Claims::from_json(somebody.to_string().as_bytes()) {
            let request = Request::for_role(&claims, &arn, SystemTime::UNIX_EPOCH);
            causes.extend(remarks(&policy, &request).iter().map(ToString::to_string));
        }
        causes.extend(patterns(&role.trust, host));
    }
    causes.dedup();
    for cause in causes {
        findings.push(Finding {
            code: "trust-too-wide",
            severity: Severity::Warning,
            place: account.alias.clone(),
            subject: format!("role {}", role.name),
            cause: format!("more than one connection gets in: {cause}"),
            cure: "name sub and aud with StringEquals, one value for each connection; causeway trust generate writes such a policy".to_owned(),
        });
    }
}

/// Subjects with a wildcard.
fn patterns(trust: &Value, host: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in statements(trust).filter(|statement| statement["Effect"] == "Allow") {
        for (operator, tests) in statement["Condition"].as_object().into_iter().flatten() {
            let takes_patterns = operator.contains("Like");
            for (key, values) in tests.as_object().into_iter().flatten().filter(|_| takes_patterns) {
                if key.eq_ignore_ascii_case(&format!("{host}:sub")) {
                    let wild = texts(values).filter(|value| value.contains(['*', '?']));
                    found.extend(wild.map(|value| format!("{operator} {key} is \"{value}\"")));
                }
            }
        }
    }
    found
}
