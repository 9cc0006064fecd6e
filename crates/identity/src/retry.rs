use std::future::Future;
use std::time::Duration;

use aws_types::SdkConfig;
use aws_types::sdk_config::{RetryConfig, TimeoutConfig};
use tokio::time::Instant;

/// How passing faults are met: throttling, answers of 5xx, cut connections, silence. What is final (400, 401, 403, 404,
/// a certificate that is not trusted) is never asked twice.
///
/// Pauses are "full jitter" as in the AWS Architecture Blog, "Exponential Backoff And Jitter": a random part of a
/// bound that doubles from `first_pause` to `longest_pause`. The SDK's standard mode does the same for STS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long one call may take with all its attempts.
    pub deadline: Duration,
    /// How long a single attempt may take.
    pub attempt_timeout: Duration,
    /// Bound of the first pause.
    pub first_pause: Duration,
    /// Bound of every later pause.
    pub longest_pause: Duration,
    /// How often STS is asked at most. The token call has its deadline alone.
    pub sts_attempts: u32,
}

impl RetryPolicy {
    /// What suits a deadline of a minute or so.
    #[must_use]
    pub const fn within(deadline: Duration) -> Self {
        Self {
            deadline,
            attempt_timeout: Duration::from_secs(15),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            sts_attempts: 8,
        }
    }

    /// The SDK's configuration with this policy for STS.
    #[must_use]
    pub fn apply(&self, config: &SdkConfig) -> SdkConfig {
        let retries = RetryConfig::standard()
            .with_max_attempts(self.sts_attempts)
            .with_initial_backoff(self.first_pause)
            .with_max_backoff(self.longest_pause);
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(self.attempt_timeout)
            .operation_timeout(self.deadline)
            .build();
        config.to_builder().retry_config(retries).timeout_config(timeouts).build()
    }

    /// Makes attempts until one succeeds, one fails for good, or the next would begin beyond the deadline.
    pub(crate) async fn run<T, E, Attempt>(
        &self,
        mut attempt: impl FnMut() -> Attempt,
        retry: impl Fn(&E) -> Retry,
    ) -> Result<T, Failed<E>>
    where
        Attempt: Future<Output = Result<T, E>>,
    {
        let end = Instant::now() + self.deadline;
        let mut bound = self.first_pause;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let own = bound.mul_f64(fastrand::f64());
            let pause = match retry(&error) {
                Retry::Never => return Err(Failed { error, attempts, out_of_time: false }),
                Retry::Soon => own,
                // A service that names no time at all, or one that is over, is not to be asked without a pause.
                Retry::After(pause) => pause.max(own),
            };
            // The service may name any number of seconds.
            if Instant::now().checked_add(pause).is_none_or(|next| next >= end) {
                return Err(Failed { error, attempts, out_of_time: true });
            }
            tokio::time::sleep(pause).await;
            bound = (bound * 2).min(self.longest_pause);
        }
    }
}

/// Whether a failed attempt is worth another one.
pub(crate) enum Retry {
    /// The same question would get the same answer.
    Never,
    /// After a pause of our own choice.
    Soon,
    /// After the pause that the service named.
    After(Duration),
}

/// The last fault, and how far it went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed<E> {
    pub(crate) error: E,
    pub(crate) attempts: u32,
    /// Another attempt would have been worth it, but the deadline was too near.
    pub(crate) out_of_time: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const MINUTE: RetryPolicy = RetryPolicy::within(Duration::from_secs(60));

    async fn attempts(fail_first: u32, retry: fn(&u32) -> Retry) -> Result<u32, Failed<u32>> {
        let count = Cell::new(0);
        let attempt = || {
            count.set(count.get() + 1);
            let number = count.get();
            async move { if number <= fail_first { Err(number) } else { Ok(number) } }
        };
        MINUTE.run(attempt, retry).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_fault_is_tried_again() {
        assert_eq!(attempts(4, |_| Retry::Soon).await, Ok(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        let failed = attempts(9, |_| Retry::Never).await.unwrap_err();
        assert_eq!(failed, Failed { error: 1, attempts: 1, out_of_time: false });
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_ends_it() {
        let begin = Instant::now();
        let failed = attempts(u32::MAX, |_| Retry::Soon).await.unwrap_err();
        assert!(failed.out_of_time && failed.attempts > 5, "{failed:?}");
        assert!(begin.elapsed() < Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn the_services_own_pause_is_kept_within_the_deadline() {
        let begin = Instant::now();
        assert_eq!(attempts(2, |_| Retry::After(Duration::from_secs(20))).await, Ok(3));
        assert_eq!(begin.elapsed().as_secs(), 40);
        let too_late: [fn(&u32) -> Retry; 2] =
            [|_| Retry::After(Duration::from_secs(120)), |_| Retry::After(Duration::MAX)];
        for retry in too_late {
            let failed = attempts(9, retry).await.unwrap_err();
            assert_eq!(failed, Failed { error: 1, attempts: 1, out_of_time: true }, "it is not begun");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_names_no_pause_is_not_asked_without_one() {
        let failed = attempts(u32::MAX, |_| Retry::After(Duration::ZERO)).await.unwrap_err();
        assert!(failed.out_of_time && failed.attempts < 60, "{failed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_are_random_parts_of_a_bound_that_doubles() {
        fastrand::seed(7);
        let times: Vec<Cell<Instant>> = (0..9).map(|_| Cell::new(Instant::now())).collect();
        let count = Cell::new(0);
        let policy = RetryPolicy { deadline: Duration::from_secs(600), ..MINUTE };
        let attempt = || {
            let number = count.replace(count.get() + 1);
            times[number].set(Instant::now());
            async move { if number < 8 { Err(()) } else { Ok(()) } }
        };
        policy.run(attempt, |()| Retry::Soon).await.unwrap();
        let pauses: Vec<f64> =
            times.windows(2).map(|pair| (pair[1].get() - pair[0].get()).as_secs_f64()).collect();
        for (pause, bound) in pauses.iter().zip([0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0]) {
            assert!(*pause <= bound + 0.002, "{pauses:?}");
        }
        assert!(pauses.iter().any(|pause| *pause > 1.0), "{pauses:?}");
    }
}
