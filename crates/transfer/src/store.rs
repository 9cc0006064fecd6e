//! The one place that sends objects and parts to S3.
//!
//! What is below this seam can change (the SDK now, a leaner path for the content later) without the
//! plan, the order of work or the report noticing.

use std::path::PathBuf;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectCannedAcl,
    ServerSideEncryption,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use causeway_types::ServiceError;
use secrecy::ExposeSecret as _;

use crate::failure::FailureReason;
use crate::plan::{PlannedObject, UploadOptions};
use crate::reader::SCRATCH_BYTES;
use crate::settings::{CannedAcl, Encryption, ObjectSettings, SseCustomerKey};

/// A bucket that objects are put into, all with the same settings.
#[derive(Debug)]
pub(crate) struct Store {
    client: Client,
    bucket: String,
    settings: ObjectSettings,
    unsigned_content: bool,
}

/// The content of an object or part. It can be sent again when a request must be retried.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) body: Body,
    pub(crate) bytes: u64,
    /// CRC-64/NVME.
    pub(crate) checksum: u64,
}

/// Where the content is.
#[derive(Debug)]
pub(crate) enum Body {
    Memory(Bytes),
    File { path: PathBuf, offset: u64 },
}

/// A multipart upload that was begun and neither completed nor aborted yet.
#[derive(Debug, Clone)]
pub(crate) struct OpenUpload {
    pub(crate) key: String,
    pub(crate) id: String,
}

/// Sets on a request what all objects share; two operations take it, with unrelated types.
macro_rules! with_settings {
    ($request:expr, $settings:expr, $object:expr) => {{
        let (key_base64, key_md5) = customer_key(&$settings.encryption).unzip();
        $request
            .key(&$object.key)
            .content_type(&$object.content_type)
            .set_cache_control($object.cache_control.clone())
            .set_content_encoding($settings.content_encoding.as_ref().map(|text| text.as_str().to_owned()))
            .set_acl(acl($settings.acl))
            .storage_class($settings.storage_class.name().into())
            .set_server_side_encryption(server_side_encryption(&$settings.encryption))
            .set_ssekms_key_id(kms_key(&$settings.encryption))
            .set_sse_customer_algorithm(key_md5.as_ref().map(|_| SseCustomerKey::ALGORITHM.to_owned()))
            .set_sse_customer_key(key_base64)
            .set_sse_customer_key_md5(key_md5)
    }};
}

impl Store {
    pub(crate) fn new(config: &SdkConfig, options: &UploadOptions) -> Self {
        let attempts = options.limits.attempts.max(1);
        let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(options.path_style)
            .retry_config(retries.with_max_attempts(attempts))
            .build();
        Self {
            client: Client::from_conf(s3),
            bucket: options.bucket.as_str().to_owned(),
            settings: options.settings.clone(),
            // TLS and the checksum guard the content; without TLS the signature must do it.
            unsigned_content: config.endpoint_url().is_none_or(|url| url.starts_with("https:")),
        }
    }

    /// For what concerns the bucket itself.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// `PutObject`.
    pub(crate) async fn put_object(
        &self,
        object: &PlannedObject,
        content: Content,
    ) -> Result<(), FailureReason> {
        let request = self.client.put_object().bucket(&self.bucket);
        let request = with_settings!(request, self.settings, object)
            .checksum_crc64_nvme(encode(content.checksum))
            .body(stream(content).await?)
            .customize();
        let request = if self.unsigned_content { request.disable_payload_signing() } else { request };
        let answer = request.send().await.map_err(failed("PutObject"))?;
        confirm(answer.e_tag())
    }

