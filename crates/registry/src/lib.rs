//! Amazon ECR and OCI images, with nothing but the AWS API, the registry's protocol and files.
//!
//! The way through this crate:
//!
//! 1. [`authorize`] asks ECR for the caller's own account and region, [`authorize_for`] for registries named by a
//!    [`RegistryName`]; both answer a [`RegistryLogin`], whose [`RegistryHost`] is checked, so a login never goes to a host
//!    that is not ECR's.
//! 2. [`DockerConfig`] is loaded from a folder ([`DockerConfig::load`] to change it there,
//!    [`DockerConfig::copy_of`] to carry a person's own into a new folder), takes the login
//!    ([`DockerConfig::add_login`]) and is written ([`DockerConfig::save`]). What comes back is a
//!    [`LoginReceipt`] without secrets, to be kept until the job ends.
//! 3. [`remove_logins`] takes back what the receipt names and leaves what others added since.
//!
//!
//! A [`Registry`] is a login and a way there. [`Image::open`] reads an image from the disk and [`Push`] brings it into a
//! repository, which [`Repositories`] makes; [`retag`] gives it further names, [`pull`] writes it into an OCI layout. How far
//! they are stands in [`Progress`].
//!
//! No docker program is needed. Retries, time limits and endpoints are those of the `SdkConfig`. Nothing is
//! printed and no environment is read.

mod distribution;
mod docker_config;
mod hasher;
mod host;
mod image;
mod login;
mod names;
mod progress;
mod public_repository;
mod pull;
mod push;
mod registry_name;
mod repository;

pub use distribution::{Registry, RegistryError};
pub use docker_config::{Cleaned, ConfigKind, DockerConfig, DockerConfigError, LoginReceipt, remove_logins};
pub use host::{InvalidRegistryHost, RegistryHost};
pub use image::{Descriptor, Document, Image, ImageError, LocalBlob, Location};
pub use login::{AuthorizeError, RegistryLogin, authorize, authorize_for};
pub use names::{Digest, InvalidName, Reference, RepositoryName, Tag};
pub use progress::Progress;
pub use public_repository::PublicRepositories;
pub use pull::{Pulled, pull};
pub use push::{Push, Pushed, retag, tag_in_use};
pub use registry_name::{InvalidRegistryName, RegistryName};
pub use repository::{
    EncryptionKind, InvalidLifecyclePolicy, LifecyclePolicy, Repositories, Repository, RepositoryEncryption,
    RepositoryError, RepositorySettings,
};
