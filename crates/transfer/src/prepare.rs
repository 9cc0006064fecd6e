//! The bucket, before the first object: is it there, and where the wish is, made.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use causeway_types::ServiceError;

use crate::bucket::BucketName;
use crate::wire::EndpointError;

/// The one region that is not named when a bucket is made (API `CreateBucket`).
const REGION_WITHOUT_CONSTRAINT: &str = "us-east-1";
/// How often a bucket is tried to be made while another job is at it, and about how long is waited between.
const ATTEMPTS_TO_CREATE: u32 = 8;
const PAUSE: Duration = Duration::from_secs(2);

/// Why nothing was uploaded at all.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The bucket does not exist, and was not to be made.
    #[error("the bucket {0} does not exist")]
    NoBucket(BucketName),
    /// The bucket is in another region than the configuration's.
    #[error("the bucket {bucket} is in region {}, not in {}", there.as_deref().unwrap_or("unknown"), here)]
    OtherRegion {
        /// The bucket.
        bucket: BucketName,
        /// Where it is, if S3 said so.
        there: Option<String>,
        /// The region that was asked.
        here: String,
    },
    /// Content cannot be sent to such a bucket.
    #[error("the bucket {bucket} cannot be used: {source}")]
    Endpoint {
        /// The bucket.
        bucket: BucketName,
        /// Why not.
        source: EndpointError,
    },
    /// What is in the bucket could not be listed, so nothing can be compared or deleted.
    #[error("the bucket {bucket} could not be listed: {source}")]
    List {
        /// The bucket.
        bucket: BucketName,
        /// S3's answer.
        source: ServiceError,
    },
    /// S3 gave no clear answer about the bucket.
    #[error("the bucket {bucket} could not be looked at: {source}")]
    Bucket {
        /// The bucket.
        bucket: BucketName,
        /// S3's answer.
        source: ServiceError,
    },
    /// The bucket could not be made.
    #[error("the bucket {bucket} could not be created: {source}")]
    Create {
        /// The bucket.
        bucket: BucketName,
        /// S3's answer.
        source: ServiceError,
    },
}

/// What is known about the bucket before the first object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketState {
    /// It was there.
    Existed,
    /// It was made.
    Created,
    /// These credentials may not look (403); whether they may put objects shows with the first one.
    NotAllowedToLook,
    /// The transfer was cancelled before.
    NotLookedAt,
}

/// Looks at the bucket (`HeadBucket`) and makes it if it is missing and that was asked for.
pub(crate) async fn prepare_bucket(
    client: &Client,
    bucket: &BucketName,
    create: bool,
) -> Result<BucketState, UploadError> {
    let mut left = ATTEMPTS_TO_CREATE;
    loop {
        let Err(error) = client.head_bucket().bucket(bucket.as_str()).send().await else {
            return Ok(BucketState::Existed);
        };
        match error.raw_response().map(|response| response.status().as_u16()) {
            Some(404) if create => {}
            Some(404) => return Err(UploadError::NoBucket(bucket.clone())),
            Some(403) => return Ok(BucketState::NotAllowedToLook),
            _ => return Err(unclear(client, bucket, &error)),
        }
        left -= 1;
        match create_bucket(client, bucket).await {
            // Another job is making it at this moment; it is there soon, or may be made then.
            Err(error) if left > 0 && error.code() == Some("OperationAborted") => {
                tokio::time::sleep(PAUSE.mul_f64(0.5 + fastrand::f64())).await;
            }
            created => {
                let failed = |source| UploadError::Create { bucket: bucket.clone(), source };
                return created.map_err(failed);
            }
        }
    }
}

fn unclear(
    client: &Client,
    bucket: &BucketName,
    error: &SdkError<HeadBucketError, HttpResponse>,
) -> UploadError {
    let here = region(client);
    let response = error.raw_response();
    let moved = response.is_some_and(|response| response.status().as_u16() == 301);
    let there = response.and_then(|response| response.headers().get("x-amz-bucket-region"));
    if moved || there.is_some_and(|there| there != here) {
        return UploadError::OtherRegion { bucket: bucket.clone(), there: there.map(str::to_owned), here };
    }
    UploadError::Bucket { bucket: bucket.clone(), source: ServiceError::new("HeadBucket", error) }
}

async fn create_bucket(client: &Client, bucket: &BucketName) -> Result<BucketState, ServiceError> {
    let region = region(client);
    let place = (region != REGION_WITHOUT_CONSTRAINT).then(|| {
        let constraint = BucketLocationConstraint::from(region.as_str());
        CreateBucketConfiguration::builder().location_constraint(constraint).build()
    });
    let request = client.create_bucket().bucket(bucket.as_str()).set_create_bucket_configuration(place);
    match request.send().await {
        Ok(_) => Ok(BucketState::Created),
        // Another job of the same account was quicker.
        Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(BucketState::Existed),
        Err(error) => Err(ServiceError::new("CreateBucket", &error)),
    }
}

fn region(client: &Client) -> String {
    client.config().region().map(ToString::to_string).unwrap_or_default()
}
