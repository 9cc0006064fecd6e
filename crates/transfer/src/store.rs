//! What is asked of S3 about objects: the control plane through the SDK, content over the wire below it.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use causeway_types::{ServiceError, TooManyRequests};
use http::Method;
use http::response::Parts;
use percent_encoding::utf8_percent_encode;
use secrecy::ExposeSecret as _;

use crate::content::{Content, encode};
use crate::failure::FailureReason;
use crate::headers::{ObjectHeaders, customer_key};
use crate::limits::TransferLimits;
use crate::plan::PlannedObject;
use crate::settings::{Encryption, ObjectSettings, SseCustomerKey};
use crate::wire::{Call, EndpointError, Flow, RESERVED, Route, Wire};

/// A bucket that objects are put into, all with the same settings.
pub(crate) struct Store {
    client: Client,
    wire: Wire,
    bucket: String,
    headers: ObjectHeaders,
    encryption: Encryption,
}

/// A multipart upload that was begun and neither completed nor aborted yet.
#[derive(Debug, Clone)]
pub(crate) struct OpenUpload {
    pub(crate) key: String,
    pub(crate) id: String,
}

/// A part that S3 has.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) number: i32,
    pub(crate) e_tag: String,
    pub(crate) checksum: u64,
}

/// A client for the control plane: bucket, listing, multipart, deletion.
pub(crate) fn client(config: &SdkConfig, path_style: bool, limits: &TransferLimits) -> Client {
    let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    let s3 = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(path_style)
        .retry_classifier(TooManyRequests)
        .retry_config(retries.with_max_attempts(limits.attempts.max(1)))
        .build();
    Client::from_conf(s3)
}

impl Store {
    pub(crate) async fn open(
        client: Client,
        config: &SdkConfig,
        route: &Route,
        bucket: &str,
        settings: &ObjectSettings,
        limits: &TransferLimits,
        flow: Flow,
    ) -> Result<Self, EndpointError> {
        let wire = Wire::open(&client, bucket, config, route, limits, flow).await?;
        let headers = ObjectHeaders::new(settings);
        let encryption = settings.encryption.clone();
        if matches!(encryption, Encryption::CustomerKey(_)) && !wire.is_private() {
            return Err(EndpointError::KeyWithoutTls(wire.host().to_owned()));
        }
        Ok(Self { client, wire, bucket: bucket.to_owned(), headers, encryption })
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The headers without which S3 does not read what a customer's key encrypts.
    pub(crate) fn key_headers(&self) -> http::HeaderMap {
        self.headers.of_key()
    }

    /// `PutObject`.
    pub(crate) async fn put_object(
        &self,
        object: &PlannedObject,
        content: &Content,
    ) -> Result<(), FailureReason> {
        let call = Call {
            operation: "PutObject",
            method: Method::PUT,
            key: &object.key,
            query: "",
            headers: self.headers.of_object(object)?,
            content: Some(content),
        };
        let (head, _) = self.wire.call(&call).await?;
        e_tag(&head).map(|_| ())
    }

    /// `CreateMultipartUpload`.
    pub(crate) async fn begin(&self, object: &PlannedObject) -> Result<OpenUpload, FailureReason> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket);
        let request = with_headers(request.key(&object.key), &self.headers, object)
            .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
            .checksum_type(ChecksumType::FullObject);
        let answer = request.send().await.map_err(failed("CreateMultipartUpload"))?;
        let id = answer.upload_id.filter(|id| !id.is_empty()).ok_or(FailureReason::Unconfirmed)?;
        Ok(OpenUpload { key: object.key.clone(), id })
    }

    /// `UploadPart`. The answer is what completing the upload asks for.
    pub(crate) async fn put_part(
        &self,
        upload: &OpenUpload,
        number: i32,
        content: &Content,
    ) -> Result<Receipt, FailureReason> {
        let id = utf8_percent_encode(&upload.id, RESERVED);
        let call = Call {
            operation: "UploadPart",
            method: Method::PUT,
            key: &upload.key,
            query: &format!("partNumber={number}&uploadId={id}"),
            headers: self.headers.of_key(),
            content: Some(content),
        };
        let (head, read) = self.wire.call(&call).await?;
        let checksum = match content {
            Content::Memory(loaded) => loaded.checksum,
            Content::Range(_) => read.ok_or(FailureReason::Unconfirmed)?,
        };
        Ok(Receipt { number, e_tag: e_tag(&head)?, checksum })
    }

    /// `CompleteMultipartUpload`, with the size and the checksum of the whole object for S3 to verify.
    pub(crate) async fn complete(
        &self,
        upload: &OpenUpload,
        receipts: Vec<Receipt>,
        bytes: u64,
        checksum: u64,
    ) -> Result<(), FailureReason> {
        let part = |receipt: Receipt| {
            CompletedPart::builder().part_number(receipt.number).e_tag(receipt.e_tag).build()
        };
        let parts = receipts.into_iter().map(part).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let (key, md5) = customer_key(&self.encryption).unzip();
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(&upload.key);
        let request = request
            // Wanted here too since the upload has a checksum (API `CompleteMultipartUpload`).
            .set_sse_customer_algorithm(md5.as_ref().map(|_| SseCustomerKey::ALGORITHM.to_owned()))
            .set_sse_customer_key(key.map(|key| key.expose_secret().to_owned()))
            .set_sse_customer_key_md5(md5)
            .upload_id(&upload.id)
            .multipart_upload(parts)
            .checksum_type(ChecksumType::FullObject)
            .checksum_crc64_nvme(encode(checksum))
            .set_mpu_object_size(i64::try_from(bytes).ok());
        match request.send().await {
            Ok(answer) if answer.e_tag().is_some_and(|tag| !tag.is_empty()) => Ok(()),
            Ok(_) => Err(FailureReason::Unconfirmed),
            // The answer to an earlier attempt may have been lost, and the object may be there.
            Err(error)
                if error.code() == Some("NoSuchUpload") && self.is_there(upload, bytes, checksum).await =>
            {
                Ok(())
            }
            Err(error) => Err(failed("CompleteMultipartUpload")(error)),
        }
    }

    async fn is_there(&self, upload: &OpenUpload, bytes: u64, checksum: u64) -> bool {
        let (key, md5) = customer_key(&self.encryption).unzip();
        let request = self.client.head_object().bucket(&self.bucket).key(&upload.key);
        let request = request
            .checksum_mode(ChecksumMode::Enabled)
            .set_sse_customer_algorithm(md5.as_ref().map(|_| SseCustomerKey::ALGORITHM.to_owned()))
            .set_sse_customer_key(key.map(|key| key.expose_secret().to_owned()))
            .set_sse_customer_key_md5(md5);
        request.send().await.is_ok_and(|head| {
            head.checksum_crc64_nvme() == Some(encode(checksum).as_str())
                && head.content_length().and_then(|length| u64::try_from(length).ok()) == Some(bytes)
        })
    }

    /// `AbortMultipartUpload`. That there is no such upload any more is as good.
    pub(crate) async fn abort(&self, key: &str, id: &str) -> Result<(), ServiceError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(key);
        match request.upload_id(id).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(ServiceError::new("AbortMultipartUpload", &error)),
        }
    }
}

