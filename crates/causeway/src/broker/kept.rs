use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use causeway_identity::{AccessKey, Observer, OidcToken, Session};

use super::keeper::{Keeper, Source, UNKNOWN_END};
use super::renewal::Renewal;
use crate::failure;
use crate::identity::mask_key;
use crate::step::Step;

/// What the SDK in this process signs with: the credentials that a [`Keeper`] holds.
pub(crate) struct Kept(Arc<Keeper>);

impl Kept {
    pub(crate) fn new(keeper: Arc<Keeper>) -> Self {
        Self(keeper)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Kept(***)")
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let offer = self.0.offer().await.map_err(CredentialsError::provider_error)?;
            Ok(offer.for_sdk(SystemTime::now() + UNKNOWN_END))
        })
    }
}

/// Does the step's work while the credentials that it signs with are renewed.
pub(crate) async fn keep_for<T>(keeper: &Keeper, step: &Step, work: impl Future<Output = T>) -> T {
    let masks = Masks(step);
    let (again, mask) = (Again { step, masks: &masks }, |key: &AccessKey| masks.key_received(key));
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        ending = &mut work => return ending,
        () = keeper.keep(&again, &mask) => {}
    }
    work.await
}

/// Masks each secret in the step's log before anybody has it.
struct Masks<'a>(&'a Step);

impl Observer for Masks<'_> {
    fn token_received(&self, token: &OidcToken) {
        self.0.console().mask(token.secret());
    }

    fn key_received(&self, key: &AccessKey) {
        mask_key(self.0.console(), key);
    }
}

/// Reads the step again when it is due, and not before: most steps end with the session that they began with.
struct Again<'a> {
    step: &'a Step,
    masks: &'a Masks<'a>,
}

#[async_trait]
impl Source for Again<'_> {
    async fn renew(&self) -> Result<Session, String> {
        let environment = self.step.environment().clone();
        let renewal =
            Renewal::heard_by(environment, self.masks).map_err(|error| failure::describe(&error))?;
        renewal.renew().await
    }
}
