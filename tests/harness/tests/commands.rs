//! Logging commands and masks, against what the agent's source says of them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failing test")]

use causeway_harness::agent::Masker;
use causeway_harness::agent::command::{Command, escape, unescape};

#[test]
fn escapes_are_undone_in_the_agents_order() {
    for (escaped, plain) in [
        ("", ""),
        ("a%0Ab%0Dc", "a\nb\rc"),
        ("%5D%3B", "];"),
        ("100%AZP25", "100%"),
        ("%AZP250A", "%0A"),
        ("%AZP25AZP25", "%AZP25"),
        ("50% of %0a and %25", "50% of %0a and %25"),
    ] {
        assert_eq!(unescape(escaped, true), plain, "{escaped}");
    }
    assert_eq!(unescape("100%AZP25%0A", false), "100%AZP25\n");
    let nasty = "a%0A];\r\n%AZP25%";
    assert_eq!(unescape(&escape(nasty, true), true), nasty);
}

#[test]
fn a_command_is_found_anywhere_in_a_line() {
    let line =
        "noise ##vso[Task.SetVariable variable=A B;issecret=TRUE;empty=;x=1=2;]va]lue%3B##vso[task.debug]";
    let command = Command::parse(line, true).unwrap();
    assert!(command.is("task", "setvariable"));
    assert_eq!(command.property("VARIABLE"), Some("A B"));
    assert!(command.flag("issecret"));
    assert_eq!(command.property("empty"), None);
    assert_eq!(command.property("x"), Some("1=2"));
    assert_eq!(command.data, "va]lue;##vso[task.debug]");
}

#[test]
fn what_is_no_command_is_text() {
    for line in
        ["", "##vso", "##vso[task.debug", "##vso[task]x", "##vso[a.b.c]x", "##VSO[task.debug]x", "##[group]x"]
    {
        assert_eq!(Command::parse(line, true), None, "{line}");
    }
}

#[test]
fn a_secret_is_masked_in_its_encoded_forms() {
    let mut masker = Masker::default();
    masker.add("p\"a/s+s\\w");
    assert_eq!(masker.mask("plain p\"a/s+s\\w."), "plain ***.");
    assert_eq!(masker.mask(r#"json p\"a/s+s\\w."#), "json ***.");
    assert_eq!(masker.mask("uri p%22a%2Fs%2Bs%5Cw."), "uri ***.");
    assert_eq!(masker.mask("nothing"), "nothing");
}

#[test]
fn overlapping_and_touching_secrets_become_one() {
    let mut masker = Masker::default();
    masker.add("abc");
    masker.add("cde");
    masker.add("xx");
    masker.add("");
    assert_eq!(masker.mask("-abcde-abccde-xxxxx-é"), "-***-***-***-é");
}

#[test]
fn a_secret_of_the_job_is_masked_in_base64_and_trimmed_too() {
    let mut masker = Masker::default();
    masker.add_job_secret("\"hunter2!\"");
    assert_eq!(masker.mask("hunter2!"), "***");
    assert_eq!(masker.mask("Imh1bnRlcjIhIg=="), "***");
    masker.add_job_secret("swordfish \n");
    assert_eq!(masker.mask("swordfish."), "***.");
    masker.add_job_secret("   ");
    assert_eq!(masker.mask("a   b"), "a   b");
}
