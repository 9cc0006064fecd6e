use http::request::Parts;
use http_body_util::BodyExt;
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::HttpConnector;

use super::fault;
use crate::http::{Body, Cut};
use crate::moto::Moto;

pub(super) type Client = hyper_util::client::legacy::Client<HttpConnector, Body>;

/// Headers that belong to one connection and are not passed on (RFC 9110 section 7.6.1), and `expect`, which was met here.
const OWN: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "expect"];

/// Streams a request to moto, as the account that the access key belongs to, and its answer back.
pub(super) async fn to_moto(
    client: &Client,
    moto: &Moto,
    account: &str,
    mut parts: Parts,
    body: Body,
) -> Result<Response<Body>, Cut> {
    for name in OWN {
        parts.headers.remove(name);
    }
    // moto takes the first part of any other name for a bucket.
    if crate::http::header(&parts.headers, "host")
        .split(':')
        .next()
        .is_some_and(|name| name.ends_with(".test"))
    {
        parts.headers.remove("host");
    }
    parts.headers.insert("x-moto-account-id", account.parse().expect("an account id"));
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("{}{path}", moto.url()).parse::<Uri>().expect("an address of moto");
    match client.request(Request::from_parts(parts, body)).await {
        Ok(response) => {
            let (mut parts, body) = response.into_parts();
            for name in OWN {
                parts.headers.remove(name);
            }
            Ok(Response::from_parts(parts, body.boxed()))
        }
        Err(error) => Ok(fault::error("s3", 502, "MotoUnreachable", &format!("{error:?}"), "none")),
    }
}
