use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many requests are allowed at the start.
const START: usize = 64;
/// The same for large ones.
const START_LARGE: usize = 8;
/// What is large.
const LARGE: u64 = 4 << 20;
/// What a request costs beside its bytes, in bytes: small ones count as more than their content.
const REQUEST_WEIGHT: u64 = 64 << 10;
/// The share of refused requests from which on it is a sign of too much, and not of an unlucky few. Below it
/// the few retries cost less than fewer connections would.
const PRESSURE: f64 = 0.15;
/// From here on it is far too much.
const HEAVY_PRESSURE: f64 = 0.5;
/// Growth goes on while it makes the whole faster by at least this.
const WORTHWHILE: f64 = 1.05;
/// After so many windows without growth it is tried once more.
const PATIENCE: u32 = 16;
/// Unanswered requests that say nothing yet, however long it is that they are the only ones.
const FEW_UNANSWERED: usize = 3;
/// So many times the requests allowed at once are enough, after the patience; alone it takes [`LONG`] times that.
const MANY_UNANSWERED: usize = 3;
const LONG: u32 = 4;
/// Growth that has brought nothing after so many windows is taken back. The first has new connections to open.
const PROOF: u32 = 3;

/// How many requests are under way at the same time: as many as the service takes and as make it faster.
///
/// It starts low and doubles while each step brings more bytes a second; where the service refuses for being
/// asked too much, it goes down, and up again in small steps.
#[derive(Debug)]
pub(crate) struct Pace {
    slots: Arc<Semaphore>,
    ceiling: usize,
    /// For how long a service that answers nothing is believed to come back.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Slots that are to disappear as they come back.
    surplus: usize,
    window: Window,
    best_rate: f64,
    idle_windows: u32,
    was_refused: bool,
    /// The limit before it grew last, until that has proved useful.
    before: Option<usize>,
    /// The first of the unanswered requests since the last success, and how many they are.
    unanswered: Option<(Instant, usize)>,
}

/// What happened since the last decision.
#[derive(Debug)]
struct Window {
    began: Instant,
    ended: usize,
    refused: usize,
    weight: u64,
    was_full: bool,
}

/// The right to have one request under way.
#[derive(Debug)]
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    pace: Arc<Pace>,
}

impl Pace {
    pub(crate) fn new(ceiling: usize, patience: Duration) -> Arc<Self> {
        let limit = START.min(ceiling);
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(limit)),
            ceiling,
            patience,
            state: Mutex::new(State {
                limit,
                surplus: 0,
                window: Window::new(Instant::now()),
                best_rate: 0.0,
                idle_windows: 0,
                was_refused: false,
                before: None,
                unanswered: None,
            }),
        })
    }

    pub(crate) async fn slot(self: &Arc<Self>) -> Slot {
        if self.slots.available_permits() == 0 {
            self.state().window.was_full = true;
        }
        // The semaphore is never closed, so there is always a permit.
        let permit = Arc::clone(&self.slots).acquire_owned().await.ok();
        Slot { permit, pace: Arc::clone(self) }
    }

    /// Before the first request: how many bytes most of them will carry. Large ones fill the line, and the
    /// processors, with a few.
    pub(crate) fn expect(&self, bytes: u64) {
        if bytes >= LARGE {
            let mut state = self.state();
            let limit = START_LARGE.min(state.limit);
            self.change(&mut state, limit);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, bytes: u64, refused: bool, now: Instant) {
        let mut state = self.state();
        if !refused {
            state.unanswered = None;
        }
        state.window.ended += 1;
        state.window.refused += usize::from(refused);
        state.window.weight += if refused { 0 } else { bytes + REQUEST_WEIGHT };
        if state.window.ended >= state.limit.max(8) {
            let limit = state.decide(now, self.ceiling);
            self.change(&mut state, limit);
        }
    }

    /// Notes a request without an answer; for how long there has been none, if that is too long.
    fn note_unanswered(&self, now: Instant) -> Option<Duration> {
        let mut state = self.state();
        let (first, count) = state.unanswered.map_or((now, 1), |(first, count)| (first, count + 1));
        state.unanswered = Some((first, count));
        let lasts = now.duration_since(first);
        let many = count >= state.limit * MANY_UNANSWERED && lasts >= self.patience;
        let long = lasts >= self.patience * LONG;
        (count > FEW_UNANSWERED && (many || long)).then_some(lasts)
    }

    /// An answer came, whatever it says.
    fn heard(&self) {
        self.state().unanswered = None;
    }

    fn change(&self, state: &mut State, limit: usize) {
        if limit > state.limit {
            let more = limit - state.limit;
            let kept = more.min(state.surplus);
            state.surplus -= kept;
            self.slots.add_permits(more - kept);
        } else {
            let fewer = state.limit - limit;
            state.surplus += fewer - self.slots.forget_permits(fewer);
        }
        state.limit = limit;
    }
}

