use aws_sdk_secretsmanager::primitives::Blob;
use aws_sdk_secretsmanager::types::Tag as ManagerTag;
use aws_types::SdkConfig;
use causeway_types::ServiceError;
use secrecy::ExposeSecret;

use super::{SecretContent, SecretId, client};
use crate::Tag;
use crate::pace::Pacer;
use crate::ssm::region_of;

/// The largest value in bytes ("AWS Secrets Manager quotas").
const MAX_BYTES: usize = 65_536;

/// A secret to write. Made by [`SecretWrite::new`].
#[derive(Debug, Clone)]
pub struct SecretWrite {
    id: SecretId,
    content: SecretContent,
    description: Option<String>,
    key: Option<String>,
    tags: Vec<Tag>,
    create: bool,
}

/// Secrets Manager would not take the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecretWrite {
    /// There is nothing to write.
    #[error("the value is empty, and Secrets Manager stores no empty secret")]
    Empty,
    /// More than a secret holds.
    #[error("the value has {0} bytes, and a secret holds 65536")]
    TooLong(usize),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretWritten {
    /// The secret's ARN.
    pub arn: String,
    /// The id of the version.
    pub version: String,
    /// Whether the secret is new.
    pub created: bool,
}

/// Why a secret was not written, or not wholly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteSecretError {
    /// It does not exist, and may not be created.
    #[error("secret \"{id}\" does not exist in {region}, and creating it is off or impossible with an ARN")]
    Missing {
        /// The secret.
        id: String,
        /// The region.
        region: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// The service refused or failed.
    #[error("secret \"{id}\" could not be written")]
    Service {
        /// The secret.
        id: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
    /// The value is stored, its tags are not.
    #[error("secret \"{id}\" is written, but its tags are not")]
    Tags {
        /// The secret.
        id: String,
        /// What the service said.
        #[source]
        error: ServiceError,
    },
}

impl SecretWrite {
    /// A value for a secret, which is created if it does not exist.
    ///
    /// # Errors
    /// When the value is empty or longer than any secret.
    pub fn new(id: SecretId, content: SecretContent) -> Result<Self, InvalidSecretWrite> {
        match content.length() {
            0 => Err(InvalidSecretWrite::Empty),
            bytes if bytes > MAX_BYTES => Err(InvalidSecretWrite::TooLong(bytes)),
            _ => Ok(Self { id, content, description: None, key: None, tags: Vec::new(), create: true }),
        }
    }

    /// Whether a secret that does not exist is created.
    #[must_use]
    pub fn with_create(self, create: bool) -> Self {
        Self { create, ..self }
    }

    /// With a description, a KMS key (id, ARN or alias) and tags. What is not given stays as it is.
    #[must_use]
    pub fn with_details(self, description: Option<String>, key: Option<String>, tags: Vec<Tag>) -> Self {
        Self { description, key, tags, ..self }
    }

    /// The secret's name or ARN.
    #[must_use]
    pub fn id(&self) -> &SecretId {
        &self.id
    }

    fn text(&self) -> Option<String> {
        match &self.content {
            SecretContent::Text(text) => Some(text.expose_secret().to_owned()),
            SecretContent::Binary(_) => None,
        }
    }

    fn binary(&self) -> Option<Blob> {
        matches!(self.content, SecretContent::Binary(_)).then(|| Blob::new(self.content.bytes()))
    }
}

/// Stores a new version of a secret; the secret is created if it does not exist. Rotation is left alone.
///
/// # Errors
/// [`WriteSecretError`].
pub async fn put_secret(config: &SdkConfig, write: &SecretWrite) -> Result<SecretWritten, WriteSecretError> {
    let writer = Writer {
        client: client(config),
        pacer: Pacer::new(config),
        region: region_of(config),
        token: format!("{:032x}", fastrand::u128(..)),
        write,
    };
    match writer.update().await {
        Ok(written) => writer.tag(written).await,
        Err((_, true)) if write.create && !write.id.is_arn() => writer.create().await,
        Err((error, true)) => {
            Err(WriteSecretError::Missing { id: write.id.to_string(), region: writer.region.clone(), error })
        }
        Err((error, false)) => Err(writer.failed(error)),
    }
}

struct Writer<'a> {
    client: aws_sdk_secretsmanager::Client,
    pacer: Pacer,
    region: String,
    /// The same for every attempt, so that one whose answer was lost leaves no second version (`ClientRequestToken`).
    token: String,
    write: &'a SecretWrite,
}

