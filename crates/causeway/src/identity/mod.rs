//! From the step's inputs, connection and variables to an identity plan: which source was chosen, and why.

mod accounts;
mod choice;
mod log;
mod plan;

pub(crate) use choice::Chosen;
pub(crate) use log::{Log, mask_key, utc};
