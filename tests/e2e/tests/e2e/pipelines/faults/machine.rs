//! What goes wrong on the agent's own machine.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use causeway_harness::agent::{Action, Cancel, Job};
use causeway_harness::world::binary;

use crate::pipelines::Play;

/// What goes wrong, if anything.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Machine {
    /// Only the network does.
    Well,
    /// AWS's name is not known.
    NoName,
    /// The work folder's disk has so many bytes left.
    DiskFull(u64),
    /// A signal ends a step, so long after it began.
    Struck(Cancel),
    /// The clocks of AWS and Azure DevOps are so many seconds ahead.
    Clock(i64),
}

impl Machine {
    pub(super) fn choose(random: &mut fastrand::Rng) -> Self {
        let moment = Duration::from_millis(random.u64(0..700));
        match random.u8(0..12) {
            0..=4 => Self::Well,
            5 => Self::NoName,
            6 => Self::DiskFull(random.u64(0..60) << 12),
            7 | 8 => Self::Struck(Cancel::Killed(moment)),
            9 => Self::Struck(Cancel::After(moment)),
            10 => Self::Struck(Cancel::Terminated(moment)),
            _ => Self::Clock(if random.bool() { 600 } else { -600 }),
        }
    }

    pub(super) fn is_calm(&self) -> bool {
        *self == Self::Well
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Well => "network",
            Self::NoName => "no name",
            Self::DiskFull(_) => "disk full",
            Self::Struck(Cancel::Killed(_)) => "SIGKILL",
            Self::Struck(Cancel::Terminated(_)) => "SIGTERM",
            Self::Struck(_) => "cancelled",
            Self::Clock(_) => "clock",
        }
    }

    pub(super) fn begin(&self, play: &mut Play, random: &mut fastrand::Rng) -> Held {
        let mut disk = None;
        match self {
            Self::NoName => play
                .world
                .agent
                .machine
                .push(("AWS_ENDPOINT_URL".into(), "http://aws.causeway.invalid".into())),
            Self::DiskFull(free) => disk = Disk::mount(play, *free),
            Self::Clock(seconds) => {
                play.world.gateway.shift_clock(*seconds);
                play.world.azure_devops.change(|organization| organization.clock = *seconds);
            }
            Self::Well | Self::Struck(_) => {}
        }
        let struck =
            if let Self::Struck(cancel) = self { Some((cancel.clone(), random.usize(..))) } else { None };
        Held { struck: Mutex::new(struck), disk, pops_endpoint: *self == Self::NoName }
    }
}

/// What lasts as long as the faulted run.
pub(super) struct Held {
    struck: Mutex<Option<(Cancel, usize)>>,
    disk: Option<Disk>,
    pops_endpoint: bool,
}

impl Held {
    /// Chooses the step that is struck among those of the first job, and fills the disk.
    pub(super) fn strike(&self, job: &mut Job) {
        if let Some((cancel, number)) = self.struck.lock().unwrap().take() {
            let mut tasks: Vec<_> =
                job.steps.iter_mut().filter(|step| matches!(step.action, Action::Task { .. })).collect();
            if !tasks.is_empty() {
                let at = number % tasks.len();
                tasks[at].cancel = Some(cancel);
            }
        }
        if let Some(disk) = &self.disk {
            disk.fill();
        }
    }

    pub(super) fn end(&self, play: &mut Play) {
        if self.pops_endpoint {
            play.world.agent.machine.pop();
        }
        if let Some(disk) = &self.disk {
            let _ = fs::remove_file(disk.folder.join("filler"));
        }
    }
}

/// A small disk under the agent's work folder.
struct Disk {
    folder: PathBuf,
    free: u64,
}

impl Disk {
    /// `None` where mounting is not allowed: then this seed has a machine that is well.
    fn mount(play: &Play, free: u64) -> Option<Self> {
        let folder = play.world.agent.root().join("_work");
        let aside = play.world.agent.root().join("aside");
        let run = |command: &mut Command| command.status().is_ok_and(|status| status.success());
        if !run(Command::new("cp").arg("-a").arg(&folder).arg(&aside)) {
            return None;
        }
        // A job's broker has a copy of the program.
        let size = (fs::metadata(binary()).map_or(0, |file| file.len()) >> 20) + 64;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={size}m"), "tmpfs"])
            .arg(&folder)
            .stderr(Stdio::null());
        let mounted = run(&mut mount);
        let copied = mounted && run(Command::new("cp").arg("-a").arg(aside.join(".")).arg(&folder));
        let _ = fs::remove_dir_all(&aside);
        copied.then_some(Self { folder, free })
    }

    /// Leaves no more than so many bytes.
    fn fill(&self) {
        let filler = self.folder.join("filler");
        let _ = fs::remove_file(&filler);
        let mut left = free_bytes(&self.folder).saturating_sub(self.free);
        let Ok(mut file) = fs::File::create(&filler) else { return };
        while left > 0 {
            let piece = vec![0; usize::try_from(left.min(1 << 20)).unwrap_or_default()];
            if file.write_all(&piece).is_err() {
                return;
            }
            left -= piece.len() as u64;
        }
    }
}

/// The bytes that are free, as `df` says.
fn free_bytes(folder: &PathBuf) -> u64 {
    let output = Command::new("df").args(["--output=avail", "-B1"]).arg(folder).output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .nth(1)
        .and_then(|line| line.trim().parse().ok())
        .unwrap_or_default()
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
