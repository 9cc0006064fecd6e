use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use causeway_types::ServiceError;
use http::{HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What is encoded in a value of a query (SigV4, "UriEncode").
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same for the path of a key: slashes are kept.
const KEY: &AsciiSet = &RESERVED.remove(b'/');

/// The key that is asked for to see where objects lie.
const PROBE: &str = "causeway-probe";

/// Where a bucket's objects are, and for which region and service requests to them are signed.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// `https` or `http`.
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authority: String,
    /// The header `Host`.
    pub(super) host_header: HeaderValue,
    /// Before the slash of the key: empty, or the bucket in path style.
    base_path: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// Why requests cannot be put together without the SDK.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EndpointError {
    /// The SDK could not say where the bucket is, or there are no credentials.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// It is reached in a way that is not supported: sessions of directory buckets, or SigV4a.
    #[error("buckets of this kind (directory buckets, multi-region access points) are not supported")]
    Unsupported,
    /// The customer's key would go over the line for everybody to read; S3 refuses it too, but only then.
    #[error("a customer key is not sent to {0} without TLS: use an https endpoint")]
    KeyWithoutTls(String),
}

impl Endpoint {
    /// Asks the SDK's own rules (regions, partitions, FIPS, dual stack, path style, `AWS_ENDPOINT_URL_S3`), by
    /// having it sign an address in advance. Nothing is sent to S3.
    pub(crate) async fn resolve(client: &Client, bucket: &str) -> Result<Self, EndpointError> {
        let soon = PresigningConfig::expires_in(Duration::from_secs(60));
        let soon = soon.map_err(|_| EndpointError::Unsupported)?;
        let request = client.get_object().bucket(bucket).key(PROBE).presigned(soon).await;
        let request = request.map_err(|error| ServiceError::new("GetObject", &error))?;
        Self::read(request.uri()).ok_or(EndpointError::Unsupported)
    }

    fn read(address: &str) -> Option<Self> {
        let uri: Uri = address.parse().ok()?;
        let is_tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let query = uri.query()?;
        let parameter = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
            Some(percent_decode_str(pair).decode_utf8_lossy().into_owned())
        };
        let is_plain_v4 = parameter("X-Amz-Algorithm")? == "AWS4-HMAC-SHA256";
        if !is_plain_v4 || query.to_ascii_lowercase().contains("x-amz-s3session-token") {
            return None;
        }
        let credential = parameter("X-Amz-Credential")?;
        let mut scope = credential.rsplit('/');
        let (Some("aws4_request"), Some(service), Some(region)) = (scope.next(), scope.next(), scope.next())
        else {
            return None;
        };
        Some(Self {
            is_tls,
            host: uri.host()?.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            authority: uri.authority()?.as_str().to_owned(),
            host_header: HeaderValue::from_str(uri.authority()?.as_str()).ok()?,
            base_path: uri.path().strip_suffix(PROBE)?.strip_suffix('/')?.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    /// Whether what is sent is encrypted and its server known.
    pub(crate) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        address.map_or(self.host == "localhost", |address| address.is_loopback())
    }

    /// `https://host/`, for rules about addresses.
    pub(super) fn address(&self) -> String {
        format!("{}://{}/", self.scheme(), self.authority)
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// Region and address of the service itself, the same whether the bucket stands in the host or in the path.
    pub(super) fn place(&self, bucket: &str) -> String {
        let host = self.authority.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('.'));
        let path = self.base_path.strip_suffix(bucket).and_then(|rest| rest.strip_suffix('/'));
        let (host, path) = (host.unwrap_or(&self.authority), path.unwrap_or(&self.base_path));
        format!("{} {}://{host}{path}", self.region, self.scheme())
    }

    /// The path of an object, encoded as it is sent and signed.
    pub(super) fn path(&self, key: &str) -> String {
        let mut path = String::with_capacity(self.base_path.len() + 1 + key.len());
        path.push_str(&self.base_path);
        path.push('/');
        path.extend(utf8_percent_encode(key, KEY));
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(start: &str) -> Option<Endpoint> {
        let rest = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260101%2Feu-west-1%2Fs3%2Faws4_request";
        Endpoint::read(&format!("{start}causeway-probe?x-id=GetObject&{rest}"))
    }

    #[test]
    fn host_and_path_style_are_read() {
        let endpoint = read("https://my.bucket.s3.eu-west-1.amazonaws.com/").unwrap();
        assert_eq!(endpoint.address(), "https://my.bucket.s3.eu-west-1.amazonaws.com/");
        assert_eq!((endpoint.port, endpoint.is_tls, endpoint.is_loopback()), (443, true, false));
        assert_eq!((endpoint.region.as_str(), endpoint.service.as_str()), ("eu-west-1", "s3"));
        assert_eq!(endpoint.path("a b/ü+#%20;]="), "/a%20b/%C3%BC%2B%23%2520%3B%5D%3D");
        let endpoint = read("http://[::1]:9000/base/bucket/").unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port, endpoint.is_tls), ("::1", 9000, false));
        assert_eq!(endpoint.authority, "[::1]:9000");
        assert!(endpoint.is_loopback());
        assert_eq!(endpoint.path("/a//b"), "/base/bucket//a//b");
    }

    #[test]
    fn a_place_is_the_service_however_it_is_addressed() {
        let place = |start: &str| read(start).unwrap().place("shop");
        let aws = "eu-west-1 https://s3.eu-west-1.amazonaws.com";
        assert_eq!(place("https://shop.s3.eu-west-1.amazonaws.com/"), aws);
        assert_eq!(place("https://s3.eu-west-1.amazonaws.com/shop/"), aws);
        assert_eq!(place("http://store:9000/base/shop/"), "eu-west-1 http://store:9000/base");
        assert_ne!(place("http://store:9001/shop/"), place("http://store:9000/shop/"));
    }

    #[test]
    fn sessions_and_other_signatures_are_refused() {
        assert!(Endpoint::read("https://h/causeway-probe?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256").is_none());
        let session = "https://h/causeway-probe?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-S3session-Token=x&X-Amz-Credential=A%2Fd%2Fr%2Fs3%2Faws4_request";
        assert!(Endpoint::read(session).is_none());
    }
}
