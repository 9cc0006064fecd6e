use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use wait4::Wait4;

/// A running sink server; it ends with this value.
pub(super) struct Sink {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(super) url: String,
    pub(super) ca_file: PathBuf,
    _folder: tempfile::TempDir,
}

/// What a sink tells at its end.
pub(super) struct Ended {
    counts: serde_json::Value,
    /// Size and checksum of each object by its key.
    pub(super) objects: BTreeMap<String, String>,
    /// The processor time that it took.
    pub(super) cpu: f64,
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
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut url = String::new();
        output.read_line(&mut url).expect("its address");
        Self { child, input, output, url: url.trim().to_owned(), ca_file, _folder: folder }
    }

    pub(super) fn end(mut self) -> Ended {
        drop(self.input.take());
        let mut text = String::new();
        self.output.read_to_string(&mut text).expect("its counts");
        let end = self.child.wait4().expect("the end of the sink");
        let (counts, objects) = text.split_once('\n').expect("its counts");
        let object =
            |line: &str| line.rsplit_once(' ').map(|(content, key)| (key.to_owned(), content.to_owned()));
        Ended {
            counts: serde_json::from_str(counts).expect("its counts"),
            objects: objects.lines().filter_map(object).collect(),
            cpu: (end.rusage.utime + end.rusage.stime).as_secs_f64(),
        }
    }
}

impl Ended {
    pub(super) fn count(&self, name: &str) -> u64 {
        self.counts[name].as_u64().unwrap_or_default()
    }

    pub(super) fn counts(&self) -> String {
        self.counts.to_string()
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
