use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use wait4::Wait4;

/// A running sink server; it ends with this value.
pub(super) struct Sink {
    child: Child,
    input: Option<ChildStdin>,
    pub(super) url: String,
    pub(super) ca_file: PathBuf,
    _folder: tempfile::TempDir,
}

/// What the sink does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Behaviour<'a> {
    pub(super) latency_ms: u32,
    pub(super) objects: Option<&'a str>,
    pub(super) slow_down: f64,
    pub(super) reset: f64,
    pub(super) verify: bool,
}

impl Sink {
    pub(super) fn start(program: &Path, behaviour: Behaviour<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temp folder");
        let ca_file = folder.path().join("ca.pem");
        let mut command = Command::new(program);
        command.arg("--ca-file").arg(&ca_file);
        command.args(["--latency-ms", &behaviour.latency_ms.to_string()]);
        command.args(["--slow-down", &behaviour.slow_down.to_string()]);
        command.args(["--reset", &behaviour.reset.to_string()]);
        if let Some(objects) = behaviour.objects {
            command.args(["--objects", objects]);
        }
        if behaviour.verify {
            command.arg("--verify");
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the sink server");
        let input = child.stdin.take();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).expect("its address");
        Self { child, input, url: url.trim().to_owned(), ca_file, _folder: folder }
    }

    /// `GET` of one of its own pages, by curl: the measuring program itself speaks no TLS.
    pub(super) fn ask(&self, page: &str) -> String {
        let output = Command::new("curl")
            .args(["--silent", "--fail", "--cacert"])
            .arg(&self.ca_file)
            .arg(format!("{}/_sink/{page}", self.url))
            .output()
            .expect("curl");
        assert!(output.status.success(), "the sink does not answer");
        String::from_utf8(output.stdout).unwrap()
    }

    /// One of its counts.
    pub(super) fn count(&self, name: &str) -> u64 {
        let stats: serde_json::Value = serde_json::from_str(&self.ask("stats")).unwrap();
        stats[name].as_u64().unwrap_or_default()
    }

    /// Ends it; the processor time that it took.
    pub(super) fn end(mut self) -> f64 {
        drop(self.input.take());
        let end = self.child.wait4().expect("the end of the sink");
        (end.rusage.utime + end.rusage.stime).as_secs_f64()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if self.input.take().is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
