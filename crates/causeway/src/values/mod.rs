//! From values that a service answered to what later steps read: variables, files of the job, one file of all of them.
//!
//! Nothing leaves before every secret among the values is masked, and nothing at all when two of them would share a
//! name.

mod dotenv;
mod given;
mod named;
mod names;
mod output_file;
mod publish;
mod settings;

use causeway_secrets::SecretContent;

pub(crate) use given::{GivenText, GivenValue, read_value};
pub(crate) use named::Named;
pub(crate) use names::{check_names, is_an_output};
pub(crate) use publish::publish;
pub(crate) use settings::Settings;

/// A value on its way to a variable.
pub(crate) struct Value {
    /// What it came from, for messages: a parameter's or secret's name.
    pub(crate) origin: String,
    /// The variable that it is for. Empty where only the keys of a JSON value give names.
    pub(crate) variable: String,
    /// The value.
    pub(crate) content: SecretContent,
    /// Whether it may be seen by nobody.
    pub(crate) secret: bool,
    /// Whether it is a list with commas (SSM's StringList).
    pub(crate) list: bool,
}