/// What a call answered about the version that it stored.
type Stored = (Option<String>, Option<String>);

/// A refusal, and whether it is that there is no such secret.
type Refused = (ServiceError, bool);

impl Writer<'_> {
    /// A description or key needs `UpdateSecret`; a value alone asks for no more than `PutSecretValue`.
    async fn update(&self) -> Result<SecretWritten, Refused> {
        let write = self.write;
        let (arn, version) = if write.description.is_none() && write.key.is_none() {
            self.put_value().await?
        } else {
            self.update_secret().await?
        };
        Ok(self.written(arn, version, false))
    }

    async fn put_value(&self) -> Result<Stored, Refused> {
        let request = self.client.put_secret_value().secret_id(self.write.id.as_str());
        let request = request.client_request_token(&self.token);
        let request = request.set_secret_string(self.write.text()).set_secret_binary(self.write.binary());
        let answer = self.pacer.call("PutSecretValue", || request.clone().send()).await;
        answer.map(|answer| (answer.arn, answer.version_id)).map_err(|error| {
            let missing =
                error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
            (ServiceError::new("PutSecretValue", &error), missing)
        })
    }

    async fn update_secret(&self) -> Result<Stored, Refused> {
        let request = self
            .client
            .update_secret()
            .secret_id(self.write.id.as_str())
            .client_request_token(&self.token)
            .set_secret_string(self.write.text())
            .set_secret_binary(self.write.binary())
            .set_description(self.write.description.clone())
            .set_kms_key_id(self.write.key.clone());
        let answer = self.pacer.call("UpdateSecret", || request.clone().send()).await;
        answer.map(|answer| (answer.arn, answer.version_id)).map_err(|error| {
            let missing =
                error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception());
            (ServiceError::new("UpdateSecret", &error), missing)
        })
    }

    async fn create(&self) -> Result<SecretWritten, WriteSecretError> {
        let tags = (!self.write.tags.is_empty()).then(|| self.tags());
        let request = self
            .client
            .create_secret()
            .name(self.write.id.as_str())
            .client_request_token(&self.token)
            .set_secret_string(self.write.text())
            .set_secret_binary(self.write.binary())
            .set_description(self.write.description.clone())
            .set_kms_key_id(self.write.key.clone())
            .set_tags(tags);
        let answer = self.pacer.call("CreateSecret", || request.clone().send()).await;
        let answer = answer.map_err(|error| self.failed(ServiceError::new("CreateSecret", &error)))?;
        Ok(self.written(answer.arn, answer.version_id, true))
    }

    async fn tag(&self, written: SecretWritten) -> Result<SecretWritten, WriteSecretError> {
        if self.write.tags.is_empty() {
            return Ok(written);
        }
        let request =
            self.client.tag_resource().secret_id(self.write.id.as_str()).set_tags(Some(self.tags()));
        let answer = self.pacer.call("TagResource", || request.clone().send()).await;
        answer.map(|_| written).map_err(|error| WriteSecretError::Tags {
            id: self.write.id.to_string(),
            error: ServiceError::new("TagResource", &error),
        })
    }

    fn tags(&self) -> Vec<ManagerTag> {
        let sdk = |tag: &Tag| ManagerTag::builder().key(&tag.key).value(&tag.value).build();
        self.write.tags.iter().map(sdk).collect()
    }

    fn written(&self, arn: Option<String>, version: Option<String>, created: bool) -> SecretWritten {
        SecretWritten {
            arn: arn.unwrap_or_else(|| self.write.id.to_string()),
            version: version.unwrap_or_default(),
            created,
        }
    }

    fn failed(&self, error: ServiceError) -> WriteSecretError {
        WriteSecretError::Service { id: self.write.id.to_string(), error }
    }
}
