use std::time::Duration;

use serde_json::{Map, Value, json};

/// How one token call is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) delay: Duration,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Normal,
    Http { status: u16, headers: Vec<(String, String)>, body: String },
    Token { claims: Map<String, Value>, forged: bool },
    Cut,
}

impl Answer {
    /// The usual answer: for one place in the queue.
    #[must_use]
    pub fn normal() -> Self {
        Self::of(Kind::Normal)
    }

    /// A status with Azure DevOps's JSON error as the body, except 401, which has none.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let body =
            if status == 401 { String::new() } else { error_json("Something went wrong.", "VssException") };
        Self::http(status, &[("content-type", "application/json; charset=utf-8")], &body)
    }

    /// Any answer at all.
    #[must_use]
    pub fn http(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::of(Kind::Http { status, headers, body: body.to_owned() })
    }

    /// 203 with the HTML sign-in page: what Azure DevOps answers to a token that it does not accept.
    #[must_use]
    pub fn sign_in_page() -> Self {
        let page = "<!DOCTYPE html>\r\n<html lang=\"en-US\"><head><title>Azure DevOps Services | Sign In</title></head>\
                    <body><script>##vso[task.setvariable variable=evil]yes</script></body></html>\r\n";
        Self::http(203, &[("content-type", "text/html; charset=utf-8")], page)
    }

    /// 200 with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self::http(200, &[], "")
    }

    /// A token whose times lie an hour back.
    #[must_use]
    pub fn expired_token() -> Self {
        let now = super::claims::now();
        Self::claims(json!({ "nbf": now - 4200, "iat": now - 3900, "exp": now - 3600 }))
    }

    /// A token of somebody else's subject.
    #[must_use]
    pub fn subject(subject: &str) -> Self {
        Self::claims(json!({ "sub": subject }))
    }

    /// A token with these claims laid over the usual ones; `null` removes one.
    ///
    /// # Panics
    /// When `claims` is not an object.
    #[must_use]
    pub fn claims(claims: Value) -> Self {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        Self::of(Kind::Token { claims, forged: false })
    }

    /// A token signed by a stranger under the real key's id.
    #[must_use]
    pub fn forged_token() -> Self {
        Self::of(Kind::Token { claims: Map::new(), forged: true })
    }

    /// The connection is cut without an answer.
    #[must_use]
    pub fn cut() -> Self {
        Self::of(Kind::Cut)
    }

    /// The same, after a pause.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn of(kind: Kind) -> Self {
        Self { delay: Duration::ZERO, kind }
    }
}

/// The body of an error as Azure DevOps writes it.
pub(super) fn error_json(message: &str, type_key: &str) -> String {
    json!({
        "$id": "1",
        "innerException": null,
        "message": message,
        "typeName": format!("Microsoft.TeamFoundation.DistributedTask.WebApi.{type_key}, Microsoft.TeamFoundation.DistributedTask.WebApi"),
        "typeKey": type_key,
        "errorCode": 0,
        "eventId": 3000,
    })
    .to_string()
}
