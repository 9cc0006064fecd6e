//! The fuzzer's targets for a moment: the same inputs on every run. `CAUSEWAY_FUZZ_SECONDS` makes it longer, with others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "a test may fail that way")]

use std::time::{Duration, Instant};

use causeway_fuzz::{TARGETS, Target};
use fastrand::Rng;

/// Pieces that mean something to one of the targets.
const PIECES: [&str; 30] = [
    "##vso[", "##[", "#", "%", "AZP25", "%0A", "\r", "\n", ";", "]", "\u{200b}", "{", "}", "[", "\"", ":",
    ",", "null", "*", "**", "?", "!(", "|", ")", "${", "\\", "\0", ".", "/", "é",
];

fn mutated(target: &Target, random: &mut Rng) -> Vec<u8> {
    let mut bytes = target.examples[random.usize(..target.examples.len())].as_bytes().to_vec();
    for _ in 0..random.usize(0..8) {
        let at = random.usize(0..=bytes.len());
        let end = (at + random.usize(0..6)).min(bytes.len());
        match random.u8(0..5) {
            0 => drop(bytes.drain(at..end)),
            1 if at < bytes.len() => bytes[at] = random.u8(..),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => drop(bytes.splice(at..end, PIECES[random.usize(..PIECES.len())].bytes())),
        }
    }
    bytes
}

fn hold(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let seconds =
        std::env::var("CAUSEWAY_FUZZ_SECONDS").ok().map(|text| text.parse::<u64>().expect("seconds"));
    let mut random = Rng::with_seed(seconds.map_or(7, |_| Rng::new().u64(..)));
    let (began, mut count) = (Instant::now(), 0);
    target.examples.iter().for_each(|example| (target.run)(example.as_bytes()));
    let more = |count: usize| match seconds {
        Some(seconds) => began.elapsed() < Duration::from_secs(seconds),
        None => count < 5000,
    };
    while more(count) {
        let input = mutated(target, &mut random);
        let ending = std::panic::catch_unwind(|| (target.run)(&input));
        assert!(ending.is_ok(), "{name} does not hold for {:?}", String::from_utf8_lossy(&input));
        count += 1;
    }
    eprintln!("{name}: {count} inputs");
}

#[test]
fn logging_commands() {
    hold("logging");
}

#[test]
fn connections() {
    hold("connection");
}

#[test]
fn trust_policies() {
    hold("trust");
}

#[test]
fn tokens() {
    hold("token");
}

#[test]
fn registry_hosts() {
    hold("host");
}

#[test]
fn patterns() {
    hold("glob");
}

#[test]
fn docker_configurations() {
    hold("docker");
}
