//! What the commands for ECR have in common.

mod advice;
mod engine;
mod logins;
mod new_repository;
mod outputs;
mod progress;
mod target;

pub(crate) use advice::explained;
pub(crate) use engine::Engine;
pub(crate) use logins::LoginFiles;
pub(crate) use new_repository::NewRepository;
pub(crate) use outputs::{digest_of, tell, uri};
pub(crate) use progress::{Size, with_progress};
pub(crate) use target::Target;
