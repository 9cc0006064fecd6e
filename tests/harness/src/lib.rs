//! Everything that plays the world around the task, so that tests and `scripts/demo` run the built task under
//! node as the pipeline agent runs it.
//!
//! | module | plays |
//! |---|---|
//! | [`azure_devops`] | an organization: the job's token call, signed tokens, the issuer's keys |
//! | [`sts`] | IAM and a strict STS: signatures, trust policies, sessions |
//! | [`gateway`] | the one address that the task gets as `AWS_ENDPOINT_URL`: STS here, the rest to moto |
//! | [`moto`] | the other AWS services |
//! | [`agent`] | the pipeline agent: environment in, logging commands out, masking, post-job |
//! | [`pipeline`] | Azure Pipelines YAML: stages, jobs, steps |
//! | [`expression`] | its conditions and `$[ … ]` |
//! | [`proxy`] | a company's proxy: tinyproxy, and one that knows names which nobody else knows |
//! | [`tls`] | a private authority, and https in front of the servers above |
//! | [`registry`] | ECR's registries: docker-registry with TLS and a password, and faults before it |
//! | [`leak`] | the search for secrets in logs, files and command lines |
//! | [`world`] | all of it in one line for a test |
//!
//! Everything is blocking, so tests are plain `#[test]` functions; the servers run on threads of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test support: a panic here is the failing test")]

pub mod agent;
pub mod azure_devops;
pub mod expression;
pub mod gateway;
mod http;
pub mod jwt;
pub mod leak;
pub mod moto;
pub mod pipeline;
pub mod proxy;
mod random;
pub mod registry;
mod sigv4;
pub mod sts;
pub mod tls;
pub mod world;

pub use http::{Reply, send};
pub use sigv4::sha256_hex;
