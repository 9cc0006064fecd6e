use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use causeway_identity::{AccessKey, Session};
use tokio::sync::{Notify, watch};

use super::offer::{Offer, at, utc};

/// Where new credentials come from.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// New credentials, or why there are none, for the person who reads a tool's output.
    async fn renew(&self) -> Result<Session, String>;
}

/// Credentials that do not tell their end are looked at again after this long.
pub(super) const UNKNOWN_END: Duration = Duration::from_secs(300);
/// The longest sleep at once. A machine that was suspended is noticed after it.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// After a failure nobody makes the keeper try again sooner.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// While the old credentials hold, and after they have ended.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long an asker waits for credentials that are under way.
const PATIENCE: Duration = Duration::from_secs(90);

/// Keeps one set of credentials fresh and gives it to whoever asks. However many ask, only [`Keeper::keep`] renews, so there
/// is one call a renewal.
pub(crate) struct Keeper {
    held: watch::Sender<Held>,
    asked: Notify,
    renews: bool,
}

struct Held {
    session: Arc<Session>,
    obtained: SystemTime,
    /// The same by a clock that nobody sets. It may stand still while the machine sleeps, so both count.
    since: Instant,
    failure: Option<Failure>,
}

#[derive(Clone)]
struct Failure {
    reason: String,
    at: Instant,
}

impl Keeper {
    /// Begins with the step's own session. Without `renews` it is never replaced.
    pub(crate) fn new(session: Session, renews: bool) -> Self {
        let held = Held::of(session, SystemTime::now());
        Self { held: watch::Sender::new(held), asked: Notify::new(), renews }
    }

    /// Credentials that are valid now.
    ///
    /// # Errors
    /// The old ones have ended and there are no new ones: why.
    pub(crate) async fn offer(&self) -> Result<Offer, String> {
        let mut changes = self.held.subscribe();
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        loop {
            {
                let held = changes.borrow_and_update();
                let now = SystemTime::now();
                if held.is_valid(now) {
                    return Ok(Offer::of(&held.session, held.life(), held.end_at(now), now));
                }
                if !self.renews {
                    return Err(held.ended("Set refresh: true for credentials that last as long as the job"));
                }
                if let Some(failure) = held.failure.as_ref().filter(|failure| failure.is_fresh()) {
                    return Err(held.ended(&failure.reason));
                }
            }
            self.asked.notify_one();
            tokio::select! {
                _ = changes.changed() => {}
                () = &mut patience => return Err(changes.borrow().ended("New ones are still not there")),
            }
        }
    }

    /// Renews for ever. `on_new` hears of a key before anybody gets it.
    pub(crate) async fn keep(&self, source: &dyn Source, on_new: &(dyn Fn(&AccessKey) + Sync)) {
        loop {
            self.until_due().await;
            match source.renew().await.and_then(|session| Held::fresh(session, SystemTime::now())) {
                Ok(held) => {
                    on_new(&held.session.key);
                    self.held.send_replace(held);
                }
                Err(reason) => {
                    let failure = Failure { reason, at: Instant::now() };
                    self.held.send_modify(|held| held.failure = Some(failure));
                }
            }
        }
    }

    async fn until_due(&self) {
        loop {
            let pause = self.held.borrow().pause(SystemTime::now());
            if pause.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause.min(LONGEST_SLEEP)) => {}
                () = self.asked.notified() => {
                    if self.held.borrow().is_wanted(SystemTime::now()) {
                        return;
                    }
                }
            }
        }
    }
}

impl Held {
    fn of(session: Session, obtained: SystemTime) -> Self {
        Self { session: Arc::new(session), obtained, since: Instant::now(), failure: None }
    }

    /// A session that has just come; one that has ended already would be asked for again and again.
    fn fresh(session: Session, now: SystemTime) -> Result<Self, String> {
        let held = Self::of(session, now);
        if held.is_valid(now) {
            return Ok(held);
        }
        Err("AWS gave new ones that end in this machine's past: check the agent's clock".to_owned())
    }

    fn end(&self) -> Option<SystemTime> {
        self.session.expires_at.and_then(at)
    }

    fn life(&self) -> Option<Duration> {
        self.end().and_then(|end| end.duration_since(self.obtained).ok())
    }

    /// When they end by the machine's clock as it goes now: where that was set back meanwhile, before the end that AWS named.
    fn end_at(&self, now: SystemTime) -> Option<SystemTime> {
        let end = self.end()?;
        let left = self.life().map(|life| life.saturating_sub(self.since.elapsed()));
        Some(left.map_or(end, |left| end.min(now + left)))
    }

    fn is_valid(&self, now: SystemTime) -> bool {
        self.end_at(now).is_none_or(|end| end > now)
    }

    /// Whether somebody's question is a reason to renew at once.
    fn is_wanted(&self, now: SystemTime) -> bool {
        !self.is_valid(now) && self.failure.as_ref().is_none_or(|failure| !failure.is_fresh())
    }

