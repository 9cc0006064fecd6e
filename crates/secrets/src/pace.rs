use std::collections::VecDeque;
use std::error::Error;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::request_id::RequestId;
use causeway_types::{ServiceError, ServiceErrorKind};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// So many calls are under way at once. More only open more connections: with 20 ms a call this is 1,600 calls a
/// second, far above what accounts may ask.
const IN_FLIGHT: usize = 32;

/// Calls a second to begin with once the service has throttled: what an account may ask of Parameter Store unless it
/// pays for more ("Parameter Store quotas", AWS General Reference).
const DEFAULT_QUOTA: f64 = 40.0;

/// Sends many calls side by side and finds the rate that the service allows.
///
/// There is no limit until the service throttles for the first time. From then on calls are spaced out; the rate sinks
/// with each refusal, but never below what was answered within the last second, and rises with each answer. The SDK's
/// own retries stay off: its adaptive mode halves the rate and forgets what was possible.
pub(crate) struct Pacer {
    slots: Semaphore,
    turn: tokio::sync::Mutex<()>,
    pace: Mutex<Pace>,
    has_throttled: watch::Sender<bool>,
    retries: RetryConfig,
}

/// Whether the next attempt may fare better, though nobody was asked too much.
fn may_pass<E>(kind: ServiceErrorKind, error: &SdkError<E, HttpResponse>) -> bool {
    match kind {
        ServiceErrorKind::Unavailable | ServiceErrorKind::Unreachable | ServiceErrorKind::TimedOut => true,
        // An answer that breaks off, which the SDK would try again too.
        ServiceErrorKind::Unreadable => matches!(error, SdkError::ResponseError(_)),
        _ => false,
    }
}

