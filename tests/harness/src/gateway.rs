//! The one address that the task gets as `AWS_ENDPOINT_URL`.
//!
//! STS is answered by [`Iam`](crate::sts::Iam); every other service is streamed through to moto once the
//! gateway has found the access key known, not expired, and the signature right. moto itself checks nothing.

mod call;
mod clock;
mod fault;
mod forward;
mod handler;
mod iam;

use std::sync::{Arc, Mutex};

pub use call::Call;
pub use fault::Fault;

use crate::http::Server;
use crate::moto::Moto;
use crate::sts::Iam;

#[derive(Debug)]
struct State {
    iam: Iam,
    moto: Option<Arc<Moto>>,
    faults: Mutex<Vec<(String, String, Fault)>>,
    calls: Mutex<Vec<Call>>,
    client: forward::Client,
}

/// The running gateway. It ends with the last clone of this value.
#[derive(Debug, Clone)]
pub struct Gateway {
    state: Arc<State>,
    server: Arc<Server>,
}

impl Gateway {
    /// Starts a gateway on a free port; without moto every service but STS is unavailable.
    #[must_use]
    pub fn start(iam: Iam, moto: Option<Arc<Moto>>) -> Self {
        let state = Arc::new(State {
            iam,
            moto,
            faults: Mutex::default(),
            calls: Mutex::default(),
            client: crate::http::client(),
        });
        let shared = state.clone();
        let server = Server::start(move |request| handler::answer(shared.clone(), request));
        Self { state, server: Arc::new(server) }
    }

    /// The value for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Answers calls of an operation with a fault until it is used up.
    ///
    /// `service` is the one in the credential scope (`sts`, `ssm`, `ecr`, `s3`, `secretsmanager`). `operation` is the
    /// API's name (`GetParameters`), for S3 a method and path (`PUT /bucket/key`); `*` stands for any.
    pub fn fail(&self, service: &str, operation: &str, fault: Fault) {
        self.state.faults.lock().unwrap().push((service.to_owned(), operation.to_owned(), fault));
    }

    /// Sets AWS's clock: so many seconds ahead of this machine's, or behind it. Signatures are held to it from then on.
    pub fn shift_clock(&self, seconds: i64) {
        self.state.iam.set_clock(seconds);
    }

    /// Every call so far, in the order in which they were answered.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// The calls of one operation; `*` stands for any.
    #[must_use]
    pub fn calls_of(&self, service: &str, operation: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.is(service, operation)).collect()
    }
}