impl State {
    /// The limit for the next window.
    fn decide(&mut self, now: Instant, ceiling: usize) -> usize {
        let window = std::mem::replace(&mut self.window, Window::new(now));
        let refused = window.refused as f64 / window.ended as f64;
        if refused > PRESSURE {
            self.was_refused = true;
            (self.best_rate, self.idle_windows, self.before) = (0.0, 0, None);
            let factor = if refused > HEAVY_PRESSURE { 0.5 } else { 0.8 };
            return ((self.limit as f64 * factor) as usize).max(1);
        }
        let seconds = now.duration_since(window.began).as_secs_f64().max(1e-6);
        let rate = window.weight as f64 / seconds;
        self.idle_windows += 1;
        let is_faster = rate > self.best_rate * WORTHWHILE;
        self.best_rate = self.best_rate.max(rate);
        if is_faster {
            self.before = None;
        } else if self.idle_windows >= PROOF
            && let Some(before) = self.before.take()
        {
            self.idle_windows = 0;
            return before;
        }
        if !window.was_full || !(is_faster || self.idle_windows > PATIENCE) {
            return self.limit;
        }
        self.idle_windows = 0;
        let step = if self.was_refused { (self.limit / 8).max(1) } else { self.limit };
        self.before = Some(self.limit);
        (self.limit + step).min(ceiling)
    }
}

impl Window {
    fn new(began: Instant) -> Self {
        Self { began, ended: 0, refused: 0, weight: 0, was_full: false }
    }
}

impl Slot {
    /// The request brought so many bytes over.
    pub(crate) fn succeeded(self, bytes: u64) {
        self.pace.note(bytes, false, Instant::now());
    }

    /// The service answered; that is no success, but a sign of life.
    pub(crate) fn heard(&self) {
        self.pace.heard();
    }

    /// No answer came. For how long none has come to anybody, once that is too long to go on.
    pub(crate) fn unanswered(&self) -> Option<Duration> {
        self.pace.note_unanswered(Instant::now())
    }

    /// The service refused for being asked too much.
    pub(crate) fn refused(self) {
        self.pace.note(0, true, Instant::now());
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        if state.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// A service that answers after 20 ms however many ask, up to `capacity`, and refuses this share.
    fn run(capacity: usize, refused: f64, windows: usize, ceiling: usize) -> usize {
        let pace = Pace::new(ceiling, PATIENCE);
        let mut now = Instant::now();
        for _ in 0..windows {
            let limit = pace.state().limit;
            pace.state().window.was_full = true;
            now += Duration::from_millis(20).mul_f64((limit as f64 / capacity as f64).max(1.0));
            let count = limit.max(8);
            for index in 0..count {
                pace.note(4096, (index as f64 + 0.5) / (count as f64) < refused, now);
            }
        }
        pace.state().limit
    }

    #[test]
    fn idle_capacity_is_used_up_to_the_ceiling() {
        assert_eq!(run(1000, 0.0, 6, 256), 256);
        assert_eq!(run(1000, 0.0, 6, 50), 50);
        assert_eq!(run(1000, 0.0, 6, 1), 1);
    }

    #[test]
    fn growth_ends_where_it_brings_nothing() {
        let limit = run(60, 0.0, 10, 1024);
        assert!((60..=128).contains(&limit), "{limit}");
    }

    #[test]
    fn a_few_refusals_slow_nothing_down_and_many_do() {
        assert_eq!(run(1000, 0.05, 6, 256), 256);
        assert_eq!(run(1000, 0.9, 12, 256), 1);
        let limit = run(1000, 0.25, 3, 256);
        assert!((20..=40).contains(&limit), "{limit}");
    }

    /// After how many seconds it is given up, with a request that fails so many times a second.
    fn given_up(a_second: u64, answers_at: Option<u64>) -> Option<u64> {
        let (pace, began) = (Pace::new(32, PATIENCE), Instant::now());
        (0..600 * a_second).find_map(|index| {
            let at = Duration::from_millis(1000 * index / a_second);
            if answers_at == Some(at.as_secs()) {
                pace.heard();
            }
            pace.note_unanswered(began + at).map(|_| at.as_secs())
        })
    }

    #[test]
    fn a_silent_service_is_given_up_after_many_requests_or_a_long_time() {
        assert_eq!(given_up(100, None), Some(30));
        assert_eq!(given_up(2, None), Some(47), "three times the 32 at once");
        assert_eq!(given_up(1, Some(20)), Some(115), "counted from the last answer");
        let pace = Pace::new(32, PATIENCE);
        let began = Instant::now();
        let slow: Vec<bool> = (0..6)
            .map(|index| pace.note_unanswered(began + Duration::from_secs(index * 60)).is_some())
            .collect();
        assert_eq!(slow, [false, false, false, true, true, true], "a few that take their whole time");
    }

    #[tokio::test]
    async fn slots_follow_the_limit() {
        let pace = Pace::new(2 * START, PATIENCE);
        let slots: Vec<Slot> = futures_collect(&pace, START).await;
        for slot in slots {
            slot.refused();
        }
        assert_eq!(pace.state().limit, START / 2);
        assert_eq!(pace.slots.available_permits(), START / 2);
        for _ in 0..200 {
            pace.state().window.was_full = true;
            pace.slot().await.succeeded(1);
        }
        let state = pace.state();
        assert!(state.limit > START / 2);
        assert_eq!(pace.slots.available_permits() - state.surplus, state.limit);
    }

    async fn futures_collect(pace: &Arc<Pace>, count: usize) -> Vec<Slot> {
        let mut slots = Vec::new();
        for _ in 0..count {
            slots.push(pace.slot().await);
        }
        slots
    }
}