    /// `CreateMultipartUpload`.
    pub(crate) async fn begin(&self, object: &PlannedObject) -> Result<OpenUpload, FailureReason> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket);
        let request = with_settings!(request, self.settings, object)
            .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
            .checksum_type(ChecksumType::FullObject);
        let answer = request.send().await.map_err(failed("CreateMultipartUpload"))?;
        let id = answer.upload_id.ok_or(FailureReason::Unconfirmed)?;
        Ok(OpenUpload { key: object.key.clone(), id })
    }

    /// `UploadPart`. The answer is what completing the upload asks for.
    pub(crate) async fn put_part(
        &self,
        upload: &OpenUpload,
        number: i32,
        content: Content,
    ) -> Result<CompletedPart, FailureReason> {
        let (key_base64, key_md5) = customer_key(&self.settings.encryption).unzip();
        let request = self.client.upload_part().bucket(&self.bucket).key(&upload.key).upload_id(&upload.id);
        let request = request
            .part_number(number)
            .set_sse_customer_algorithm(key_md5.as_ref().map(|_| SseCustomerKey::ALGORITHM.to_owned()))
            .set_sse_customer_key(key_base64)
            .set_sse_customer_key_md5(key_md5)
            .checksum_crc64_nvme(encode(content.checksum))
            .body(stream(content).await?)
            .customize();
        let request = if self.unsigned_content { request.disable_payload_signing() } else { request };
        let answer = request.send().await.map_err(failed("UploadPart"))?;
        confirm(answer.e_tag())?;
        Ok(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).build())
    }

    /// `CompleteMultipartUpload`, with the size and the checksum of the whole object for S3 to verify.
    pub(crate) async fn complete(
        &self,
        upload: &OpenUpload,
        parts: Vec<CompletedPart>,
        bytes: u64,
        checksum: u64,
    ) -> Result<(), FailureReason> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(&upload.key);
        let request = request
            .upload_id(&upload.id)
            .multipart_upload(parts)
            .checksum_type(ChecksumType::FullObject)
            .checksum_crc64_nvme(encode(checksum))
            .set_mpu_object_size(i64::try_from(bytes).ok());
        let answer = request.send().await.map_err(failed("CompleteMultipartUpload"))?;
        confirm(answer.e_tag())
    }

    /// `AbortMultipartUpload`. That there is no such upload any more is as good.
    pub(crate) async fn abort(&self, upload: &OpenUpload) -> Result<(), ServiceError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(&upload.key);
        match request.upload_id(&upload.id).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(ServiceError::new("AbortMultipartUpload", &error)),
        }
    }
}

fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> FailureReason
where
    E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
{
    move |error| ServiceError::new(operation, &error).into()
}

/// Every success of S3 names the entity that it stored; a bare 200 from something between does not.
fn confirm(e_tag: Option<&str>) -> Result<(), FailureReason> {
    match e_tag {
        Some(tag) if !tag.is_empty() => Ok(()),
        _ => Err(FailureReason::Unconfirmed),
    }
}

async fn stream(content: Content) -> Result<ByteStream, FailureReason> {
    match content.body {
        Body::Memory(bytes) => Ok(bytes.into()),
        Body::File { path, offset } => {
            let request =
                ByteStream::read_from().path(path).offset(offset).length(Length::Exact(content.bytes));
            let buffer = usize::try_from(SCRATCH_BYTES).unwrap_or(usize::MAX);
            let stream = request.buffer_size(buffer).build().await;
            stream.map_err(|error| FailureReason::unreadable(&error.into()))
        }
    }
}

/// S3 takes checksums in base64, the most significant byte first.
fn encode(checksum: u64) -> String {
    BASE64.encode(checksum.to_be_bytes())
}

/// `private` is what an object gets anyway; said aloud, it is refused by buckets that have ACLs off.
fn acl(acl: CannedAcl) -> Option<ObjectCannedAcl> {
    (acl != CannedAcl::Private).then(|| acl.name().into())
}

fn server_side_encryption(encryption: &Encryption) -> Option<ServerSideEncryption> {
    match encryption {
        Encryption::S3Managed => Some(ServerSideEncryption::Aes256),
        Encryption::Kms { .. } => Some(ServerSideEncryption::AwsKms),
        Encryption::BucketDefault | Encryption::CustomerKey(_) => None,
    }
}

fn kms_key(encryption: &Encryption) -> Option<String> {
    match encryption {
        Encryption::Kms { key: Some(key) } => Some(key.as_str().to_owned()),
        _ => None,
    }
}

/// The key as it must be sent, and its digest. The SDK keeps it out of its own Debug output.
fn customer_key(encryption: &Encryption) -> Option<(String, String)> {
    match encryption {
        Encryption::CustomerKey(key) => Some((key.base64().expose_secret().to_owned(), key.md5())),
        _ => None,
    }
}
