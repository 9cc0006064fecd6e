use std::time::Duration;

use super::answer::{Again, Fault};
use crate::failure::FailureReason;
use crate::pace::Slot;

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(20);
/// Connections that were closed meanwhile do not count, but not for ever.
const AT_ONCE: u32 = 10;

/// How often a request was tried, and whether and when it is tried again.
#[derive(Debug)]
pub(crate) struct Attempts {
    left: u32,
    at_once_left: u32,
    pause: Duration,
}

impl Attempts {
    pub(super) fn new(attempts: u32, pause: Duration) -> Self {
        Self { left: attempts.saturating_sub(1), at_once_left: AT_ONCE, pause }
    }

    /// Waits until it may be tried again.
    ///
    /// # Errors
    /// The reason of the last attempt, when there is to be no other.
    pub(crate) async fn after(&mut self, fault: Fault, slot: Slot) -> Result<(), FailureReason> {
        if !fault.is_silence() {
            slot.heard();
        } else if let Some(lasts) = slot.unanswered() {
            return Err(fault.into_silence(lasts));
        }
        if fault.is_pressure() {
            slot.refused();
        } else {
            // Others may go on while this one waits.
            drop(slot);
        }
        match fault.again {
            Again::Never => Err(fault.reason),
            Again::AtOnce if self.at_once_left > 0 => {
                self.at_once_left -= 1;
                Ok(())
            }
            _ if self.left == 0 => Err(fault.reason),
            _ => {
                self.left -= 1;
                self.wait().await;
                Ok(())
            }
        }
    }

    /// Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter").
    async fn wait(&mut self) {
        let pause = self.pause.min(LONGEST);
        self.pause = pause * 2;
        tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Pace;

    #[tokio::test]
    async fn it_ends_after_the_attempts_allowed_and_at_once_when_nothing_helps() {
        let pace = Pace::new(4, Duration::from_secs(30));
        let fault = |again| Fault { reason: FailureReason::Unconfirmed, again };
        let mut attempts = Attempts::new(3, Duration::from_millis(1));
        assert!(attempts.after(fault(Again::Later), pace.slot().await).await.is_ok());
        assert!(attempts.after(fault(Again::AtOnce), pace.slot().await).await.is_ok());
        assert!(attempts.after(fault(Again::Slower), pace.slot().await).await.is_ok());
        assert!(attempts.after(fault(Again::Later), pace.slot().await).await.is_err());
        let mut attempts = Attempts::new(3, Duration::ZERO);
        assert!(attempts.after(fault(Again::Never), pace.slot().await).await.is_err());
    }
}
