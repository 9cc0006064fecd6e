use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use wait4::{ResUse, Wait4};

use super::step::Cancel;
use super::watch::{Seen, Watch};

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A line that a step wrote, before masking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it came from.
    pub stream: Stream,
    /// The line without its end.
    pub text: String,
}

/// What a step's processes took, all of them that were waited for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// From start to end.
    pub wall: Duration,
    /// CPU time in user and kernel mode.
    pub cpu: Duration,
    /// The largest resident set of any one process, in bytes.
    pub peak_memory: u64,
}

/// A process to run as the agent runs it.
pub(super) struct Program {
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) directory: PathBuf,
    pub(super) timeout: Duration,
    pub(super) cancel: Option<Cancel>,
    /// The user and group that it runs as, if not this one.
    pub(super) user: Option<u32>,
    pub(super) watches_machine: bool,
}

/// How it ended.
pub(super) struct Ended {
    /// The exit code; `None` after a signal.
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) usage: Usage,
    pub(super) canceled: bool,
    /// A signal of [`Cancel`] was sent while it ran.
    pub(super) struck: bool,
    pub(super) timed_out: bool,
    /// It, its descendants and what else was looked at, as far as they were seen.
    pub(super) seen: Vec<Seen>,
}

impl Program {
    /// Runs to the end, which is when the process is gone and nobody holds its output any more.
    pub(super) fn run(&self, on_line: &mut dyn FnMut(Line)) -> Ended {
        let started = Instant::now();
        let mut child = self.spawn();
        let pid = Pid::from_child(&child);
        let watch = Watch::start(pid, self.watches_machine);
        let lines = read_lines(&mut child);
        let waiter = std::thread::spawn(move || child.wait4().expect("the end of the process"));
        let mut stages = self.first_stages();
        let by_agent = !matches!(self.cancel, Some(Cancel::Terminated(_) | Cancel::Killed(_)));
        let (mut canceled, mut struck, mut timed_out) = (false, false, false);
        loop {
            match lines.recv_timeout(Duration::from_millis(20)) {
                Ok(line) => {
                    if matches!(&self.cancel, Some(Cancel::At(text)) if line.text.contains(text)) {
                        stages.extend(ending(started.elapsed(), false));
                    }
                    on_line(line);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            while let Some((_, signal, is_timeout)) = stages.pop_if(|stage| started.elapsed() >= stage.0) {
                timed_out |= is_timeout;
                canceled |= !is_timeout && by_agent;
                struck |= !is_timeout;
                send(pid, signal, signal == Signal::KILL);
            }
        }
        let used = waiter.join().expect("the waiter");
        Ended {
            code: used.status.code(),
            signal: used.status.signal(),
            usage: usage(&used, started.elapsed()),
            canceled,
            struck,
            timed_out,
            seen: watch.stop(),
        }
    }

    fn spawn(&self) -> Child {
        let mut command = Command::new(&self.program);
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", self.program.display()))
    }

    /// When which signal is due, the last first.
    fn first_stages(&self) -> Vec<Stage> {
        let mut stages = ending(self.timeout, true).to_vec();
        match self.cancel {
            Some(Cancel::After(delay)) => stages.extend(ending(delay, false)),
            Some(Cancel::Terminated(delay)) => stages.push((delay, Signal::TERM, false)),
            Some(Cancel::Killed(delay)) => stages.push((delay, Signal::KILL, false)),
            _ => {}
        }
        stages
    }
}

/// When a signal is due, which, and whether because the step takes too long.
type Stage = (Duration, Signal, bool);

/// The signals of a step that is cancelled or takes too long, the last first; the agent's waits are those of
/// `ProcessInvoker.cs`, the same for both.
fn ending(begin: Duration, is_timeout: bool) -> [Stage; 3] {
    [
        (begin + Duration::from_secs(10), Signal::KILL, is_timeout),
        (begin + Duration::from_millis(7500), Signal::TERM, is_timeout),
        (begin, Signal::INT, is_timeout),
    ]
}

/// The agent signals the one process; what ends everything ends the whole group.
fn send(pid: Pid, signal: Signal, everything: bool) {
    // It may be gone already.
    let _ = if everything { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
}

fn usage(used: &ResUse, wall: Duration) -> Usage {
    Usage { wall, cpu: used.rusage.utime + used.rusage.stime, peak_memory: used.rusage.maxrss }
}

fn read_lines(child: &mut Child) -> Receiver<Line> {
    let (sender, receiver) = channel();
    let out = child.stdout.take().expect("its standard output");
    let err = child.stderr.take().expect("its standard error");
    let for_out = sender.clone();
    std::thread::spawn(move || split(out, Stream::Out, &for_out));
    std::thread::spawn(move || split(err, Stream::Err, &sender));
    receiver
}

/// Splits at LF, CR LF and lone CR, as .NET's `ReadLine` does.
fn split(source: impl Read, stream: Stream, sender: &Sender<Line>) {
    let emit = |bytes: &mut Vec<u8>| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        bytes.clear();
        let _ = sender.send(Line { stream, text });
    };
    let mut line = Vec::new();
    let mut after_return = false;
    for byte in BufReader::new(source).bytes().map_while(Result::ok) {
        match byte {
            b'\n' if after_return => {}
            b'\n' | b'\r' => emit(&mut line),
            other => line.push(other),
        }
        after_return = byte == b'\r';
    }
    if !line.is_empty() {
        emit(&mut line);
    }
}
