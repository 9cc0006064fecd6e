use std::sync::Arc;

use base64::Engine;
use serde_json::{Value, json};

use super::Moto;
use crate::http::{Reply, send};

/// One account and region of moto, to seed and to read back, past the gateway.
#[derive(Debug, Clone)]
pub struct Seed {
    moto: Arc<Moto>,
    account: String,
    region: String,
}

/// A stored SSM parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    /// The decrypted value.
    pub value: String,
    /// The version, from 1.
    pub version: u64,
}

/// A stored S3 object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The key.
    pub key: String,
    /// The content.
    pub content: Vec<u8>,
    /// The response headers of a GET (content type, encryption, `x-amz-meta-…`), names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Object {
    /// The value of a header; empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The content type.
    #[must_use]
    pub fn content_type(&self) -> &str {
        self.header("content-type")
    }
}

impl Seed {
    /// The books of one account in one region.
    #[must_use]
    pub fn new(moto: Arc<Moto>, account: &str, region: &str) -> Self {
        Self { moto, account: account.to_owned(), region: region.to_owned() }
    }

    /// The same account in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// Stores a parameter; again makes a new version. `kind` is `String`, `StringList` or `SecureString`.
    pub fn put_parameter(&self, name: &str, kind: &str, value: &str) {
        let body = json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": true });
        self.json("ssm", "AmazonSSM.PutParameter", &body);
    }

