//! Logging in to Amazon ECR, with nothing but the AWS API and a docker configuration file.
//!
//! The way through this crate:
//!
//! 1. [`authorize`] asks ECR for the caller's own account and region and answers a [`RegistryLogin`]; its
//!    [`RegistryHost`] is checked, so a login never goes to a host that is not ECR's.
//! 2. [`DockerConfig`] is loaded from a folder ([`DockerConfig::load`] to change it there,
//!    [`DockerConfig::copy_of`] to carry a person's own into a new folder), takes the login
//!    ([`DockerConfig::add_login`]) and is written ([`DockerConfig::save`]). What comes back is a
//!    [`LoginReceipt`] without secrets, to be kept until the job ends.
//! 3. [`remove_logins`] takes back what the receipt names and leaves what others added since.
//!
//! No docker program is needed. Retries, time limits and endpoints are those of the `SdkConfig`. Nothing is
//! printed and no environment is read.

mod docker_config;
mod host;
mod login;

pub use docker_config::{Cleaned, DockerConfig, DockerConfigError, LoginReceipt, remove_logins};
pub use host::{InvalidRegistryHost, RegistryHost};
pub use login::{AuthorizeError, RegistryLogin, authorize};
