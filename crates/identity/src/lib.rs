//! From a connection to AWS credentials.
//!
//! [`ToolkitConnection`] and [`CausewayConnection`] are read into one [`ConnectionIdentity`], or refused with the field
//! that contradicts another. An [`IdentityPlan`] says who to begin as and which roles to become, checked before
//! anything is sent; [`IdentityPlan::resolve`] carries it out and ends in a [`Session`] or in the first error. A source
//! that was chosen and fails is never replaced by another one.
//!
//! The crate knows no pipeline: the token comes from a [`TokenSource`], and what happens on the way is told to an
//! [`Observer`].

mod access_key;
mod azure_devops;
mod claims;
mod connection;
mod error;
mod limits;
mod plan;
mod resolve;
mod retry;
mod safe_address;
mod session;
mod sts;
pub mod trust;

pub use access_key::{AccessKey, HalfKey};
pub use azure_devops::{AzureDevOpsTokens, TokenError, TokenRequest, TokenRequestError};
pub use claims::{Claims, InvalidToken, OidcToken, Subject, SubjectError};
pub use connection::{
    CausewayConnection, ConnectionCredential, ConnectionIdentity, ConnectionProblem, ToolkitConnection,
};
pub use error::{IdentityError, StsFailure};
pub use limits::{ManagedPolicyArn, SessionPolicy, SessionTag, SourceIdentity};
pub use plan::{Authentication, IdentityPlan, PlanError, RoleRequest};
pub use resolve::{Caller, Observer, Session, TokenSource, caller};
pub use retry::RetryPolicy;
pub use session::{ExternalId, InvalidSessionSetting, SessionDuration, SessionName};
