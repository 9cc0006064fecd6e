//! The same patterns and paths, answered here and by the real minimatch 3 under node.
//!
//! Runs where `node_modules/minimatch` (version 3) stands in the workspace root, or where `MINIMATCH` names
//! its folder; says so when it is skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail that way")]

mod glob_table;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use causeway_transfer::PatternList;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const SCRIPT: &str = r"
const { Minimatch } = require(process.argv[1]);
const options = { dot: true, nobrace: true, nocomment: true, nonegate: true };
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answers = cases.map(([pattern, ignoreCase, paths]) => {
  const matcher = new Minimatch(pattern, { ...options, nocase: ignoreCase });
  return paths.map((path) => matcher.match(path));
});
process.stdout.write(JSON.stringify(answers));
";

type Case = (String, bool, Vec<String>);

#[test]
fn minimatch_3_gives_the_same_answers() {
    let Some(minimatch) = minimatch() else {
        // Past the capture of the test runner, which shows nothing of tests that pass.
        let why =
            "SKIPPED: no minimatch 3 in the workspace's node_modules (npm install --save-dev minimatch@3)";
        writeln!(std::io::stderr(), "{why}").unwrap();
        return;
    };
    let cases = cases(count());
    let answers = ask(&minimatch, &cases);
    let mut matched = 0;
    for ((pattern, ignore_case, paths), answers) in cases.iter().zip(answers) {
        let list = PatternList::parse_with_case([pattern.as_str()], *ignore_case).unwrap();
        for (path, expected) in paths.iter().zip(answers) {
            matched += usize::from(expected);
            assert_eq!(
                list.matches(path),
                expected,
                "pattern {pattern:?}, path {path:?}, ignoring case {ignore_case}"
            );
        }
    }
    assert!(matched > 1000, "the cases must not be such that nothing matches ({matched})");
}

fn minimatch() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../node_modules/minimatch");
    let folder = std::env::var_os("MINIMATCH").map_or_else(beside, PathBuf::from);
    let package = std::fs::read(folder.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_slice(&package).ok()?;
    package["version"].as_str()?.starts_with("3.").then_some(folder)
}

fn ask(minimatch: &PathBuf, cases: &[Case]) -> Vec<Vec<bool>> {
    let mut node = Command::new("node")
        .arg("-e")
        .arg(SCRIPT)
        .arg(minimatch)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is on the PATH");
    let question = serde_json::to_vec(cases).unwrap();
    node.stdin.take().unwrap().write_all(&question).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `CAUSEWAY_GLOB_CASES` patterns, 12 paths for each.
fn count() -> usize {
    std::env::var("CAUSEWAY_GLOB_CASES")
        .map_or(3000, |text| text.parse().expect("CAUSEWAY_GLOB_CASES is a number"))
}

/// Random patterns out of what people write and out of plain noise, the same ones on every run.
fn cases(count: usize) -> Vec<Case> {
    let mut runner = TestRunner::deterministic();
    let plain = proptest::collection::vec(plain_piece(), 1..7).prop_map(|pieces| pieces.concat());
    let lists = proptest::collection::vec(list_piece(), 1..5).prop_map(|pieces| pieces.concat());
    let noise = "[]ab()|*?!+\\[.^/-]{1,9}";
    let pattern = proptest::prop_oneof![3 => plain, 4 => lists, 3 => noise].prop_filter(
        "is a pattern, and no exclude or comment",
        |pattern: &String| {
            !pattern.is_empty() && !pattern.starts_with(['!', '#']) && !has_known_difference(pattern)
        },
    );
    let path = proptest::prop_oneof![
        "[ab.]{1,4}(/[ab.]{1,3}){0,3}",
        "[]ab()|*?!+\\[.^-]{1,5}",
        "(a|b|ab|ba|foo|x)(\\.(a|b|js|ts|json)){0,2}(/(a|b|ab)(\\.js)?){0,2}",
    ];
    let case = (pattern, proptest::bool::weighted(0.2), proptest::collection::vec(path, 12));
    let random = (0..count).map(|_| case.new_tree(&mut runner).unwrap().current());
    fixed_cases().chain(random).collect()
}

/// The fixed table, without its rows of list lines (`!!a`), which minimatch reads one `!` at a time.
fn fixed_cases() -> impl Iterator<Item = Case> {
    let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    glob_table::TABLE.iter().filter(|(pattern, ..)| !pattern.starts_with('!')).map(
        move |(pattern, matching, others)| {
            ((*pattern).to_owned(), false, owned(&[*matching, *others].concat()))
        },
    )
}

fn plain_piece() -> impl Strategy<Value = String> {
    let fixed: Vec<&'static str> = vec![
        "a", "b", "A", ".", "*", "?", "/", "**/", "/**", "**", "[ab]", "[!a]", "[^b]", "[a-b]", "[]a]",
        "\\*", "\\a", "[b-a]", "[", "]", "(", ")", "|", "{a,b}", ".js", "foo", "-", "[*]", "[\\]]", "[.]",
        "ü",
    ];
    proptest::sample::select(fixed).prop_map(str::to_owned)
}

fn list_piece() -> impl Strategy<Value = String> {
    let body = proptest::collection::vec(
        proptest::sample::select(vec!["a", "b", "*.js", "?", "ab", "", "*.a", "x"]),
        1..4,
    )
    .prop_map(|parts| parts.join("|"));
    let kind = proptest::sample::select(vec!["?", "*", "+", "@", "!"]);
    let list = (kind.clone(), body.clone()).prop_map(|(kind, body)| format!("{kind}({body})"));
    let nested = (kind, list.clone(), body).prop_map(|(kind, list, body)| format!("{kind}({list}|{body})"));
    proptest::prop_oneof![3 => list, 1 => nested, 3 => plain_piece()]
}

/// What minimatch 3 gets wrong in ways that nobody can rely on, and that are not repeated here.
fn has_known_difference(pattern: &str) -> bool {
    // "[" with nothing or two stars behind it becomes the text "[undefined".
    let unclosed = pattern.split('/').any(|part| part.ends_with('[') || part.ends_with("[**"));
    // A list that never closes behind or around a negated one, and brackets in plain text before one,
    // make it cut its own expression in the middle of a piece.
    let negated = pattern.contains("!(");
    let brackets = pattern.matches('(').count() != pattern.matches(')').count() || pattern.contains('\\');
    unclosed || (negated && brackets)
}