    /// How long until the next renewal: when half the life is over, and after a failure several times before the end.
    fn pause(&self, now: SystemTime) -> Duration {
        let half = self.life().map_or(UNKNOWN_END, |life| life / 2);
        let by_the_clock = (self.obtained + half).duration_since(now).unwrap_or_default();
        let until_due = match self.is_valid(now) {
            true => by_the_clock.min(half.saturating_sub(self.since.elapsed())),
            false => Duration::ZERO,
        };
        let Some(failure) = &self.failure else { return until_due };
        let left = self.end_at(now).and_then(|end| end.duration_since(now).ok());
        let pause = left.map_or(LONGEST_PAUSE, |left| (left / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
        until_due.max(pause.saturating_sub(failure.at.elapsed()))
    }

    fn ended(&self, reason: &str) -> String {
        let end = self.end().map(|end| format!(" at {}", utc(end))).unwrap_or_default();
        format!("the credentials ended{end}. {reason}")
    }
}

impl Failure {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < SHORTEST_PAUSE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_identity::Caller;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn session(id: &str, seconds: f64) -> Session {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        #[allow(clippy::cast_possible_truncation, reason = "whole seconds are meant")]
        let end = (now.as_secs_f64() + seconds) as i64;
        Session {
            key: AccessKey { id: id.to_owned(), secret: "s".into(), session_token: None },
            expires_at: Some(end),
            caller: Caller { account: "123456789012".parse().unwrap(), arn: String::new() },
        }
    }

    /// Sessions of so many seconds, after so many failures.
    struct Scripted {
        calls: AtomicUsize,
        failures: usize,
        seconds: f64,
    }

    #[async_trait]
    impl Source for Scripted {
        async fn renew(&self) -> Result<Session, String> {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            if call < self.failures {
                Err("sts is away".to_owned())
            } else {
                Ok(session("NEW", self.seconds))
            }
        }
    }

    fn source(failures: usize, seconds: f64) -> Scripted {
        Scripted { calls: AtomicUsize::new(0), failures, seconds }
    }

    /// Runs `work` beside the keeper.
    async fn beside<T>(keeper: &Keeper, source: &Scripted, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            () = keeper.keep(source, &|_| ()) => unreachable!(),
        }
    }

    #[tokio::test]
    async fn two_hundred_askers_after_the_end_share_one_call() {
        let keeper = Keeper::new(session("OLD", -1.0), true);
        let source = source(0, 900.0);
        let asking = async {
            let all = (0..200).map(|_| keeper.offer());
            futures_util::future::join_all(all).await
        };
        let answers = beside(&keeper, &source, asking).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(source.calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn it_renews_before_the_end_and_tells_of_a_key_first() {
        let keeper = Keeper::new(session("OLD", 2.0), true);
        let source = source(0, 900.0);
        let heard = Mutex::new(Vec::new());
        let hear = |key: &AccessKey| heard.lock().unwrap().push(key.id.clone());
        let waiting = async {
            let mut changes = keeper.held.subscribe();
            changes.changed().await.unwrap();
            assert_eq!(*heard.lock().unwrap(), ["NEW"]);
            assert!(format!("{:?}", keeper.offer().await.unwrap()).contains("AccessKey"));
        };
        tokio::select! {
            () = waiting => {}
            () = keeper.keep(&source, &hear) => unreachable!(),
        }
    }

    #[tokio::test]
    async fn a_failure_is_told_once_the_old_ones_have_ended_and_not_before() {
        let keeper = Keeper::new(session("OLD", 2.5), true);
        let source = source(usize::MAX, 900.0);
        let asking = async {
            tokio::time::sleep(Duration::from_millis(1300)).await;
            assert!(keeper.offer().await.is_ok(), "the old ones hold");
            tokio::time::sleep(Duration::from_millis(1400)).await;
            keeper.offer().await.unwrap_err()
        };
        let error = beside(&keeper, &source, asking).await;
        assert!(error.contains("ended at") && error.contains("sts is away"), "{error}");
        assert!(source.calls.load(Ordering::SeqCst) <= 4, "{:?}", source.calls);
    }

    #[tokio::test]
    async fn it_recovers() {
        let keeper = Keeper::new(session("OLD", -1.0), true);
        let source = source(1, 900.0);
        let asking = async {
            assert!(keeper.offer().await.is_err());
            tokio::time::sleep(SHORTEST_PAUSE).await;
            keeper.offer().await.unwrap();
        };
        beside(&keeper, &source, asking).await;
    }

    #[tokio::test]
    async fn a_clock_that_is_wrong_is_named_and_aws_not_asked_all_the_time() {
        let keeper = Keeper::new(session("OLD", -1.0), true);
        let source = source(0, -900.0);
        let error = beside(&keeper, &source, async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            keeper.offer().await.unwrap_err()
        });
        assert!(error.await.contains("clock"));
        assert_eq!(source.calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_lengthen_their_life() {
        let now = SystemTime::now();
        let ahead = Duration::from_secs(7200);
        // Obtained two hours ago by a clock that went two hours ahead then; by the other clock three seconds ago.
        let held = |seconds: u64| Held {
            obtained: now + ahead,
            since: Instant::now().checked_sub(Duration::from_secs(3)).unwrap(),
            ..Held::of(session("OLD", (ahead + Duration::from_secs(seconds)).as_secs_f64()), now)
        };
        let left = |held: &Held| held.end_at(now).unwrap().duration_since(now).unwrap().as_secs();
        let young = held(21);
        assert!(young.is_valid(now) && (16..=18).contains(&left(&young)), "{}", left(&young));
        assert!((5..=8).contains(&young.pause(now).as_secs()), "{:?}", young.pause(now));
        let old = held(5);
        assert!(old.is_valid(now) && old.pause(now).is_zero() && left(&old) <= 2);
        let ended = held(2);
        assert!(!ended.is_valid(now) && ended.pause(now).is_zero() && ended.is_wanted(now));
    }

    #[tokio::test]
    async fn without_refresh_the_end_is_the_end() {
        let keeper = Keeper::new(session("OLD", -1.0), false);
        assert!(keeper.offer().await.unwrap_err().contains("refresh: true"));
        assert!(Keeper::new(session("OLD", 60.0), false).offer().await.is_ok());
    }
}
