//! The fault run: the token call and STS failing one time in five each, over 500 exchanges of two hops.
//!
//! Real HTTP to the local Azure DevOps and the strict STS. The policy is the product's with every time divided, so that
//! minutes pass in seconds; the sequence of faults is seeded.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]

mod exchange;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use causeway_harness::azure_devops::Answer;
use causeway_harness::gateway::Fault;
use causeway_identity::{IdentityError, RetryPolicy, TokenError};
use fastrand::Rng;
use futures_util::{StreamExt, stream};

use exchange::Site;

const EXCHANGES: usize = 500;
const AT_ONCE: usize = 8;
/// A two-hundredth of the product's pauses; the time limits leave room for a busy machine.
const POLICY: RetryPolicy = RetryPolicy {
    deadline: Duration::from_secs(5),
    attempt_timeout: Duration::from_millis(400),
    first_pause: Duration::from_micros(2500),
    longest_pause: Duration::from_millis(40),
    sts_attempts: 8,
};
const SLOW: Duration = Duration::from_millis(600);

/// What one exchange ended in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Credentials,
    TokenRefused,
    RoleRefused,
    PassingFaultWentOn,
}

fn ending(result: &Result<(), IdentityError>) -> Ending {
    match result {
        Ok(()) => Ending::Credentials,
        Err(IdentityError::Token(TokenError::JobTokenRefused { .. } | TokenError::NotFound { .. })) => {
            Ending::TokenRefused
        }
        Err(IdentityError::Token(TokenError::OutOfTime { .. })) => Ending::PassingFaultWentOn,
        Err(IdentityError::AssumeWithToken { failure, .. } | IdentityError::Assume { failure, .. }) => {
            match failure.code() {
                Some("AccessDenied") => Ending::RoleRefused,
                Some("Throttling" | "ServiceUnavailable" | "InternalFailure") | None => {
                    Ending::PassingFaultWentOn
                }
                other => panic!("{other:?}: {result:?}"),
            }
        }
        Err(error) => panic!("not an error of these faults: {error}"),
    }
}

/// One answer in five is a fault, and one of fifty of those is final.
fn token_answer(random: &mut Rng) -> (&'static str, Answer) {
    match random.u32(0..250) {
        0 => ("401", Answer::status(401)),
        1..10 => ("500", Answer::status(500)),
        10..20 => ("503", Answer::status(503)),
        20..30 => ("429", Answer::status(429)),
        30..40 => ("cut", Answer::cut()),
        40..50 => ("slow", Answer::normal().after(SLOW)),
        _ => ("good", Answer::normal()),
    }
}

fn sts_answer(random: &mut Rng) -> (&'static str, Fault) {
    match random.u32(0..250) {
        0 => ("403", Fault::access_denied("Not authorized to perform sts:AssumeRole")),
        1..10 => ("500", Fault::error(500, "InternalFailure", "oops")),
        10..20 => ("503", Fault::unavailable()),
        20..30 => ("Throttling", Fault::error(400, "Throttling", "Rate exceeded")),
        30..40 => ("cut", Fault::cut()),
        40..50 => ("slow", Fault::slow(SLOW)),
        _ => ("good", Fault::slow(Duration::ZERO)),
    }
}

type Counts<K> = BTreeMap<K, usize>;

/// Queues more answers than can be used up, and says what they are.
fn prepare(site: &Site, random: &mut Rng) -> (Vec<&'static str>, Vec<&'static str>) {
    let mut names = (Vec::new(), Vec::new());
    for _ in 0..2 * EXCHANGES {
        let (name, answer) = token_answer(random);
        site.azure_devops.answer_next(answer);
        names.0.push(name);
    }
    for _ in 0..4 * EXCHANGES {
        let (name, fault) = sts_answer(random);
        site.gateway.fail("sts", "*", fault);
        names.1.push(name);
    }
    names
}

fn count(names: &[&'static str]) -> Counts<&'static str> {
    names.iter().fold(Counts::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

#[test]
fn every_exchange_ends_in_credentials_or_in_the_right_error_within_the_deadline() {
    let site = Site::start();
    let (token_names, sts_names) = prepare(&site, &mut Rng::with_seed(20_261_121));
    let begin = Instant::now();
    let endings: Vec<(Ending, Duration)> = exchange::block_on(
        stream::iter(0..EXCHANGES)
            .map(|_| async {
                let begin = Instant::now();
                (ending(&site.exchange(POLICY).await), begin.elapsed())
            })
            .buffer_unordered(AT_ONCE)
            .collect(),
    );
    let took = begin.elapsed();
    let mut counts = Counts::new();
    for (ending, _) in &endings {
        *counts.entry(*ending).or_default() += 1;
    }
    let (tokens, sts) = (site.azure_devops.received().len(), site.gateway.calls().len());
    let (token_faults, sts_faults) = (count(&token_names[..tokens]), count(&sts_names[..sts]));
    let slowest = endings.iter().map(|(_, took)| *took).max().unwrap();
    let report = format!(
        "{EXCHANGES} exchanges in {took:.1?}, slowest {slowest:.2?}: {counts:?}\n\
         {tokens} token calls: {token_faults:?}\n{sts} STS calls: {sts_faults:?}\n"
    );
    // Past the capture of test output: these figures are wanted.
    let _ = std::io::stderr().write_all(report.as_bytes());

    let of = |ending| counts.get(&ending).copied().unwrap_or_default();
    assert_eq!(counts.values().sum::<usize>(), EXCHANGES);
    assert_eq!(
        of(Ending::TokenRefused),
        token_faults["401"],
        "each 401 ended its exchange at once: {report}"
    );
    assert_eq!(
        of(Ending::RoleRefused),
        sts_faults["403"],
        "each AccessDenied ended its exchange at once: {report}"
    );
    assert!(of(Ending::PassingFaultWentOn) <= 5, "one in five does not stand in the way: {report}");
    assert!(token_faults["good"] * 100 / tokens < 85 && sts_faults["good"] * 100 / sts < 85, "{report}");
    assert!(slowest < POLICY.deadline * 3, "{report}");
}

#[test]
fn faults_that_never_end_give_the_right_error_within_the_deadline() {
    let policy = RetryPolicy { deadline: Duration::from_millis(700), ..POLICY };
    for (token, sts) in [
        (Some(Answer::status(503)), None),
        (Some(Answer::status(429)), None),
        (Some(Answer::cut()), None),
        (Some(Answer::normal().after(SLOW)), None),
        (None, Some(Fault::unavailable())),
        (None, Some(Fault::error(400, "Throttling", "Rate exceeded"))),
        (None, Some(Fault::cut())),
        (None, Some(Fault::slow(SLOW))),
    ] {
        let site = Site::start();
        let what = format!("{token:?} {sts:?}");
        if let Some(fault) = sts {
            site.gateway.fail("sts", "*", fault.always());
        }
        for _ in 0..1000 {
            token.iter().for_each(|answer| site.azure_devops.answer_next(answer.clone()));
        }
        let begin = Instant::now();
        let result = exchange::block_on(site.exchange(policy));
        assert_eq!(ending(&result), Ending::PassingFaultWentOn, "{what}");
        assert!(begin.elapsed() < policy.deadline * 4, "{what}: {:?}", begin.elapsed());
        let error = result.unwrap_err();
        assert!(error.hint().is_some(), "{error}");
        if token.is_some() {
            assert!(error.to_string().contains("deadline of 0.7 seconds"), "{error}");
            assert!(site.gateway.calls().is_empty());
        }
    }
}
