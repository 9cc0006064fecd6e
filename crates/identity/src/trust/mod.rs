//! Trust policies of roles that pipelines assume with an OIDC token.
//!
//! [`Policy`] reads one, [`evaluate`] decides as IAM does whether it lets a token in, and says what fails and how;
//! [`generate`] writes the policy and the OIDC provider that a token needs. The rules are those of the IAM User Guide;
//! each stands beside the code that follows it, with the title of its page.

mod compare;
mod condition;
mod document;
mod evaluate;
mod explain;
mod generate;
mod operator;
mod pattern;
mod policy;
mod principal;
mod read;
mod request;
mod truth;

pub use document::PolicyError;
pub use evaluate::{Decision, Finding, evaluate};
pub use explain::remarks;
pub use generate::{
    Format, GeneratedTrust, InvalidTrustedIdentity, OidcProvider, TrustedIdentity, TrustedRole, generate,
};
pub use policy::Policy;
pub use read::{ReadPolicyError, read_policy};
pub use request::Request;