impl Pacer {
    /// The retries are those of `config`; nobody else may retry then.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        Self {
            slots: Semaphore::new(IN_FLIGHT),
            turn: tokio::sync::Mutex::new(()),
            pace: Mutex::new(Pace::new(retries.initial_backoff(), retries.max_backoff())),
            has_throttled: watch::Sender::new(false),
            retries,
        }
    }

    /// Whether the service has throttled: extra calls then cost more time than they save.
    pub(crate) fn is_throttled(&self) -> bool {
        *self.has_throttled.borrow()
    }

    /// Waits until the service has throttled; no time if it has.
    pub(crate) async fn throttled(&self) {
        // The sender lives as long as this does.
        let _ = self.has_throttled.subscribe().wait_for(|throttled| *throttled).await;
    }

    /// Sends a call until it is answered, refused for good, or its retries are used up.
    pub(crate) async fn call<T, E, F, S>(
        &self,
        operation: &'static str,
        send: F,
    ) -> Result<T, SdkError<E, HttpResponse>>
    where
        F: Fn() -> S,
        S: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + RequestId + Error + 'static,
    {
        let mut failures = 0;
        loop {
            let slot = self.slots.acquire().await;
            let epoch = self.await_turn().await;
            let answer = send().await;
            drop(slot);
            let Err(error) = answer else {
                self.pace().answered(Instant::now());
                return answer;
            };
            match ServiceError::new(operation, &error).kind() {
                ServiceErrorKind::Throttled => {
                    self.has_throttled.send_replace(true);
                    if self.pace().throttled(epoch, Instant::now()) >= self.retries.max_attempts() * 2 {
                        return Err(error);
                    }
                }
                kind if may_pass(kind, &error) => {
                    failures += 1;
                    if failures >= self.retries.max_attempts() {
                        return Err(error);
                    }
                    sleep(self.backoff(failures)).await;
                }
                _ => return Err(error),
            }
        }
    }

    /// Waits until the next call may go; answers the epoch that it belongs to.
    async fn await_turn(&self) -> u64 {
        // One waits at a time, the others behind it in the order of their coming.
        let _turn = self.turn.lock().await;
        loop {
            let turn = self.pace().take_turn(Instant::now());
            match turn {
                Ok(epoch) => return epoch,
                Err(until) => sleep_until(until).await,
            }
        }
    }

    /// Doubling pauses with full jitter, as the SDK's standard mode has them.
    fn backoff(&self, failures: u32) -> Duration {
        let longest = self.retries.initial_backoff().saturating_mul(1 << failures.min(16));
        longest.min(self.retries.max_backoff()).mul_f64(fastrand::f64())
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The arithmetic behind [`Pacer`].
struct Pace {
    /// Calls a second; none until the service has throttled.
    rate: Option<f64>,
    /// When the next call may go.
    next: Instant,
    /// Counts the refusals that were heeded. What was under way at one of them says nothing new when it is refused too.
    epoch: u64,
    /// Epochs since the last answer.
    fruitless: u32,
    answers: VecDeque<Instant>,
    first_pause: Duration,
    longest_pause: Duration,
}

impl Pace {
    fn new(first_pause: Duration, longest_pause: Duration) -> Self {
        let next = Instant::now();
        let answers = VecDeque::new();
        Self { rate: None, next, epoch: 0, fruitless: 0, answers, first_pause, longest_pause }
    }

    fn take_turn(&mut self, now: Instant) -> Result<u64, Instant> {
        if let Some(rate) = self.rate {
            if now < self.next {
                return Err(self.next);
            }
            let interval = Duration::from_secs_f64(1.0 / rate);
            // Timers come late by a little, which is made good; long idleness is not.
            self.next = self.next.max(now.checked_sub(interval).unwrap_or(now)) + interval;
        }
        Ok(self.epoch)
    }

    fn answered(&mut self, now: Instant) {
        self.fruitless = 0;
        self.answers.push_back(now);
        self.forget_answers(now);
        self.rate = self.rate.map(|rate| rate * 1.007);
    }

    /// Answers the number of epochs since the last answer.
    fn throttled(&mut self, epoch: u64, now: Instant) -> u32 {
        if epoch != self.epoch {
            return 0;
        }
        self.epoch += 1;
        self.fruitless += 1;
        self.forget_answers(now);
        #[allow(clippy::cast_precision_loss, reason = "a few thousand at most")]
        let answered = self.answers.len() as f64;
        let rate = self.rate.map_or(DEFAULT_QUOTA, |rate| (rate * 0.9).max(1.0)).max(answered);
        self.rate = Some(rate);
        let pause = Duration::from_secs_f64(0.25 / rate).min(self.first_pause);
        let grown = pause.mul_f64(1.5_f64.powi(self.fruitless.min(30) as i32 - 1)).min(self.longest_pause);
        self.next = self.next.max(now + grown.mul_f64(0.9 + 0.2 * fastrand::f64()));
        self.fruitless
    }

    fn forget_answers(&mut self, now: Instant) {
        while self.answers.front().is_some_and(|at| now - *at > Duration::from_secs(1)) {
            self.answers.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(now: Instant) -> Pace {
        let mut pace = Pace::new(Duration::from_millis(500), Duration::from_secs(8));
        pace.next = now;
        pace
    }

    #[test]
    fn there_is_no_limit_before_the_first_refusal() {
        let now = Instant::now();
        let mut pace = pace(now);
        assert!((0..10_000).all(|_| pace.take_turn(now) == Ok(0)));
    }

    #[test]
    fn a_wave_of_refusals_counts_once() {
        let now = Instant::now();
        let mut pace = pace(now);
        let epochs: Vec<u64> = (0..32).map(|_| pace.take_turn(now).unwrap()).collect();
        let counted: Vec<u32> = epochs.into_iter().map(|epoch| pace.throttled(epoch, now)).collect();
        assert_eq!((counted[0], counted[1..].iter().max()), (1, Some(&0)));
        assert_eq!(pace.rate, Some(DEFAULT_QUOTA));
        assert!(pace.take_turn(now).is_err());
    }

    #[test]
    fn the_rate_never_sinks_below_what_was_answered_within_a_second() {
        let now = Instant::now();
        let mut pace = pace(now);
        for _ in 0..300 {
            pace.answered(now);
        }
        for epoch in 0..50 {
            pace.throttled(epoch, now);
        }
        assert_eq!(pace.rate, Some(300.0));
        pace.throttled(50, now + Duration::from_secs(2));
        assert_eq!(pace.rate, Some(270.0));
    }

    #[test]
    fn pauses_grow_while_nothing_is_answered_and_are_bounded() {
        let mut now = Instant::now();
        let mut pace = pace(now);
        let mut pauses = Vec::new();
        for epoch in 0..60 {
            pace.throttled(epoch, now);
            pauses.push(pace.next - now);
            now = pace.next;
        }
        assert!(
            pauses[0] < Duration::from_millis(30) && pauses[15] > Duration::from_millis(500),
            "{pauses:?}"
        );
        assert!(pauses.iter().all(|pause| *pause < Duration::from_secs(9)));
        pace.answered(now);
        assert_eq!(pace.fruitless, 0);
    }
}
