use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use url::form_urlencoded;
use uuid::Uuid;

use super::{Call, Fault, State, fault, forward, iam};
use crate::azure_devops::Verdict;
use crate::http::{Body, Cut, full, header, reply};
use crate::sigv4::{Authorization, sha256_hex};
use crate::sts::{Caller, StsError, StsRequest};

type Answer = Result<Response<Body>, Cut>;

/// The body: read already where its hash or its form is needed, else a stream.
enum Payload {
    Read(Bytes),
    Stream(Incoming),
}

pub(super) async fn answer(state: Arc<State>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let authorization = Authorization::of(&parts);
    let payload = match read(&parts, authorization.as_ref(), body).await {
        Ok(payload) => payload,
        Err(_) => return Err(Cut),
    };
    let parameters = parameters(&parts, &payload);
    let action = parameters.iter().find(|(key, _)| key == "Action").map(|(_, value)| value.as_str());
    let mut call = Call::of(&parts, authorization.as_ref(), action).with_parameters(&parameters);
    let request_id = Uuid::new_v4().to_string();
    let changes =
        call.service == "iam" && !call.operation.starts_with("Get") && !call.operation.starts_with("List");
    let verdict = state.iam.tripwire().judge(&call.operation, changes);
    if verdict == Verdict::Hold {
        std::future::pending::<()>().await;
    }
    let fault = take_fault(&state, &call);
    if let Some(fault) = &fault {
        tokio::time::sleep(fault.delay).await;
    }
    let canned = fault.as_ref().and_then(|fault| fault.render(&call.service, &request_id));
    call.by_fault = canned.is_some();
    let mut answer = match canned {
        Some(answer) => answer,
        None => serve(&state, parts, authorization, payload, parameters, &call.service, &request_id).await,
    };
    if let Ok(response) = &mut answer {
        call.status = response.status().as_u16();
        let id = request_id.parse().expect("a request id");
        response.headers_mut().insert("x-amzn-requestid", id);
        if let Some(date) = state.date() {
            response.headers_mut().insert("date", date.parse().expect("a date"));
        }
    }
    state.calls.lock().unwrap().push(call);
    if verdict == Verdict::CarryOutAndHold {
        std::future::pending::<()>().await;
    }
    answer
}

async fn serve(
    state: &State,
    parts: Parts,
    authorization: Option<Authorization>,
    payload: Payload,
    parameters: Vec<(String, String)>,
    service: &str,
    request_id: &str,
) -> Answer {
    let caller = match authorization.map(|found| judge(state, &found, &parts, &payload)).transpose() {
        Ok(caller) => caller,
        Err(refusal) => return Ok(refuse(service, &refusal, request_id)),
    };
    if service == "sts" {
        if let Some(moto) = &state.moto {
            iam::learn(&state.client, moto, &state.iam, &parameters).await;
        }
        return Ok(sts(state, StsRequest { parameters, caller }, request_id));
    }
    let Some(caller) = caller else {
        return Ok(refuse(service, &StsError::missing_authentication(), request_id));
    };
    if service == "iam"
        && let Some(body) = iam::role_of_sts(state, &caller.account, &parameters).await
    {
        return Ok(reply(200, "text/xml", body));
    }
    let Some(moto) = &state.moto else {
        let message = "this world has no moto: make it with World::with_aws()";
        return Ok(fault::error(service, 501, "NotImplemented", message, request_id));
    };
    if service == "iam"
        && let Some(body) = iam::audiences(&state.client, moto, &caller.account, &parameters).await
    {
        return Ok(reply(200, "text/xml", body));
    }
    let body = match payload {
        Payload::Read(bytes) => full(bytes),
        Payload::Stream(body) => body.boxed(),
    };
    forward::to_moto(&state.client, moto, &caller.account, parts, body).await
}

/// Key, token, expiry, then the signature.
fn judge(state: &State, found: &Authorization, parts: &Parts, payload: &Payload) -> Result<Caller, StsError> {
    state.check_time(&found.service, parts)?;
    let (caller, secret) = state.iam.judge(&found.access_key, found.session_token.as_deref())?;
    let computed = match payload {
        Payload::Read(bytes) => sha256_hex(bytes),
        Payload::Stream(_) => String::new(),
    };
    let hash = found.declared_payload_hash(parts).unwrap_or(&computed);
    let is_true =
        matches!(payload, Payload::Stream(_)) || hash == computed || hash.contains("UNSIGNED-PAYLOAD");
    if is_true && found.is_made_with(&secret, parts, hash) {
        Ok(caller)
    } else {
        Err(StsError::signature_does_not_match())
    }
}

fn sts(state: &State, request: StsRequest, request_id: &str) -> Response<Body> {
    let action = request.text("Action").to_owned();
    match state.iam.answer(&request) {
        Ok(result) => {
            let body = format!(
                "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}\
                 </{action}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
                 </{action}Response>"
            );
            reply(200, "text/xml", body)
        }
        Err(refusal) => refuse("sts", &refusal, request_id),
    }
}

fn refuse(service: &str, refusal: &StsError, request_id: &str) -> Response<Body> {
    fault::error(service, refusal.status, refusal.code, &refusal.message, request_id)
}

/// S3 payloads are streamed: they may be large, and their hash is declared in a header.
async fn read(
    parts: &Parts,
    authorization: Option<&Authorization>,
    body: Incoming,
) -> Result<Payload, hyper::Error> {
    let is_s3 = authorization.is_some_and(|found| found.service == "s3");
    if is_s3 || (authorization.is_none() && !is_form(parts)) {
        return Ok(Payload::Stream(body));
    }
    Ok(Payload::Read(body.collect().await?.to_bytes()))
}

fn is_form(parts: &Parts) -> bool {
    header(&parts.headers, "content-type").starts_with("application/x-www-form-urlencoded")
}

/// The form parameters of a query-protocol call.
fn parameters(parts: &Parts, payload: &Payload) -> Vec<(String, String)> {
    match payload {
        Payload::Read(bytes) if is_form(parts) => form_urlencoded::parse(bytes).into_owned().collect(),
        _ => Vec::new(),
    }
}

/// The first fault that fits, counted down; those that are used up are gone.
fn take_fault(state: &State, call: &Call) -> Option<Fault> {
    let mut faults = state.faults.lock().unwrap();
    let at = faults.iter().position(|(service, operation, _)| call.is(service, operation))?;
    let fault = faults[at].2.clone();
    faults[at].2.times -= 1;
    if faults[at].2.times == 0 {
        faults.remove(at);
    }
    Some(fault)
}
