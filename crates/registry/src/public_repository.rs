//! Repositories of ECR Public. Its API is another one than that of private registries, and knows neither immutable tags nor
//! scanning, encryption or lifecycle policies.

use aws_sdk_ecrpublic::Client;
use aws_sdk_ecrpublic::config::Builder;
use aws_sdk_ecrpublic::operation::create_repository::CreateRepositoryError;
use aws_sdk_ecrpublic::operation::describe_repositories::DescribeRepositoriesError;
use aws_sdk_ecrpublic::types::Tag;
use aws_types::SdkConfig;
use aws_types::region::Region;
use causeway_types::{ServiceError, TooManyRequests};

use crate::{RepositoryError, RepositoryName};

/// The repositories of the account's own public registry.
#[derive(Debug)]
pub struct PublicRepositories {
    client: Client,
}

impl PublicRepositories {
    /// ECR Public's API is in us-east-1 alone ("Amazon ECR Public endpoints and quotas").
    #[must_use]
    pub fn of(config: &SdkConfig) -> Self {
        let config = config.to_builder().region(Region::from_static("us-east-1")).build();
        Self { client: Client::from_conf(Builder::from(&config).retry_classifier(TooManyRequests).build()) }
    }

    /// Whether there is such a repository (`DescribeRepositories`). The name begins with the registry's alias, which the
    /// API does without.
    ///
    /// # Errors
    /// Any refusal but `RepositoryNotFoundException`.
    pub async fn exists(&self, name: &RepositoryName) -> Result<bool, RepositoryError> {
        let answer = self.client.describe_repositories().repository_names(bare(name)).send().await;
        match answer {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeRepositoriesError::is_repository_not_found_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed(name, ServiceError::new("DescribeRepositories", &error))),
        }
    }

    /// Makes a repository (`CreateRepository`); answers its ARN. One that somebody made meanwhile is as good.
    ///
    /// # Errors
    /// When ECR refuses.
    pub async fn create(
        &self,
        name: &RepositoryName,
        tags: &[(String, String)],
    ) -> Result<String, RepositoryError> {
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let call = self.client.create_repository().repository_name(bare(name)).set_tags(Some(tags));
        match call.send().await {
            Ok(answer) => Ok(answer.repository.and_then(|made| made.repository_arn).unwrap_or_default()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateRepositoryError::is_repository_already_exists_exception) =>
            {
                Ok(name.to_string())
            }
            Err(error) => Err(failed(name, ServiceError::new("CreateRepository", &error))),
        }
    }
}

/// The name without the alias.
fn bare(name: &RepositoryName) -> &str {
    name.as_str().split_once('/').map_or(name.as_str(), |(_, bare)| bare)
}

fn failed(name: &RepositoryName, error: ServiceError) -> RepositoryError {
    RepositoryError::Service { name: name.to_string(), error }
}
