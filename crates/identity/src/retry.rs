use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// Tries again what can succeed, with exponential backoff and full jitter, up to a deadline.
///
/// "Full jitter" as in the AWS Architecture Blog, "Exponential Backoff And Jitter": each pause is a random part of a
/// bound that doubles from [`FIRST_PAUSE`] to [`LONGEST_PAUSE`].
pub(crate) async fn until_deadline<T, E, Attempt>(
    deadline: Duration,
    mut attempt: impl FnMut() -> Attempt,
    pause_wanted: impl Fn(&E) -> Retry,
) -> Result<T, E>
where
    Attempt: Future<Output = Result<T, E>>,
{
    let end = Instant::now() + deadline;
    let mut bound = FIRST_PAUSE;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let pause = match pause_wanted(&error) {
            Retry::Never => return Err(error),
            Retry::Soon => bound.mul_f64(fastrand::f64()),
            Retry::After(pause) => pause,
        };
        if Instant::now() + pause >= end {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        bound = (bound * 2).min(LONGEST_PAUSE);
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

const FIRST_PAUSE: Duration = Duration::from_millis(400);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    async fn attempts(
        deadline: Duration,
        fail_first: u32,
        retry: fn(&u32) -> Retry,
    ) -> (Result<u32, u32>, u32) {
        let count = Cell::new(0);
        let attempt = || {
            count.set(count.get() + 1);
            let number = count.get();
            async move { if number <= fail_first { Err(number) } else { Ok(number) } }
        };
        let result = until_deadline(deadline, attempt, retry).await;
        (result, count.get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_fault_is_tried_again() {
        assert_eq!(attempts(Duration::from_secs(60), 4, |_| Retry::Soon).await, (Ok(5), 5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        assert_eq!(attempts(Duration::from_secs(60), 9, |_| Retry::Never).await, (Err(1), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_ends_it() {
        let begin = Instant::now();
        let (result, count) = attempts(Duration::from_secs(60), u32::MAX, |_| Retry::Soon).await;
        assert!(result.is_err() && count > 5, "{count}");
        assert!(begin.elapsed() < Duration::from_secs(60));
        let (result, count) =
            attempts(Duration::from_secs(60), u32::MAX, |_| Retry::After(Duration::from_secs(120))).await;
        assert_eq!((result, count), (Err(1), 1), "a pause beyond the deadline is not begun");
    }
}
