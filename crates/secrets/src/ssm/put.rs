use aws_sdk_ssm::operation::put_parameter::{PutParameterError, PutParameterOutput};
use aws_sdk_ssm::types::{ParameterTier as SsmTier, ResourceTypeForTagging, Tag as SsmTag};
use aws_types::SdkConfig;
use causeway_types::ServiceError;
use secrecy::{ExposeSecret, SecretString};

use super::{Reader, region_of};
use crate::{ParameterKind, ParameterName, Tag};

/// The largest values of the two tiers in bytes ("Managing parameter tiers", Systems Manager User Guide).
const STANDARD_BYTES: usize = 4096;
const ADVANCED_BYTES: usize = 8192;

/// What a parameter may cost and hold (`Tier`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterTier {
    /// Up to 4 KiB.
    Standard,
    /// Up to 8 KiB, and charged.
    Advanced,
    /// Standard as long as that is enough.
    IntelligentTiering,
}

/// A parameter to write. Made by [`ParameterWrite::new`]; what is optional is set by the `with` functions.
#[derive(Debug, Clone)]
pub struct ParameterWrite {
    name: ParameterName,
    kind: ParameterKind,
    value: SecretString,
    key: Option<String>,
    tier: Option<ParameterTier>,
    overwrite: bool,
    description: Option<String>,
    tags: Vec<Tag>,
}

/// SSM would not take the parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidParameterWrite {
    /// An ARN or a version cannot be written to.
    #[error("\"{0}\" cannot be written: give the parameter's own name, without ARN, version or label")]
    Name(String),
    /// There is nothing to write.
    #[error("the value is empty, and SSM stores no empty parameter")]
    Empty,
    /// More than the tier holds.
    #[error("the value has {bytes} bytes, and a parameter of this tier holds {limit}")]
    TooLong {
        /// The value's length.
        bytes: usize,
        /// The tier's limit.
        limit: usize,
    },
    /// A key for something that is not encrypted.
    #[error("a KMS key is only for a SecureString")]
    KeyWithoutEncryption,
}

