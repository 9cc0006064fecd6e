//! One target of `tests/fuzz`, named by `CAUSEWAY_FUZZ_TARGET`, under libFuzzer.
#![no_main]

use std::sync::LazyLock;

use causeway_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("CAUSEWAY_FUZZ_TARGET").unwrap_or_default();
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("no target {name}"))
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
