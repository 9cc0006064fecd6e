use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Result;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use causeway_agent::{Console, Inputs};
use url::Url;

use super::fault::innermost;

/// The answer's own name for the request; each service has its header for it.
const REQUEST_IDS: [&str; 3] = ["x-amzn-requestid", "x-amz-request-id", "x-vss-e2eid"];
/// What the Query protocol, which STS speaks, begins a content with.
const ACTION: &str = "Action=";

/// Tells the log of the requests that leave and the answers that come (inputs `logRequest` and `logResponse`).
///
/// Neither headers nor contents are told, and of a query only the names: tokens, signatures, keys and values are in all
/// three.
#[derive(Clone)]
pub(crate) struct Traffic {
    console: Arc<Console>,
    requests: bool,
    responses: bool,
    asked: Arc<AtomicU64>,
}

/// A request that is under way.
pub(super) struct Exchange {
    number: u64,
    begun: Instant,
    told: String,
}

impl Traffic {
    /// `None` when the step wants to hear of none.
    ///
    /// # Errors
    /// An input is neither true nor false.
    pub(crate) fn read(inputs: Inputs<'_>, console: &Arc<Console>) -> Result<Option<Self>> {
        let (requests, responses) = (inputs.flag("logRequest", false)?, inputs.flag("logResponse", false)?);
        let traffic = Self { console: console.clone(), requests, responses, asked: Arc::default() };
        Ok((requests || responses).then_some(traffic))
    }

    pub(super) fn asked(&self, request: &HttpRequest) -> Exchange {
        let exchange = Exchange {
            number: self.asked.fetch_add(1, Ordering::Relaxed) + 1,
            begun: Instant::now(),
            told: describe(request),
        };
        if self.requests {
            self.console.info(&format!("request {}: {}", exchange.number, exchange.told));
        }
        exchange
    }

    pub(super) fn answered(&self, exchange: &Exchange, ending: &Result<HttpResponse, ConnectorError>) {
        if !self.responses {
            return;
        }
        let answer = match ending {
            Ok(response) => summary(response),
            Err(error) => format!("no answer: {}", innermost(error)),
        };
        // Alone it has to say what it answers.
        let question = if self.requests { String::new() } else { format!(" to {}", exchange.told) };
        let milliseconds = exchange.begun.elapsed().as_millis();
        self.console
            .info(&format!("response {}{question}: {answer}, after {milliseconds} ms", exchange.number));
    }
}

fn describe(request: &HttpRequest) -> String {
    let target = request.headers().get("x-amz-target").map(str::to_owned);
    let operation = target.or_else(|| action(request)).map(|name| format!(" {name}")).unwrap_or_default();
    let bytes = request.body().content_length().map(|bytes| format!(", {bytes} bytes")).unwrap_or_default();
    format!("{} {}{operation}{bytes}", request.method(), without_values(request.uri()))
}

fn action(request: &HttpRequest) -> Option<String> {
    let content = std::str::from_utf8(request.body().bytes()?).ok()?;
    let name = content.strip_prefix(ACTION)?;
    Some(name.split('&').next()?.to_owned())
}

/// The address without login and fragment, and the query without its values: presigned addresses are keys.
fn without_values(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return "(no address)".to_owned() };
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    match names.is_empty() {
        true => url.to_string(),
        false => format!("{url} ({})", names.join(", ")),
    }
}

fn summary(response: &HttpResponse) -> String {
    let header = |name: &str| response.headers().get(name);
    let bytes = header("content-length").map(|bytes| format!(", {bytes} bytes")).unwrap_or_default();
    let id = REQUEST_IDS.into_iter().find_map(header);
    let id = id.map(|id| format!(", request id {id}")).unwrap_or_default();
    format!("HTTP {}{bytes}{id}", response.status().as_u16())
}

impl fmt::Debug for Traffic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Traffic")
            .field("requests", &self.requests)
            .field("responses", &self.responses)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn request(method: &str, uri: &str, headers: &[(&'static str, &str)], body: &str) -> HttpRequest {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(SdkBody::from(body)).unwrap().try_into().unwrap()
    }

    #[test]
    fn a_request_is_told_by_name_and_nothing_of_its_content() {
        let secrets = [("authorization", "AWS4-HMAC hunter2"), ("x-amz-security-token", "hunter2")];
        let ssm = [secrets[0], secrets[1], ("x-amz-target", "AmazonSSM.PutParameter")];
        for (request, told) in [
            (
                request("POST", "https://ssm.eu-central-1.amazonaws.com/", &ssm, r#"{"Value":"hunter2"}"#),
                "POST https://ssm.eu-central-1.amazonaws.com/ AmazonSSM.PutParameter, 19 bytes",
            ),
            (
                request(
                    "POST",
                    "https://sts.eu-central-1.amazonaws.com/",
                    &secrets,
                    "Action=AssumeRole&X=hunter2",
                ),
                "POST https://sts.eu-central-1.amazonaws.com/ AssumeRole, 27 bytes",
            ),
            (
                request(
                    "GET",
                    "https://b.s3.amazonaws.com/a%20b?X-Amz-Signature=hunter2&partNumber=3",
                    &[],
                    "",
                ),
                "GET https://b.s3.amazonaws.com/a%20b (X-Amz-Signature, partNumber), 0 bytes",
            ),
            (
                request("GET", "https://me:hunter2@proxy.example/x", &[], ""),
                "GET https://proxy.example/x, 0 bytes",
            ),
        ] {
            assert_eq!(describe(&request), told);
        }
    }

    #[test]
    fn an_answer_is_told_by_status_size_and_request_id() {
        let response = http::Response::builder()
            .status(403)
            .header("content-length", "12")
            .header("x-amzn-requestid", "7c5c-1")
            .header("set-cookie", "hunter2")
            .body(SdkBody::from("hunter2 text"))
            .unwrap();
        assert_eq!(summary(&response.try_into().unwrap()), "HTTP 403, 12 bytes, request id 7c5c-1");
    }
}