/// Why a parameter was not written, or not wholly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteParameterError {
    /// It exists, and may not be overwritten.
    #[error("parameter \"{name}\" exists already in {region}, and overwriting is off")]
    Exists {
        /// The parameter.
        name: String,
        /// The region.
        region: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// SSM, or KMS behind it, refused or failed.
    #[error("parameter \"{name}\" could not be written")]
    Service {
        /// The parameter.
        name: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// The value is stored, its tags are not.
    #[error("parameter \"{name}\" is written (version {version}), but its tags are not")]
    Tags {
        /// The parameter.
        name: String,
        /// The version that was stored.
        version: i64,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
}

impl ParameterWrite {
    /// A value for a parameter; an existing one is overwritten.
    ///
    /// # Errors
    /// When the name is an ARN or has a selector, or the value is empty or longer than any parameter.
    pub fn new(
        name: ParameterName,
        kind: ParameterKind,
        value: SecretString,
    ) -> Result<Self, InvalidParameterWrite> {
        if name.selector().is_some() || name.as_str().starts_with("arn:") {
            return Err(InvalidParameterWrite::Name(name.to_string()));
        }
        if value.expose_secret().is_empty() {
            return Err(InvalidParameterWrite::Empty);
        }
        let write = Self {
            name,
            kind,
            value,
            key: None,
            tier: None,
            overwrite: true,
            description: None,
            tags: Vec::new(),
        };
        write.check_length(ADVANCED_BYTES)
    }

    /// With a KMS key (id, ARN or alias) instead of the account's own.
    ///
    /// # Errors
    /// When the parameter is not a SecureString.
    pub fn with_key(self, key: Option<String>) -> Result<Self, InvalidParameterWrite> {
        if key.is_some() && self.kind != ParameterKind::SecureString {
            return Err(InvalidParameterWrite::KeyWithoutEncryption);
        }
        Ok(Self { key, ..self })
    }

    /// In a tier; without one the account's default decides.
    ///
    /// # Errors
    /// When the value does not fit into it.
    pub fn with_tier(self, tier: Option<ParameterTier>) -> Result<Self, InvalidParameterWrite> {
        let limit = if tier == Some(ParameterTier::Standard) { STANDARD_BYTES } else { ADVANCED_BYTES };
        Self { tier, ..self }.check_length(limit)
    }

    /// Whether an existing parameter is overwritten.
    #[must_use]
    pub fn with_overwrite(self, overwrite: bool) -> Self {
        Self { overwrite, ..self }
    }

    /// With a description and tags. Tags that the parameter has already stay.
    #[must_use]
    pub fn with_details(self, description: Option<String>, tags: Vec<Tag>) -> Self {
        Self { description, tags, ..self }
    }

    /// The parameter's name.
    #[must_use]
    pub fn name(&self) -> &ParameterName {
        &self.name
    }

    fn check_length(self, limit: usize) -> Result<Self, InvalidParameterWrite> {
        match self.value.expose_secret().len() {
            bytes if bytes > limit => Err(InvalidParameterWrite::TooLong { bytes, limit }),
            _ => Ok(self),
        }
    }
}

/// Writes a parameter; answers the number of the version that it has now.
///
/// # Errors
/// [`WriteParameterError`].
pub async fn put_parameter(config: &SdkConfig, write: &ParameterWrite) -> Result<i64, WriteParameterError> {
    Writer { reader: Reader::new(config), write, region: region_of(config) }.put().await
}

struct Writer<'a> {
    reader: Reader,
    write: &'a ParameterWrite,
    region: String,
}

impl Writer<'_> {
    /// SSM takes tags only with a parameter that is new, in the same call; to an existing one they are added afterwards
    /// ("PutParameter", Systems Manager API reference).
    async fn put(&self) -> Result<i64, WriteParameterError> {
        if self.write.tags.is_empty() || !self.write.overwrite {
            return self
                .send(self.write.overwrite)
                .await
                .map_err(|(error, exists)| self.explain(error, exists));
        }
        match self.send(false).await {
            Ok(version) => Ok(version),
            Err((_, true)) => {
                let version = self.send(true).await.map_err(|(error, exists)| self.explain(error, exists))?;
                self.add_tags(version).await?;
                Ok(version)
            }
            Err((error, false)) => Err(self.explain(error, false)),
        }
    }

    /// The refusal comes with whether the parameter exists already.
    async fn send(&self, overwrite: bool) -> Result<i64, (ServiceError, bool)> {
        let write = self.write;
        let tags = (!overwrite).then(|| tags(&write.tags));
        let request = self
            .reader
            .client
            .put_parameter()
            .name(write.name.as_str())
            .r#type(write.kind.into())
            .value(write.value.expose_secret())
            .overwrite(overwrite)
            .set_key_id(write.key.clone())
            .set_tier(write.tier.map(SsmTier::from))
            .set_description(write.description.clone())
            .set_tags(tags.filter(|tags| !tags.is_empty()));
        let answer = self.reader.pacer.call("PutParameter", || request.clone().send()).await;
        answer.map(|answer: PutParameterOutput| answer.version).map_err(|error| {
            let exists =
                matches!(error.as_service_error(), Some(PutParameterError::ParameterAlreadyExists(_)));
            (ServiceError::new("PutParameter", &error), exists)
        })
    }

    async fn add_tags(&self, version: i64) -> Result<(), WriteParameterError> {
        let request = self
            .reader
            .client
            .add_tags_to_resource()
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(self.write.name.as_str())
            .set_tags(Some(tags(&self.write.tags)));
        let answer = self.reader.pacer.call("AddTagsToResource", || request.clone().send()).await;
        answer.map(|_| ()).map_err(|error| WriteParameterError::Tags {
            name: self.write.name.to_string(),
            version,
            error: ServiceError::new("AddTagsToResource", &error),
        })
    }

    fn explain(&self, error: ServiceError, exists: bool) -> WriteParameterError {
        let name = self.write.name.to_string();
        if exists {
            WriteParameterError::Exists { name, region: self.region.clone(), error }
        } else {
            WriteParameterError::Service { name, error }
        }
    }
}

impl From<ParameterTier> for SsmTier {
    fn from(tier: ParameterTier) -> Self {
        match tier {
            ParameterTier::Standard => Self::Standard,
            ParameterTier::Advanced => Self::Advanced,
            ParameterTier::IntelligentTiering => Self::IntelligentTiering,
        }
    }
}

fn tags(tags: &[Tag]) -> Vec<SsmTag> {
    let sdk = |tag: &Tag| SsmTag::builder().key(&tag.key).value(&tag.value).build().ok();
    tags.iter().filter_map(sdk).collect()
}
