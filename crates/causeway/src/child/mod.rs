//! Programs that a step runs for its user: with the step's credentials, and nothing else of it.

mod environment;
mod program;
mod shell;
mod tool;
mod tree;
mod words;

pub(crate) use environment::ChildEnvironment;
pub(crate) use program::{Program, WIND_DOWN};
pub(crate) use shell::{SHELLS, Shell};
pub(crate) use tool::Tool;
pub(crate) use tree::{Felled, prepare};
pub(crate) use words::split_words;
