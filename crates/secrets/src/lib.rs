//! Parameters of AWS Systems Manager and secrets of AWS Secrets Manager: what to read or write, doing it, and what the
//! variables are called.
//!
//! The way through this crate:
//!
//! 1. [`ParameterName`], [`ParameterVersion`], [`ParameterPath`], [`SecretId`] and [`SecretPattern`] check what a person
//!    wrote; a [`ParameterQuery`], or patterns, say what to read; a [`ParameterWrite`] or [`SecretWrite`] what to write.
//!    [`NameTransform`] says how variables get their names. All of it is refused here, before any call, when it cannot
//!    work.
//! 2. [`read`] asks SSM, with decryption, and [`read_secrets`] asks Secrets Manager: many calls side by side, slowed
//!    down together when the service throttles. What fails fails the whole, naming everything that is missing. An empty
//!    hierarchy is an empty list, not an error: the caller decides what to say about it. [`put_parameter`] and
//!    [`put_secret`] write.
//! 3. [`flatten`] divides a JSON value into the values of its keys.
//!
//! Retries, time limits and endpoints are those of the `SdkConfig` that the calls are given. Nothing is printed and no
//! environment is read.

mod flatten;
mod manager;
mod name;
mod pace;
mod parameter;
mod query;
mod ssm;
mod tag;
mod transform;
mod words;

pub use flatten::{Leaf, flatten};
pub use manager::{
    FoundSecret, InvalidSecretId, InvalidSecretWrite, ReadSecretsError, Secret, SecretContent, SecretId,
    SecretPattern, SecretProblem, SecretVersion, SecretWrite, SecretWritten, WriteSecretError, put_secret,
    read_secrets,
};
pub use name::{InvalidParameterName, ParameterName, Selector};
pub use parameter::{Parameter, ParameterKind};
pub use query::{
    HierarchyPlan, InvalidParameterPath, InvalidParameterVersion, ParameterPath, ParameterQuery,
    ParameterVersion, TwoSelectors,
};
pub use ssm::{
    InvalidParameterWrite, ParameterTier, ParameterWrite, ReadError, Reading, WriteParameterError,
    put_parameter, read,
};
pub use tag::{InvalidTag, Tag};
pub use transform::{InvalidPattern, NameTransform, Substitution, SubstitutionScope};
