//! The pipeline agent, as far as a task can see it.
//!
//! Behaviour follows the agent's own source (github.com/microsoft/azure-pipelines-agent, 4.x): file names in the
//! comments below are its. It runs steps one after the other, hands them their environment, reads logging commands
//! out of their output, masks the log, and runs the post-job steps last.

mod apply;
pub mod command;
mod connection;
mod definition;
mod environment;
mod expand;
mod job;
mod launch;
pub mod mask;
mod orphans;
mod outcome;
mod plan;
mod process;
mod result;
mod step;
mod system;
mod variables;
mod watch;

pub use command::Command;
pub use connection::Connection;
pub use definition::{TaskFolder, TaskInput};
pub use job::Agent;
pub use mask::Masker;
pub use outcome::Outcome;
pub use plan::JobError;
pub use process::{Line, Stream, Usage};
pub use result::{Issue, JobResult, StepResult};
pub use step::{Action, Cancel, Condition, Job, Step};
pub use system::Host;
pub use variables::{Variable, Variables};
pub use watch::Seen;
