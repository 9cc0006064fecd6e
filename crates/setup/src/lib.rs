//! Federation from a file: what a `causeway.yaml` asks for, what there is, and the steps between the two.
//!
//! [`Setup::read`] turns the file into checked values. [`AzureDevOps`] and [`AwsAccount`] observe both sides; [`plan::apply`]
//! and [`plan::remove`] say which calls would change what, and [`run::run`] makes them, one after the other. [`check::check`]
//! judges what was observed without changing anything, and [`emit`] writes the same as code for other tools.
//!
//! The crate prints nothing and reads no environment: it takes connections to both clouds and tells an observer what it does.

pub mod aws;
pub mod azure_devops;
pub mod check;
pub mod emit;
pub mod file;
pub mod inventory;
mod json;
pub mod plan;
pub mod run;

pub use aws::AwsAccount;
pub use azure_devops::{AzureDevOps, AzureDevOpsError};
pub use file::{FileError, Setup};

/// The tag that says that this tool made a resource, and its value.
pub const MANAGED_BY: (&str, &str) = ("causeway:managed-by", "causeway-setup");
/// The tag that says for which set-up.
pub const SETUP_TAG: &str = "causeway:setup";
