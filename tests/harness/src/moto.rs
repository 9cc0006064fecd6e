//! moto server: the AWS services behind the gateway.

mod seed;

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

pub use seed::{Object, Parameter, Seed};

/// Ends with its standard input, so that it cannot outlive the process that started it, however that one ends.
const SUPERVISED: &str = "import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(sys.argv[1:])";

/// A moto server of this process. It ends with this value.
#[derive(Debug)]
pub struct Moto {
    child: Mutex<Child>,
    port: u16,
}

impl Moto {
    /// The moto server that the tests of one process share; accounts keep them apart.
    ///
    /// # Panics
    /// When moto is not installed or does not start.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Moto>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let moto = Arc::new(Self::start());
            *shared = Arc::downgrade(&moto);
            moto
        })
    }

    /// Starts a server of its own on a free port and waits until it answers.
    ///
    /// # Panics
    /// When moto is not installed or does not start within 60 s.
    #[must_use]
    pub fn start() -> Self {
        let server = executable();
        let port = free_port();
        let mut child = spawn(&server, port);
        wait_until_it_answers(&mut child, port);
        Self { child: Mutex::new(child), port }
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// `CAUSEWAY_MOTO`, or the one that `scripts/setup` installs.
fn executable() -> PathBuf {
    let path = std::env::var_os("CAUSEWAY_MOTO")
        .map_or_else(|| crate::world::workspace().join(".venv/bin/moto_server"), PathBuf::from);
    assert!(
        path.is_file(),
        "there is no moto server at {}: run scripts/setup, or set CAUSEWAY_MOTO to a moto_server",
        path.display()
    );
    path
}

fn spawn(server: &Path, port: u16) -> Child {
    let python = server.with_file_name("python");
    let mut command = if python.is_file() { Command::new(python) } else { Command::new(server) };
    if command.get_program() != server.as_os_str() {
        command.args(["-c", SUPERVISED]);
    }
    command
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .env_remove("MOTO_ACCOUNT_ID")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", server.display()))
}

/// Also drains what moto writes, so that it never waits for a reader.
fn wait_until_it_answers(child: &mut Child, port: u16) {
    let written = Arc::new(Mutex::new(String::new()));
    let lines = BufReader::new(child.stderr.take().expect("its standard error")).lines();
    let kept = written.clone();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < 20_000 {
                let _ = writeln!(kept, "{line}");
            }
        }
    });
    let url = format!("http://127.0.0.1:{port}/moto-api/data.json");
    let deadline = Instant::now() + Duration::from_secs(60);
    while crate::http::send("GET", &url, &[], b"").map_or(true, |reply| reply.status != 200) {
        let ended = child.try_wait().expect("the state of moto").is_some();
        let output = || written.lock().unwrap().clone();
        assert!(!ended, "moto ended before it answered:\n{}", output());
        assert!(Instant::now() < deadline, "moto did not answer within 60 s:\n{}", output());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on 127.0.0.1");
    listener.local_addr().expect("the bound address").port()
}