/// What all objects share, told when a multipart upload begins instead of with the content.
fn with_headers(
    request: CreateMultipartUploadFluentBuilder,
    headers: &ObjectHeaders,
    object: &PlannedObject,
) -> CreateMultipartUploadFluentBuilder {
    let settings = headers.settings();
    let (key, md5) = customer_key(&settings.encryption).unzip();
    let text = |text: &crate::settings::HeaderText| text.as_str().to_owned();
    let request = request
        .content_type(&object.content_type)
        .set_cache_control(object.cache_control.clone())
        .set_content_encoding(settings.content_encoding.as_ref().map(text))
        .set_acl(settings.acl.header().map(Into::into))
        .storage_class(settings.storage_class.name().into())
        .set_server_side_encryption(settings.encryption.header().map(Into::into))
        .set_ssekms_key_id(settings.encryption.kms_key().map(text))
        .set_sse_customer_algorithm(md5.as_ref().map(|_| SseCustomerKey::ALGORITHM.to_owned()))
        .set_sse_customer_key(key.map(|key| key.expose_secret().to_owned()))
        .set_sse_customer_key_md5(md5)
        .set_tagging(settings.tags.header());
    settings.metadata.pairs().fold(request, |request, (name, value)| request.metadata(name, value))
}

pub(crate) fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> FailureReason
where
    E: ProvideErrorMetadata + RequestId + std::error::Error + 'static,
{
    move |error| ServiceError::new(operation, &error).into()
}

/// Every success of S3 names the entity that it stored; a bare 200 from something between does not.
fn e_tag(head: &Parts) -> Result<String, FailureReason> {
    let tag = head.headers.get("etag").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if tag.is_empty() { Err(FailureReason::Unconfirmed) } else { Ok(tag.to_owned()) }
}
