//! How two subjects of Azure DevOps differ, part by part.

/// A subject, taken apart.
enum Form<'a> {
    /// `sc://{organization}/{project}/{connection}`
    Connection(&'a str),
    /// `p://{organization}/{project}/{pipeline}`
    Pipeline(&'a str),
    /// `…/sc/{organization id}/{connection id}` of the Microsoft Entra issuer: what stands before, and the ids.
    Entra(&'a str, &'a str),
    Other,
}

fn form(subject: &str) -> Form<'_> {
    if let Some(path) = subject.strip_prefix("sc://") {
        return Form::Connection(path);
    }
    if let Some(path) = subject.strip_prefix("p://") {
        return Form::Pipeline(path);
    }
    match subject.split_once("/sc/") {
        Some((before, ids)) if before.starts_with("/eid1/") => Form::Entra(before, ids),
        _ => Form::Other,
    }
}

pub(super) fn difference(found: &str, wanted: &str) -> Option<String> {
    forms_differ(found, wanted).or_else(|| match (form(found), form(wanted)) {
        (Form::Connection(found), Form::Connection(wanted)) => {
            parts_differ(found, wanted, &["organization", "project", "connection"])
        }
        (Form::Pipeline(found), Form::Pipeline(wanted)) => {
            parts_differ(found, wanted, &["organization", "project", "pipeline"])
        }
        (Form::Entra(tenant, _), Form::Entra(other, _)) if tenant != other => {
            Some("the tenant's part before /sc/ differs".to_owned())
        }
        (Form::Entra(_, found), Form::Entra(_, wanted)) => {
            parts_differ(found, wanted, &["organization id", "connection id"])
        }
        _ => None,
    })
}

/// A connection's subject against a pipeline's, the old issuer's against the new one's.
pub(super) fn forms_differ(found: &str, wanted: &str) -> Option<String> {
    let words = match (form(found), form(wanted)) {
        (Form::Connection(_), Form::Pipeline(_)) => {
            "the policy names a pipeline (p://), the token is a service connection's (sc://)"
        }
        (Form::Pipeline(_), Form::Connection(_)) => {
            "the policy names a service connection (sc://), the token is the pipeline's own (p://)"
        }
        (Form::Entra(..), Form::Connection(_) | Form::Pipeline(_)) => {
            "the policy has the old issuer's form, the token that of the Microsoft Entra issuer"
        }
        (Form::Connection(_) | Form::Pipeline(_), Form::Entra(..)) => {
            "the policy has the form of the Microsoft Entra issuer, the token the old issuer's"
        }
        _ => return None,
    };
    Some(words.to_owned())
}

/// The parts that differ by name; the last one may hold slashes.
fn parts_differ(found: &str, wanted: &str, names: &[&str]) -> Option<String> {
    let found: Vec<&str> = found.splitn(names.len(), '/').collect();
    let wanted: Vec<&str> = wanted.splitn(names.len(), '/').collect();
    if wanted.len() < names.len() {
        return Some(format!("the policy's value lacks the {}", names[wanted.len()]));
    }
    let differing =
        names.iter().zip(found.iter().zip(&wanted)).filter(|(_, (found, wanted))| found != wanted);
    let words: Vec<String> = differing
        .map(|(name, (found, wanted))| {
            let case = if found.to_lowercase() == wanted.to_lowercase() { " in case" } else { "" };
            format!("the {name} differs{case}: \"{found}\" is not \"{wanted}\"")
        })
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}
