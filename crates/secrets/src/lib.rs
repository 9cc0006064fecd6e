//! Parameters of AWS Systems Manager: what to read, reading it, and what the variable is called.
//!
//! The way through this crate:
//!
//! 1. [`ParameterName`], [`ParameterVersion`] and [`ParameterPath`] check what a person wrote; a
//!    [`ParameterQuery`] says what to read. [`NameTransform`] says how variables get their names. All of it
//!    is refused here, before any call, when it cannot work.
//! 2. [`read`] asks SSM, with decryption, and answers every [`Parameter`] in the order of their names.
//!    An empty hierarchy is an empty list, not an error: the caller decides what to say about it.
//! 3. [`name_variables`] gives each parameter its variable, or names the two that would share one.
//!
//! Retries, time limits and endpoints are those of the `SdkConfig` that [`read`] is given. Nothing is printed
//! and no environment is read.

mod name;
mod parameter;
mod query;
mod read;
mod transform;
mod variables;

pub use name::{InvalidParameterName, ParameterName, Selector};
pub use parameter::{Parameter, ParameterKind};
pub use query::{
    InvalidParameterPath, InvalidParameterVersion, ParameterPath, ParameterQuery, ParameterVersion,
    TwoSelectors,
};
pub use read::{ReadError, read};
pub use transform::{InvalidPattern, NameTransform, Substitution, SubstitutionScope};
pub use variables::{NamingError, name_variables};
