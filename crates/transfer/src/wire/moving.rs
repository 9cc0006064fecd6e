use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::body::Taken;

/// How often it is looked whether a request moves.
const LOOK: Duration = Duration::from_secs(5);

/// Does `work` for as long as something of its content is taken off at least once in `patience`. A slow line is
/// no reason to give up; one on which nothing moves is.
pub(super) async fn while_it_moves<T>(
    work: impl Future<Output = T>,
    taken: &Taken,
    patience: Duration,
) -> Option<T> {
    let mut work = pin!(work);
    let (mut last, mut known) = (Instant::now(), taken.count());
    loop {
        let left = patience.saturating_sub(last.elapsed());
        if let Ok(done) = timeout(LOOK.min(left), &mut work).await {
            return Some(done);
        }
        let count = taken.count();
        if count != known {
            (last, known) = (Instant::now(), count);
        } else if last.elapsed() >= patience {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::Body;
    use super::*;

    /// The pieces of a request that takes one every so many milliseconds, and then is answered.
    async fn sent(taken: &Taken, pieces: usize, pause: u64) {
        for _ in 0..pieces {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            taken.note();
        }
    }

    #[tokio::test]
    async fn slow_content_is_waited_for_and_content_that_stands_still_is_not() {
        let patience = Duration::from_millis(200);
        let (_sender, receiver) = tokio::sync::mpsc::channel(1);
        let taken = Body::stream(receiver, 1).taken();
        assert_eq!(while_it_moves(sent(&taken, 8, 80), &taken, patience).await, Some(()), "640 ms");
        let began = Instant::now();
        let standing = async {
            sent(&taken, 2, 10).await;
            std::future::pending::<()>().await;
        };
        assert_eq!(while_it_moves(standing, &taken, patience).await, None);
        assert!((200..1000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
        let uncounted = Taken::default();
        assert_eq!(while_it_moves(sent(&uncounted, 8, 80), &uncounted, patience).await, None);
    }
}
