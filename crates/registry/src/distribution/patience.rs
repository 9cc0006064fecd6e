//! How often and after what pause something is tried again, and when somebody counts as silent.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::RegistryError;

/// So long may nothing move at all.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// So long may a registry take to put a large blob together once it has all of it.
pub(super) const FINISHING: Duration = Duration::from_secs(300);

/// Tries in all. With pauses that double from 200 ms to 5 s this is up to 30 seconds of waiting.
const TRIES: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A registry that wants to be left alone longer than this is taken to say no.
const LONGEST_WISH: u64 = 30;

/// The tries that one thing has.
#[derive(Debug)]
pub(super) struct Patience {
    tries: u32,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { tries: 0 }
    }

    /// Waits before the next try; gives the error back when there is none.
    pub(super) async fn wait(&mut self, error: RegistryError) -> Result<(), RegistryError> {
        self.tries += 1;
        let wish = match &error {
            RegistryError::Refused { retry_after: Some(seconds), .. } => *seconds,
            _ => 0,
        };
        if self.tries >= TRIES || wish > LONGEST_WISH {
            return Err(error);
        }
        tokio::time::sleep(self.pause().max(Duration::from_secs(wish))).await;
        Ok(())
    }

    /// Doubles, with full jitter above the half.
    fn pause(&self) -> Duration {
        let doubled = FIRST_PAUSE * 2_u32.pow((self.tries - 1).min(8));
        doubled.min(LONGEST_PAUSE).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// Waits for the answer to a request whose body is in memory.
pub(super) async fn answered<T>(
    sending: impl Future<Output = Result<T, RegistryError>>,
    action: &str,
) -> Result<T, RegistryError> {
    let ending = tokio::time::timeout(SILENCE, sending).await;
    ending.unwrap_or_else(|_| Err(RegistryError::Stalled { action: action.to_owned() }))
}

/// Waits as long as `moved` grows.
pub(super) async fn while_moving<T>(
    sending: impl Future<Output = Result<T, RegistryError>>,
    moved: &AtomicU64,
    action: &str,
) -> Result<T, RegistryError> {
    let mut sending = std::pin::pin!(sending);
    let mut before = moved.load(Ordering::Relaxed);
    loop {
        if let Ok(ending) = tokio::time::timeout(SILENCE, &mut sending).await {
            return ending;
        }
        let now = moved.load(Ordering::Relaxed);
        if now == before {
            return Err(RegistryError::Stalled { action: action.to_owned() });
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn busy(retry_after: Option<u64>) -> RegistryError {
        let (code, message) = (String::new(), String::new());
        RegistryError::Refused {
            action: "x".into(),
            status: 429,
            code,
            message,
            retry_after,
            request_id: None,
        }
    }

    #[tokio::test]
    async fn what_the_registry_wishes_is_waited_for_within_reason() {
        let begun = Instant::now();
        assert!(Patience::new().wait(busy(Some(1))).await.is_ok());
        assert!(begun.elapsed() >= Duration::from_secs(1));
        let begun = Instant::now();
        assert!(Patience::new().wait(busy(Some(LONGEST_WISH + 1))).await.is_err());
        assert!(begun.elapsed() < Duration::from_millis(100));
        let mut worn_out = Patience { tries: TRIES - 1 };
        assert!(worn_out.wait(busy(None)).await.is_err());
    }
}