    /// A parameter as it stands.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Parameter> {
        let body = json!({ "Names": [name], "WithDecryption": true });
        let answer = self.json("ssm", "AmazonSSM.GetParameters", &body);
        let found = answer["Parameters"].get(0)?;
        Some(Parameter {
            kind: found["Type"].as_str()?.to_owned(),
            value: found["Value"].as_str()?.to_owned(),
            version: found["Version"].as_u64()?,
        })
    }

    /// Stores a secret of Secrets Manager.
    pub fn put_secret(&self, name: &str, value: &str) {
        let body = json!({ "Name": name, "SecretString": value, "ClientRequestToken": uuid::Uuid::new_v4() });
        self.json("secretsmanager", "secretsmanager.CreateSecret", &body);
    }

    /// Stores a binary secret of Secrets Manager.
    pub fn put_binary_secret(&self, name: &str, value: &[u8]) {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value);
        let body =
            json!({ "Name": name, "SecretBinary": encoded, "ClientRequestToken": uuid::Uuid::new_v4() });
        self.json("secretsmanager", "secretsmanager.CreateSecret", &body);
    }

    /// A secret as `GetSecretValue` answers it.
    #[must_use]
    pub fn secret(&self, name: &str) -> Value {
        self.json("secretsmanager", "secretsmanager.GetSecretValue", &json!({ "SecretId": name }))
    }

    /// The rest of a secret as `DescribeSecret` answers it.
    #[must_use]
    pub fn secret_details(&self, name: &str) -> Value {
        self.json("secretsmanager", "secretsmanager.DescribeSecret", &json!({ "SecretId": name }))
    }

    /// The tags of a parameter, as `key=value`.
    #[must_use]
    pub fn parameter_tags(&self, name: &str) -> Vec<String> {
        let body = json!({ "ResourceType": "Parameter", "ResourceId": name });
        let answer = self.json("ssm", "AmazonSSM.ListTagsForResource", &body);
        let tags = answer["TagList"].as_array().cloned().unwrap_or_default();
        tags.iter()
            .map(|tag| {
                format!(
                    "{}={}",
                    tag["Key"].as_str().unwrap_or_default(),
                    tag["Value"].as_str().unwrap_or_default()
                )
            })
            .collect()
    }

    /// Creates an ECR repository.
    pub fn create_repository(&self, name: &str) {
        let body = json!({ "repositoryName": name });
        self.json("ecr", "AmazonEC2ContainerRegistry_V20150921.CreateRepository", &body);
    }

    /// Creates a bucket. Names are shared by all accounts of a moto, so take one of its own for each test.
    pub fn create_bucket(&self, bucket: &str) {
        let body = match self.region.as_str() {
            "us-east-1" => String::new(),
            region => format!(
                "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            ),
        };
        self.s3("PUT", &format!("/{bucket}"), &[], body.as_bytes(), &[200]);
    }

    /// Stores an object.
    pub fn put_object(&self, bucket: &str, key: &str, content: &[u8], headers: &[(&str, &str)]) {
        self.s3("PUT", &object_path(bucket, key), headers, content, &[200]);
    }

    /// Deletes an object, if it is there.
    pub fn delete_object(&self, bucket: &str, key: &str) {
        self.s3("DELETE", &object_path(bucket, key), &[], b"", &[200, 204, 404]);
    }

    /// An object, or `None`. `headers` may carry a customer key.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str, headers: &[(&str, &str)]) -> Option<Object> {
        let reply = self.s3("GET", &object_path(bucket, key), headers, b"", &[200, 404]);
        let headers = reply.headers.iter();
        (reply.status == 200).then(|| Object {
            key: key.to_owned(),
            content: reply.body.to_vec(),
            headers: headers
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
        })
    }

    /// Every key of a bucket, in order.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut after = String::new();
        loop {
            let query = format!("/{bucket}?list-type=2&encoding-type=url&start-after={}", encode(&after));
            let page = self.s3("GET", &query, &[], b"", &[200]).text();
            let found: Vec<String> = between(&page, "<Key>", "</Key>").map(decode).collect();
            keys.extend(found.iter().cloned());
            match found.last() {
                Some(last) if page.contains("<IsTruncated>true") => after.clone_from(last),
                _ => return keys,
            }
        }
    }

    /// The keys of the uploads in parts that were begun and neither completed nor given up.
    #[must_use]
    pub fn unfinished_uploads(&self, bucket: &str) -> Vec<String> {
        let list = self.s3("GET", &format!("/{bucket}?uploads"), &[], b"", &[200, 404]).text();
        between(&list, "<Key>", "</Key>").map(str::to_owned).collect()
    }

    /// Every object of a bucket with its content.
    #[must_use]
    pub fn objects(&self, bucket: &str) -> Vec<Object> {
        self.keys(bucket).iter().filter_map(|key| self.object(bucket, key, &[])).collect()
    }

    /// One call of IAM: its XML, whatever the status.
    #[must_use]
    pub fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", "2010-05-08")
            .extend_pairs(parameters)
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("host", "iam.amazonaws.com")];
        self.call("iam", "POST", "/", &headers, body.as_bytes())
    }

    /// The keys of the multipart uploads that nobody has ended.
    #[must_use]
    pub fn open_uploads(&self, bucket: &str) -> Vec<String> {
        let page = self.s3("GET", &format!("/{bucket}?uploads"), &[], b"", &[200]).text();
        between(&page, "<Key>", "</Key>").map(str::to_owned).collect()
    }

    /// Begins a multipart upload.
    pub fn begin_upload(&self, bucket: &str, key: &str) {
        self.s3("POST", &format!("{}?uploads", object_path(bucket, key)), &[], b"", &[200]);
    }

    /// One call of a JSON service.
    ///
    /// # Panics
    /// When moto refuses it.
    pub fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        let reply = self.call(service, "POST", "/", &headers, body.to_string().as_bytes());
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        reply.json()
    }

    fn s3(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8], good: &[u16]) -> Reply {
        let reply = self.call("s3", method, path, headers, body);
        assert!(good.contains(&reply.status), "{method} {path}: {} {}", reply.status, reply.text());
        reply
    }

    fn call(&self, service: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let scope = format!("AKIAHARNESSSEED00000/20260101/{}/{service}/aws4_request", self.region);
        let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let mut all = vec![("authorization", authorization.as_str()), ("x-moto-account-id", &self.account)];
        all.extend_from_slice(headers);
        send(method, &format!("{}{path}", self.moto.url()), &all, body).expect("an answer of moto")
    }
}

fn object_path(bucket: &str, key: &str) -> String {
    let parts: Vec<String> = key.split('/').map(encode).collect();
    format!("/{bucket}/{}", parts.join("/"))
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn decode(text: &str) -> String {
    let pair = format!("k={text}");
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.split_once(end).map(|(inner, _)| inner))
}
