//! Moves files between a folder and S3: plan, transfer, report.
//!
//! [`UploadPlan::build`] decides without a network which files become which objects;
//! [`upload`] carries the plan out; the [`UploadReport`] names everything that arrived and everything
//! that did not. Nothing here knows a pipeline, prints, or reads the environment.
//!
//! ```no_run
//! # async fn example(sdk_config: aws_types::SdkConfig, route: causeway_transfer::Route) -> Result<(), Box<dyn std::error::Error>> {
//! use causeway_transfer::{CancellationToken, PatternList, UploadOptions, UploadPlan, upload};
//!
//! let mut options = UploadOptions::new("my-bucket".parse()?, "/work/site")?;
//! options.patterns = PatternList::parse(["**", "!**/*.map"])?;
//! options.target_folder = "releases/1.0".parse()?;
//!
//! let plan = UploadPlan::build(options)?;
//! if plan.is_empty() {
//!     // A warning is the caller's business.
//! }
//! let cancel = CancellationToken::new();
//! let progress = |now: causeway_transfer::TransferProgress| drop(now.bytes_done);
//! let report = upload(&sdk_config, &route, &plan, &progress, &cancel).await?;
//! if !report.is_complete() {
//!     // report.failures names each file and why; what did arrive is in report.uploaded.
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//! * An object counts as uploaded when S3 has verified its checksum (CRC-64/NVME over the whole object,
//!   also of one that went in parts) and said so.
//! * A file that cannot be read, has changed while it was read, or was refused is named and stops no other.
//! * Content in memory is bounded by [`TransferLimits::buffered_bytes`], whatever the files are.
//! * Multipart uploads that do not end well are aborted; those that could not be are reported. What a process
//!   that was killed left is aborted by the next one, and only what it noted itself.
//!
//! # How it is quick
//! Buckets, listings and the beginning and end of multipart uploads go through the SDK. Content goes below it
//! ([`Route`]): hyper and rustls on warm connections, signed with `aws-sigv4`, the payload unsigned over TLS,
//! files read ahead on threads of their own into buffers that are used again. How many requests are under way
//! follows what the service answers.

mod bucket;
mod budget;
mod buffers;
mod changed;
mod checksum;
mod content;
mod download;
mod failure;
mod glob;
mod headers;
mod journal;
mod key;
mod limits;
mod listing;
mod pace;
mod parts;
mod plan;
mod prepare;
mod progress;
mod reader;
mod removed;
mod report;
mod settings;
mod shard;
mod source;
mod store;
mod upload;
mod wire;

pub use bucket::{BucketName, InvalidBucketName};
pub use download::{DownloadError, DownloadOptions, DownloadReport, DownloadedObject, download};
pub use failure::{Failure, FailureReason, ReadError};
pub use glob::{InvalidPattern, PatternList};
pub use key::{InvalidTargetFolder, MAX_KEY_BYTES, TargetFolder};
pub use limits::TransferLimits;
pub use plan::{DeleteRemoved, PlanError, PlannedObject, UploadOptions, UploadPlan};
pub use prepare::{BucketState, UploadError};
pub use progress::{NoProgress, Progress, TransferProgress};
pub use report::{LeftOpen, Slow, UploadReport, UploadedObject};
pub use settings::{
    CacheControl, CannedAcl, Encryption, HeaderText, InvalidCacheControl, InvalidCustomerKey,
    InvalidHeaderText, InvalidMetadata, InvalidTags, Metadata, ObjectSettings, ObjectTags, SseCustomerKey,
    StorageClass, UnknownAcl, UnknownStorageClass, content_type,
};
pub use shard::{Fingerprint, InvalidShard, Shard};
/// The handle by which a transfer is cancelled.
pub use tokio_util::sync::CancellationToken;
pub use upload::upload;
pub use wire::{EndpointError, Route};
