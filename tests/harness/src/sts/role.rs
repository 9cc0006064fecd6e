use super::account::{Books, Session};
use super::policy::{Action, Context, Principal};
use super::request::credentials;
use super::{AccessKey, Caller, StsError, StsRequest};

/// Answers `AssumeRole`.
pub(super) fn assume(books: &mut Books, request: &StsRequest) -> Result<String, StsError> {
    let caller = request.caller()?;
    let arn = request.required("RoleArn")?;
    let name = request.session_name()?;
    let denied = |action: &str| {
        let arn = request.text("RoleArn");
        StsError::access_denied(format!(
            "User: {} is not authorized to perform: {action} on resource: {arn}",
            caller.arn
        ))
    };
    let (role, role_id) = books.role(arn).ok_or_else(|| denied("sts:AssumeRole"))?;
    let context = context(request, caller);
    for action in actions(request) {
        if !context.allows(&role.trust_policy, action) {
            return Err(denied(action.name()));
        }
    }
    let duration = request.duration(&role)?;
    if caller.is_session && duration.0 > 3600 {
        return Err(StsError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    let user = Caller::session(arn, &role_id, name);
    let session = session("AssumeRole", request, &user, duration);
    let (key, expires) = books.open(session, user.clone());
    Ok(credentials(&key, expires, &user))
}

/// The session that a request asks for; its key comes when it is opened.
pub(super) fn session(
    operation: &str,
    request: &StsRequest,
    user: &Caller,
    duration: (u64, bool),
) -> Session {
    Session {
        operation: operation.to_owned(),
        role_arn: request.text("RoleArn").to_owned(),
        name: request.text("RoleSessionName").to_owned(),
        arn: user.arn.clone(),
        duration,
        parameters: request.remembered(),
        key: AccessKey { id: String::new(), secret: String::new(), session_token: None },
    }
}

/// Tags and a source identity each need a permission of their own in the trust policy.
fn actions(request: &StsRequest) -> Vec<Action> {
    let mut actions = vec![Action::AssumeRole];
    if !request.text("SourceIdentity").is_empty() {
        actions.push(Action::SetSourceIdentity);
    }
    if request.parameters.iter().any(|(key, _)| key.starts_with("Tags.member.")) {
        actions.push(Action::TagSession);
    }
    actions
}

fn context(request: &StsRequest, caller: &Caller) -> Context {
    let mut keys = vec![("aws:PrincipalArn".to_owned(), caller.principal.clone())];
    for (key, parameter) in [
        ("sts:ExternalId", "ExternalId"),
        ("sts:RoleSessionName", "RoleSessionName"),
        ("sts:SourceIdentity", "SourceIdentity"),
    ] {
        if !request.text(parameter).is_empty() {
            keys.push((key.to_owned(), request.text(parameter).to_owned()));
        }
    }
    for (key, tag) in &request.parameters {
        if let Some(index) = key.strip_prefix("Tags.member.").and_then(|rest| rest.strip_suffix(".Key")) {
            let value = request.text(&format!("Tags.member.{index}.Value"));
            keys.push((format!("aws:RequestTag/{tag}"), value.to_owned()));
        }
    }
    Context {
        principal: Principal::Aws { arn: caller.principal.clone(), account: caller.account.clone() },
        keys,
    }
}
