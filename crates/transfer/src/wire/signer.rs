use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use http::HeaderMap;
use http::header::InvalidHeaderValue;
use tokio::sync::Mutex;

use super::endpoint::Endpoint;
use super::signature::{Second, Signable};

/// Credentials are asked for again this long before they end, so that no request ends with expired ones; those
/// that last a short time when a quarter of it is left.
const EARLY: Duration = Duration::from_secs(300);

/// Signs requests with SigV4, with credentials that are renewed in time.
pub(super) struct Signer {
    provider: SharedCredentialsProvider,
    current: RwLock<Option<Arc<Current>>>,
    /// Held while the provider is asked, so that it is asked once.
    asking: Mutex<()>,
    /// What S3's clock is ahead of ours, in seconds.
    skew: AtomicI64,
}

pub(super) struct Current {
    credentials: Credentials,
    /// From when on others are asked for.
    stale: Option<SystemTime>,
    /// What the requests of the latest second share.
    second: RwLock<Option<Arc<Second>>>,
}

impl Signer {
    pub(super) fn new(provider: SharedCredentialsProvider) -> Self {
        Self { provider, current: RwLock::default(), asking: Mutex::default(), skew: AtomicI64::new(0) }
    }

    /// The credentials to use now.
    ///
    /// # Errors
    /// Why there are none, in the provider's words.
    pub(super) async fn current(&self) -> Result<Arc<Current>, String> {
        if let Some(current) = self.known().filter(|current| current.is_fresh()) {
            return Ok(current);
        }
        let _turn = self.asking.lock().await;
        match self.known().filter(|current| current.is_fresh()) {
            Some(current) => Ok(current),
            None => Box::pin(self.ask()).await,
        }
    }

    /// Asks for others after S3 has called these expired; whether there are any.
    ///
    /// # Errors
    /// As for [`Signer::current`].
    pub(super) async fn renew(&self, used: &Arc<Current>) -> Result<bool, String> {
        let _turn = self.asking.lock().await;
        let is_other = |current: &Current| current.credentials != used.credentials;
        match self.known() {
            Some(current) if is_other(&current) => Ok(true),
            _ => Ok(is_other(&*self.ask().await?)),
        }
    }

    async fn ask(&self) -> Result<Arc<Current>, String> {
        let credentials = self.provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| innermost(&error))?;
        let current = Arc::new(Current::new(credentials, SystemTime::now()));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&current));
        Ok(current)
    }

    fn known(&self) -> Option<Arc<Current>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over the service's clock.
    pub(super) fn set_clock(&self, theirs: SystemTime) {
        let seconds = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
        };
        self.skew.store(seconds(theirs) - seconds(SystemTime::now()), Ordering::Relaxed);
    }

    fn now(&self) -> SystemTime {
        let skew = self.skew.load(Ordering::Relaxed);
        let by = Duration::from_secs(skew.unsigned_abs());
        if skew < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
    }

    /// Adds the headers of a signature.
    ///
    /// # Errors
    /// The session token cannot be a header.
    pub(super) fn sign(
        &self,
        current: &Current,
        endpoint: &Endpoint,
        request: &Signable<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), InvalidHeaderValue> {
        current.second(self.now(), endpoint)?.sign(request, headers)
    }
}

impl Current {
    fn new(credentials: Credentials, now: SystemTime) -> Self {
        let stale = credentials.expiry().map(|end| {
            let left = end.duration_since(now).unwrap_or_default();
            end - EARLY.min(left / 4)
        });
        Self { credentials, stale, second: RwLock::default() }
    }

    fn second(&self, now: SystemTime, endpoint: &Endpoint) -> Result<Arc<Second>, InvalidHeaderValue> {
        let known = self.second.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.is(now)) {
            return Ok(known);
        }
        let second = Arc::new(Second::new(&self.credentials, now, &endpoint.region, &endpoint.service)?);
        *self.second.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&second));
        Ok(second)
    }

    fn is_fresh(&self) -> bool {
        self.stale.is_none_or(|stale| stale > SystemTime::now())
    }
}

/// The SDK's errors say where it failed; what they wrap says why.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::future::ProvideCredentials;
    use std::sync::atomic::AtomicUsize;

    /// Gives other credentials each time, with the time to live that it was made with.
    #[derive(Debug)]
    struct Changing {
        seconds: u64,
        given: AtomicUsize,
    }

    impl aws_credential_types::provider::ProvideCredentials for Changing {
        fn provide_credentials<'a>(&'a self) -> ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self.given.fetch_add(1, Ordering::Relaxed);
            let end = SystemTime::now() + Duration::from_secs(self.seconds);
            ProvideCredentials::ready(Ok(Credentials::new(
                format!("AKIA{number}"),
                "secret",
                None,
                Some(end),
                "test",
            )))
        }
    }

    fn signer(seconds: u64) -> Signer {
        let provider = Changing { seconds, given: AtomicUsize::new(0) };
        Signer::new(SharedCredentialsProvider::new(provider))
    }

    async fn key(signer: &Signer) -> String {
        signer.current().await.unwrap().credentials.access_key_id().to_owned()
    }

    #[tokio::test]
    async fn credentials_are_kept_while_they_are_good_and_renewed_before_they_end() {
        let lasting = signer(3600);
        assert_eq!((key(&lasting).await, key(&lasting).await), ("AKIA0".into(), "AKIA0".into()));
        let ending = signer(1);
        assert_eq!((key(&ending).await, key(&ending).await), ("AKIA0".into(), "AKIA0".into()));
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(key(&ending).await, "AKIA1");
    }

    #[tokio::test]
    async fn expired_ones_are_replaced_once_however_many_say_so() {
        let signer = signer(3600);
        let used = signer.current().await.unwrap();
        assert_eq!(signer.renew(&used).await, Ok(true));
        assert_eq!(signer.renew(&used).await, Ok(true));
        assert_eq!(key(&signer).await, "AKIA1");
    }

    #[tokio::test]
    async fn the_services_clock_is_taken_over() {
        let signer = signer(3600);
        signer.set_clock(SystemTime::now() - Duration::from_secs(7200));
        let behind = SystemTime::now().duration_since(signer.now()).unwrap().as_secs();
        assert!((7199..=7201).contains(&behind), "{behind}");
    }
}
