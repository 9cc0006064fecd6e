use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::account::Books;
use super::policy::{Action, Context, Principal};
use super::request::credentials;
use super::role::session;
use super::{Caller, StsError, StsRequest};
use crate::jwt::Token;

/// Answers `AssumeRoleWithWebIdentity`.
pub(super) fn assume(
    books: &mut Books,
    request: &StsRequest,
    keys: &[Value],
    now: SystemTime,
) -> Result<String, StsError> {
    let arn = request.required("RoleArn")?;
    let name = request.session_name()?;
    let token = Token::parse(request.required("WebIdentityToken")?).ok_or_else(not_a_token)?;
    let account = arn.split(':').nth(4).unwrap_or_default();
    let host = check_token(books, account, &token, keys, now)?;
    let (role, role_id) = books.role(arn).ok_or_else(denied)?;
    let provider = format!("arn:aws:iam::{account}:oidc-provider/{host}");
    if !context(request, &host, provider.clone(), &token)
        .allows(&role.trust_policy, Action::AssumeRoleWithWebIdentity)
    {
        return Err(denied());
    }
    let duration = request.duration(&role)?;
    let user = Caller::session(arn, &role_id, name);
    let session = session("AssumeRoleWithWebIdentity", request, &user, duration);
    let (key, expires) = books.open(session, user.clone());
    Ok(format!(
        "{}<SubjectFromWebIdentityToken>{}</SubjectFromWebIdentityToken><Audience>{}</Audience><Provider>{}</Provider>",
        credentials(&key, expires, &user),
        token.claim("sub"),
        token.claim("aud"),
        provider,
    ))
}

/// Issuer, signature, audience and times; the issuer's host and path when all are good.
fn check_token(
    books: &Books,
    account: &str,
    token: &Token,
    keys: &[Value],
    now: SystemTime,
) -> Result<String, StsError> {
    let issuer = token.claim("iss");
    let host = issuer.strip_prefix("https://").ok_or_else(not_a_token)?.to_owned();
    let audiences = books.audiences(account, &host).ok_or_else(|| {
        StsError::invalid_identity_token(format!(
            "No OpenIDConnect provider found in your account for {issuer}"
        ))
    })?;
    if !keys.iter().any(|key| key["kid"] == token.header["kid"]) {
        return Err(StsError::invalid_identity_token(
            "Couldn't retrieve verification key from your identity provider,  please reference \
             AssumeRoleWithWebIdentity documentation for requirements",
        ));
    }
    if !token.is_signed_by_one_of(keys) {
        return Err(StsError::invalid_identity_token("The signature of the ID Token is invalid"));
    }
    if !audiences.iter().any(|audience| audience == token.claim("aud")) {
        return Err(StsError::invalid_identity_token("Incorrect token audience"));
    }
    check_times(token, now)?;
    Ok(host)
}

fn check_times(token: &Token, now: SystemTime) -> Result<(), StsError> {
    let now = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let expires = token.time("exp").ok_or_else(not_a_token)?;
    token.time("iat").ok_or_else(|| StsError::invalid_identity_token("Missing a required claim: iat"))?;
    if expires <= now {
        return Err(StsError::expired_token(format!(
            "Token expired: current date/time {now} must be before the expiration date/time {expires}"
        )));
    }
    if token.time("nbf").is_some_and(|not_before| not_before > now) {
        return Err(StsError::invalid_identity_token("The ID Token is not valid yet"));
    }
    Ok(())
}

fn context(request: &StsRequest, host: &str, provider: String, token: &Token) -> Context {
    let mut keys = vec![
        (format!("{host}:aud"), token.claim("aud").to_owned()),
        (format!("{host}:sub"), token.claim("sub").to_owned()),
        ("sts:RoleSessionName".to_owned(), request.text("RoleSessionName").to_owned()),
    ];
    keys.retain(|(_, value)| !value.is_empty());
    Context { principal: Principal::Federated { provider }, keys }
}

fn not_a_token() -> StsError {
    StsError::invalid_identity_token(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    )
}

fn denied() -> StsError {
    StsError::access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
}
