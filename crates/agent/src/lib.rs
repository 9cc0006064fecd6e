//! The pipeline agent's side of Causeway: what the agent hands to a task, and how a task answers it.
//!
//! In: [`Environment`], and from it [`Inputs`], [`Variables`], [`Connection`]s, the [`Job`] with its token, and the
//! [`ProxySettings`] and [`CertificateSettings`] of the machine. Out: [`Console`], the only writer to standard
//! output, which escapes, neutralises and masks. Nothing here knows AWS.
//!
//! The rules are those of the agent's own sources (`microsoft/azure-pipelines-agent`) and of the task library
//! (`microsoft/azure-pipelines-task-lib`).

mod connection;
mod console;
mod environment;
mod escape;
mod inputs;
mod job;
mod network;
mod neutralise;
mod private;
mod variables;

pub use connection::{Connection, ConnectionError, ConnectionId};
pub use console::{Console, Masked, MultiLineSecret, SHORTEST_MASK};
pub use environment::Environment;
pub use escape::Escaping;
pub use inputs::{InputError, Inputs};
pub use job::Job;
pub use network::{CertificateSettings, ProxySettings};
pub use neutralise::neutralise;
pub use variables::Variables;
