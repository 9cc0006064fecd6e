//! Small types that Causeway's crates share.
//!
//! Nothing here talks to a network or knows a pipeline: these are the checked forms of what AWS calls
//! a [`Region`], an [`AccountId`], a [`Partition`] and a [`RoleArn`], and [`ServiceError`], the one form in
//! which every crate reports what an AWS service answered.

mod account;
mod arn;
mod partition;
mod region;
mod retry;
mod service_error;

pub use account::{AccountId, InvalidAccountId};
pub use arn::{InvalidRoleArn, RoleArn, account_of_arn};
pub use partition::Partition;
pub use region::{InvalidRegion, Region};
pub use retry::TooManyRequests;
pub use service_error::{ServiceError, ServiceErrorKind};
