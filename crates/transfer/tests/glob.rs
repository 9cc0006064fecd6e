//! Patterns against paths: a fixed table of what minimatch 3 answers, and properties of the matcher.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

mod glob_table;

use causeway_transfer::PatternList;
use proptest::prelude::*;

fn matches(pattern: &str, path: &str) -> bool {
    PatternList::parse_with_case([pattern], false).unwrap().matches(path)
}

#[test]
fn the_fixed_table_holds() {
    for (pattern, matching, others) in glob_table::TABLE {
        for path in *matching {
            assert!(matches(pattern, path), "{pattern} must match {path}");
        }
        for path in *others {
            assert!(!matches(pattern, path), "{pattern} must not match {path}");
        }
    }
}

#[test]
fn lines_add_and_take_away_in_order() {
    let list = "  # everything\n\n**\n!**/*.map\n!secret/**\nsecret/readme.txt\n!!a.map\n! b.txt \r\n!#c";
    let list = PatternList::parse_with_case([list], false).unwrap();
    for (path, meant) in [
        ("x", true),
        ("x/y.map", false),
        ("secret/key", false),
        ("secret/readme.txt", true),
        ("a.map", true),
        ("b.txt", false),
        ("#c", false),
        ("# everything", true),
    ] {
        assert_eq!(list.matches(path), meant, "{path}");
    }
}

#[test]
fn an_empty_list_and_an_exclude_alone_mean_nothing() {
    for list in ["", "\n\n", "# a", "!a", "!(b)"] {
        assert!(!PatternList::parse([list]).unwrap().matches("a"), "{list:?}");
    }
}

#[test]
fn case_matters_unless_told_otherwise() {
    assert!(!matches("*.TXT", "a.txt"));
    for (pattern, path) in [("*.TXT", "a.txt"), ("README", "readme"), ("[A-C]/É?(x)", "b/éX")] {
        assert!(PatternList::parse_with_case([pattern], true).unwrap().matches(path), "{pattern} {path}");
    }
}

#[cfg(unix)]
#[test]
fn a_pattern_with_a_leading_slash_is_compared_with_the_whole_path() {
    let list = |line: &str, root: &str| PatternList::parse([line]).unwrap().rooted_at(root.as_ref());
    assert!(list("/work/out/**", "/work/out").matches("a/b"));
    assert!(list("/work/**/b", "/work/out/").matches("a/b"));
    assert!(list("/**", "/").matches("a"));
    assert!(!list("/a/b", "/work/out").matches("a/b"));
    assert!(!list("/work/other/**", "/work/out").matches("a"));
    assert!(list("**\n!/work/out/a", "/work/out").matches("b"));
    assert!(!list("**\n!/work/out/a", "/work/out").matches("a"));
}

#[test]
fn hostile_patterns_end_soon() {
    let name = "a".repeat(255);
    for pattern in ["+(+(+(a|aa)|aaa)|a)b", "*a*a*a*a*a*a*a*a*a*a*a*b", "+(*|?)+(*|?)+(*|?)b"] {
        assert!(!matches(pattern, &name), "{pattern}");
    }
    for pattern in ["x!(a)".repeat(40), "@(".repeat(500) + &")".repeat(500), "*(a".repeat(5000)] {
        if let Ok(list) = PatternList::parse([pattern.as_str()]) {
            assert!(!list.matches(&name));
        }
    }
    let error = PatternList::parse(["x!(a)".repeat(40).as_str()]).unwrap_err();
    assert!(error.to_string().contains("too complex"));
}

proptest! {
    #[test]
    fn an_escaped_name_matches_itself_and_nothing_longer(name in "[ -~üß€\u{1f600}&&[^/]]{1,20}") {
        prop_assume!(name.trim() == name && name != "." && name != "..");
        let escaped: String = name.chars().flat_map(|character| ['\\', character]).collect();
        prop_assert!(matches(&escaped, &name));
        prop_assert!(!matches(&escaped, &format!("{name}x")), "{escaped}");
    }

    #[test]
    fn two_stars_match_every_path(path in "[^/]{1,8}(/[^/]{1,8}){0,3}") {
        prop_assume!(path.split('/').all(|part| part != "." && part != ".."));
        prop_assert!(matches("**", &path));
        prop_assert!(matches("**/*", &path));
        let excluded = PatternList::parse(["**", "!**/*"]).unwrap();
        prop_assert!(!excluded.matches(&path));
    }

    #[test]
    fn no_pattern_panics(pattern in "[]!?*+@()|^\\\\a-c/\\[.-]{0,30}", path in "[]a-c()./!-]{0,12}") {
        if let Ok(list) = PatternList::parse([pattern.as_str()]) {
            let _ = list.matches(&path);
        }
    }
}
