//! What a newcomer runs first.

use std::process::Command;

#[test]
fn the_demo_ends_well_and_finds_no_leak() {
    let run = Command::new(env!("CARGO_BIN_EXE_causeway-demo")).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    for part in ["job: Succeeded", "no key, token or parameter value in log"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
