//! Calls of Secrets Manager.

mod content;
mod error;
mod find;
mod id;
mod put;
mod read;

pub use content::SecretContent;
pub use error::{ReadSecretsError, SecretProblem};
pub use id::{InvalidSecretId, SecretId, SecretPattern, SecretVersion};
pub use put::{InvalidSecretWrite, SecretWrite, SecretWritten, WriteSecretError, put_secret};
pub use read::{FoundSecret, Secret, read_secrets};

use aws_sdk_secretsmanager::Client;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;

/// A client without retries of its own: [`crate::pace::Pacer`] has them.
fn client(config: &SdkConfig) -> Client {
    let settings =
        aws_sdk_secretsmanager::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
    Client::from_conf(settings)
}
