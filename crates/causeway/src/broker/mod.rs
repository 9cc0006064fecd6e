//! Credentials that outlive a session.
//!
//! A [`Keeper`] holds what the step holds (connection, job token, roles) in memory, asks for new credentials while the old
//! ones have half their life before them, and answers whoever may ask. `script` and `awsCli` run it beside their program,
//! `s3Upload` and `s3Download` beside their transfer;
//! `assumeRole` starts a process for it, the broker, which later steps ask. No secret of it is ever in a file, in arguments
//! or in an environment.

mod deadline;
mod end;
mod handover;
mod http;
mod keeper;
mod kept;
mod lifeline;
mod offer;
mod protocol;
mod renewal;
mod serve;
mod start;
mod transport;

pub(crate) use end::end;
pub(crate) use http::Endpoint;
pub(crate) use keeper::Keeper;
pub(crate) use kept::{Kept, keep_for};
pub(crate) use lifeline::hold as hold_lifeline;
pub(crate) use offer::Offer;
pub(crate) use protocol::{Request, Response};
pub(crate) use renewal::Renewal;
pub(crate) use serve::run;
pub(crate) use start::{Launch, start};
pub(crate) use transport::ask;
