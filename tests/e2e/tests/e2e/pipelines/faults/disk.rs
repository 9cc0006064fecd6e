//! A disk that is nearly full.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use causeway_harness::world::binary;

use crate::pipelines::Play;

/// A small disk under the agent's work folder.
pub(super) struct Disk {
    folder: PathBuf,
    free: u64,
}

impl Disk {
    /// `None` where mounting is not allowed: then this seed has a machine that is well.
    pub(super) fn mount(play: &Play, free: u64) -> Option<Self> {
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

    /// Takes the filler away.
    pub(super) fn empty(&self) {
        let _ = fs::remove_file(self.folder.join("filler"));
    }

    /// Leaves no more than so many bytes.
    pub(super) fn fill(&self) {
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
