//! Repositories of ECR: whether one is there, and how one is made.

use std::str::FromStr;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::Builder;
use aws_sdk_ecr::error::SdkError;
use aws_sdk_ecr::operation::create_repository::CreateRepositoryError;
use aws_sdk_ecr::operation::describe_repositories::DescribeRepositoriesError;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability, Tag as SdkTag,
};
use aws_types::SdkConfig;
use causeway_types::{AccountId, ServiceError, TooManyRequests};

use crate::login::config_for;
use crate::{RegistryHost, RepositoryName};

/// What a new repository is like. Everything is left to ECR unless it is said.
#[derive(Debug, Clone, Default)]
pub struct RepositorySettings {
    /// Tags cannot be moved to another image.
    pub immutable_tags: bool,
    /// Images are scanned when they are pushed.
    pub scan_on_push: bool,
    /// How images are encrypted.
    pub encryption: Option<RepositoryEncryption>,
    /// The lifecycle policy's JSON.
    pub lifecycle_policy: Option<LifecyclePolicy>,
    /// Tags of the repository itself, key and value.
    pub tags: Vec<(String, String)>,
}

/// `EncryptionConfiguration` of the ECR API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryEncryption {
    /// The kind of encryption.
    pub kind: EncryptionKind,
    /// A KMS key; none for AWS's own.
    pub kms_key: Option<String>,
}

/// `encryptionType` of the ECR API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptionKind {
    /// Keys of ECR itself.
    Aes256,
    /// A key of KMS.
    Kms,
    /// Two layers, with keys of KMS.
    KmsDsse,
}

/// The JSON of a lifecycle policy: an object with rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecyclePolicy(String);

impl LifecyclePolicy {
    /// The JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no lifecycle policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a lifecycle policy: {0}")]
pub struct InvalidLifecyclePolicy(String);

impl FromStr for LifecyclePolicy {
    type Err = InvalidLifecyclePolicy;

    fn from_str(text: &str) -> Result<Self, InvalidLifecyclePolicy> {
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|error| InvalidLifecyclePolicy(error.to_string()))?;
        if json["rules"].as_array().is_none_or(Vec::is_empty) {
            return Err(InvalidLifecyclePolicy("there is no list \"rules\" with anything in it".to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A repository that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its ARN.
    pub arn: String,
    /// Whether no tag of it can be moved. With exceptions from that, it is not said here.
    pub immutable_tags: bool,
}

/// Why a repository could not be looked at or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// ECR refused or failed.
    #[error("repository {name}")]
    Service {
        /// Which repository.
        name: String,
        /// What ECR said.
        #[source]
        error: ServiceError,
    },
    /// It was made, but not all that was asked for could be set.
    #[error(
        "repository {name} was created, but its lifecycle policy could not be set, and a second run leaves the repository as it is: set the policy there, or delete the repository"
    )]
    PolicyNotSet {
        /// Which repository.
        name: String,
        /// What ECR said.
        #[source]
        error: ServiceError,
    },
}

/// The repositories of one registry.
#[derive(Debug)]
pub struct Repositories {
    client: Client,
    registry: AccountId,
}

impl Repositories {
    /// The repositories of a private registry, in its own account and region; `None` for ECR Public, which has another API.
    #[must_use]
    pub fn of(config: &SdkConfig, host: &RegistryHost) -> Option<Self> {
        let registry = host.account()?.clone();
        let config = Builder::from(&config_for(config, host)).retry_classifier(TooManyRequests).build();
        Some(Self { client: Client::from_conf(config), registry })
    }

    /// Looks for a repository (`DescribeRepositories`); `None` when ECR says `RepositoryNotFoundException`.
    ///
    /// # Errors
    /// Any other refusal.
    pub async fn find(&self, name: &RepositoryName) -> Result<Option<Repository>, RepositoryError> {
        let answer = self
            .client
            .describe_repositories()
            .registry_id(self.registry.as_str())
            .repository_names(name.as_str())
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let found = answer.repositories.unwrap_or_default().into_iter().next();
                Ok(found.map(|found| Repository {
                    arn: found.repository_arn.unwrap_or_default(),
                    immutable_tags: found.image_tag_mutability == Some(ImageTagMutability::Immutable),
                }))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeRepositoriesError::is_repository_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(RepositoryError::Service {
                name: name.to_string(),
                error: ServiceError::new("DescribeRepositories", &error),
            }),
        }
    }

    /// Makes a repository (`CreateRepository`), then its lifecycle policy (`PutLifecyclePolicy`).
    ///
    /// # Errors
    /// [`RepositoryError`]; after [`RepositoryError::PolicyNotSet`] the repository is there.
    pub async fn create(
        &self,
        name: &RepositoryName,
        settings: &RepositorySettings,
    ) -> Result<Repository, RepositoryError> {
        let mutability =
            if settings.immutable_tags { ImageTagMutability::Immutable } else { ImageTagMutability::Mutable };
        let scanning = ImageScanningConfiguration::builder().scan_on_push(settings.scan_on_push).build();
        let tags = settings
            .tags
            .iter()
            .filter_map(|(key, value)| SdkTag::builder().key(key).value(value).build().ok())
            .collect();
        let encryption = settings.encryption.as_ref().and_then(encryption);
        let answer = self
            .client
            .create_repository()
            .registry_id(self.registry.as_str())
            .repository_name(name.as_str())
            .image_tag_mutability(mutability)
            .image_scanning_configuration(scanning)
            .set_encryption_configuration(encryption)
            .set_tags(Some(tags))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.made_meanwhile(name, error).await,
        };
        if let Some(policy) = &settings.lifecycle_policy {
            self.put_policy(name, policy).await?;
        }
        let arn = answer.repository.and_then(|repository| repository.repository_arn).unwrap_or_default();
        Ok(Repository { arn, immutable_tags: settings.immutable_tags })
    }

    /// Another job may have made it since it was looked for.
    async fn made_meanwhile(
        &self,
        name: &RepositoryName,
        error: SdkError<CreateRepositoryError>,
    ) -> Result<Repository, RepositoryError> {
        let refused = || RepositoryError::Service {
            name: name.to_string(),
            error: ServiceError::new("CreateRepository", &error),
        };
        let exists = error
            .as_service_error()
            .is_some_and(CreateRepositoryError::is_repository_already_exists_exception);
        if exists { self.find(name).await?.ok_or_else(refused) } else { Err(refused()) }
    }

    async fn put_policy(
        &self,
        name: &RepositoryName,
        policy: &LifecyclePolicy,
    ) -> Result<(), RepositoryError> {
        let answer = self
            .client
            .put_lifecycle_policy()
            .registry_id(self.registry.as_str())
            .repository_name(name.as_str())
            .lifecycle_policy_text(policy.as_str())
            .send()
            .await;
        answer.map(drop).map_err(|error| RepositoryError::PolicyNotSet {
            name: name.to_string(),
            error: ServiceError::new("PutLifecyclePolicy", &error),
        })
    }
}

fn encryption(wanted: &RepositoryEncryption) -> Option<EncryptionConfiguration> {
    let kind = match wanted.kind {
        EncryptionKind::Aes256 => EncryptionType::Aes256,
        EncryptionKind::Kms => EncryptionType::Kms,
        EncryptionKind::KmsDsse => EncryptionType::KmsDsse,
    };
    EncryptionConfiguration::builder().encryption_type(kind).set_kms_key(wanted.kms_key.clone()).build().ok()
}
