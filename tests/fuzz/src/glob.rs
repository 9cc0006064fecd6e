//! Any pattern list is taken or refused, and answers in a moment. What it answers is held against minimatch 3 in
//! `crates/transfer/tests/glob_differential.rs`.

use std::time::{Duration, Instant};

use causeway_transfer::PatternList;

pub(super) const EXAMPLES: &[&str] = &[
    "**/*.js\n!**/x\0a/b.js",
    "!(a|+(b|c))*\0abcabc",
    "[[:alpha:]]]\\*\0a]*",
    "**/**/**/**/*a*a*a*a*a*\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/aaaaaaaaaaaaaaaaaaaaab",
    "*(*(*(a)))\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
];

pub(super) fn run(data: &[u8]) {
    if data.len() > 400 {
        return;
    }
    let text = crate::text(data);
    let (patterns, path) = text.split_once('\0').unwrap_or((&text, "a/b.js"));
    let began = Instant::now();
    let Ok(list) = PatternList::parse(patterns.lines()) else { return };
    let answer = list.matches(path);
    assert_eq!(list.matches(path), answer, "{patterns:?} on {path:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{patterns:?} on {path:?} took {:?}", began.elapsed());
}
