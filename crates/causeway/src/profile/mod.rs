//! AWS profiles that exist for one job: a configuration file in the job's temp folder, and beside it the program that its
//! `credential_process` starts.

mod config;
mod folder;
mod name;

pub(crate) use folder::JobFolder;
pub(crate) use name::ProfileName;
