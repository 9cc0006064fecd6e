use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// tinyproxy from Debian: a real proxy, with user and password. It ends with this value.
#[derive(Debug)]
pub struct Tinyproxy {
    address: SocketAddr,
    folder: TempDir,
    process: Child,
}

impl Tinyproxy {
    /// Starts on a free port for this user; requests go on to `upstream`, another proxy, which resolves their names.
    /// tinyproxy's configuration takes letters, digits, `-`, `.` and `_` in user and password.
    ///
    /// `None`, and a line that says so, where tinyproxy is not installed; under `CI=true` that fails.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(user: &str, password: &str, upstream: SocketAddr) -> Option<Self> {
        let Some(program) = program() else {
            let message = "NOT TESTED: tinyproxy is missing (scripts/setup, or apt-get install tinyproxy)";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
            announce(message);
            return None;
        };
        // The port is free for a moment only: another process may be quicker.
        let started = (0..5).find_map(|_| Self::try_start(&program, user, password, upstream));
        Some(started.expect("tinyproxy starts"))
    }

    fn try_start(program: &PathBuf, user: &str, password: &str, upstream: SocketAddr) -> Option<Self> {
        let folder = TempDir::with_prefix("tinyproxy-").expect("a folder");
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let address = free.expect("a free port on 127.0.0.1");
        let configuration = format!(
            "Port {}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nLogLevel Connect\nLogFile \"{}\"\n\
             BasicAuth {user} {password}\nUpstream http {upstream}\n",
            address.port(),
            folder.path().join("log").display(),
        );
        let file = folder.path().join("tinyproxy.conf");
        std::fs::write(&file, configuration).expect("its configuration");
        let process = Command::new(program)
            .arg("-d")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tinyproxy");
        let mut proxy = Self { address, folder, process };
        proxy.is_listening().then_some(proxy)
    }

    fn is_listening(&mut self) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && matches!(self.process.try_wait(), Ok(None)) {
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it wrote into its log.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/bin".into(), "/usr/sbin".into()]);
    folders.map(|folder| folder.join("tinyproxy")).find(|program| program.is_file())
}

/// Past the capture of test output: a test that does not run must say so.
fn announce(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}
