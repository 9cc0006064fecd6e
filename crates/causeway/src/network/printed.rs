//! A console whose output a test can read.

use std::io::{Result, Write};
use std::sync::{Arc, Mutex};

use causeway_agent::{Console, Environment};

/// What was printed so far.
#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

pub(crate) fn console() -> (Console, Printed) {
    let printed = Printed::default();
    (Console::new(&Environment::default(), Box::new(printed.clone())), printed)
}
