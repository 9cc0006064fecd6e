use http::request::Parts;

use crate::http::header;
use crate::sigv4::Authorization;

/// A call that reached the gateway.
#[derive(Debug, Clone)]
pub struct Call {
    /// The service, as in the credential scope.
    pub service: String,
    /// The API operation; for S3 the method and the path.
    pub operation: String,
    /// The raw query.
    pub query: String,
    /// The region of the credential scope; empty for unsigned calls.
    pub region: String,
    /// The access key id that signed; `None` for unsigned calls.
    pub access_key: Option<String>,
    /// The `User-Agent`.
    pub user_agent: String,
    /// The request's headers without authorization and session token.
    pub headers: Vec<(String, String)>,
    /// The parameters of a query-protocol call (STS) without the web identity token.
    pub parameters: Vec<(String, String)>,
    /// The status that it was answered with; 0 when the connection was cut.
    pub status: u16,
    /// Whether a fault answered it.
    pub by_fault: bool,
}

impl Call {
    /// `action` is the `Action` of a form body, which the query protocols name their operation by.
    pub(super) fn of(parts: &Parts, authorization: Option<&Authorization>, action: Option<&str>) -> Self {
        let hidden = ["authorization", "x-amz-security-token"];
        let shown = parts.headers.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
        let unsigned = if action.is_some() { "sts" } else { "s3" };
        Self {
            service: authorization.map_or(unsigned, |found| &found.service).to_owned(),
            operation: operation(parts, action),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            region: authorization.map(|found| found.region.clone()).unwrap_or_default(),
            access_key: authorization.map(|found| found.access_key.clone()),
            user_agent: header(&parts.headers, "user-agent").to_owned(),
            headers: shown
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            parameters: Vec::new(),
            status: 0,
            by_fault: false,
        }
    }

    /// The same with what stands in its form body.
    pub(super) fn with_parameters(mut self, parameters: &[(String, String)]) -> Self {
        self.parameters = parameters.iter().filter(|(name, _)| name != "WebIdentityToken").cloned().collect();
        self
    }

    /// The value of a query-protocol parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is this operation; `*` stands for any, and for any end (`PUT /bucket/*`).
    #[must_use]
    pub fn is(&self, service: &str, operation: &str) -> bool {
        let operation_fits = match operation.strip_suffix('*') {
            Some(start) => self.operation.starts_with(start),
            None => self.operation == operation,
        };
        (service == "*" || self.service == service) && operation_fits
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn operation(parts: &Parts, action: Option<&str>) -> String {
    let target = header(&parts.headers, "x-amz-target");
    match (action, target.rsplit_once('.')) {
        (Some(action), _) => action.to_owned(),
        (None, Some((_, operation))) => operation.to_owned(),
        (None, None) => format!("{} {}", parts.method, parts.uri.path()),
    }
}
