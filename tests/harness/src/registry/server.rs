use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::tls::Identity;

/// Ends with its standard input, so that it cannot outlive the process that started it, however that one ends.
const SUPERVISED: &str = "docker-registry serve \"$1\" </dev/null >\"$2\" 2>&1 & cat; kill $!";

/// A docker-registry. It ends with this value.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    storage: PathBuf,
}

impl Server {
    /// Starts it in a folder and waits until it answers.
    pub(super) fn start(folder: &Path, identity: &Identity, password: &str) -> Self {
        let address = free_address();
        let storage = folder.join("storage");
        let config = configure(folder, address, identity, password);
        let log = folder.join("registry.log");
        let mut child = Command::new("sh")
            .args(["-c", SUPERVISED, "sh"])
            .args([&config, &log])
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a shell");
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            let ended = child.try_wait().expect("its state").is_some();
            let log = || std::fs::read_to_string(&log).unwrap_or_default();
            let hint = "docker-registry (install it with scripts/setup)";
            assert!(!ended && Instant::now() < deadline, "{hint} does not answer:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address, storage }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn storage(&self) -> &Path {
        &self.storage
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// bcrypt at its lowest cost: the registry computes it for every request.
fn configure(folder: &Path, address: SocketAddr, identity: &Identity, password: &str) -> PathBuf {
    let write = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::write(&path, content).expect("a file of the registry");
        path.display().to_string()
    };
    let hash =
        bcrypt::hash_with_result(password, 4).expect("a hash").format_for_version(bcrypt::Version::TwoY);
    let htpasswd = write("htpasswd", &format!("AWS:{hash}\n"));
    let certificate = write("server.pem", &identity.certificate);
    let key = write("server.key", &identity.key);
    let storage = folder.join("storage");
    let config = serde_json::json!({
        "version": "0.1",
        "log": { "level": "error", "accesslog": { "disabled": true } },
        "storage": {
            "filesystem": { "rootdirectory": storage, "maxthreads": 100 },
            "delete": { "enabled": true },
            "maintenance": { "uploadpurging": { "enabled": false } },
        },
        "auth": { "htpasswd": { "realm": "Registry", "path": htpasswd } },
        "http": {
            "addr": address.to_string(),
            "secret": "shared by nobody",
            "tls": { "certificate": certificate, "key": key },
        },
    });
    // JSON is YAML.
    PathBuf::from(write("config.yml", &config.to_string()))
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on 127.0.0.1");
    listener.local_addr().expect("the bound address")
}
