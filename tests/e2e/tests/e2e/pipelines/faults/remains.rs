//! What may stay, and what may not: after a SIGKILL, and after the run that repairs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use causeway_harness::leak::Leak;

use crate::pipelines::Play;
use crate::pipelines::play::files_below;

/// What docs/security.md says a killed step leaves in the job's temp folder until the agent empties it: the file's name, and
/// the secret that may be in it. All of it is open to its owner alone.
const KEPT: [(&str, &str); 2] = [
    // Docker login: a configuration folder; and the file for podman, skopeo and buildah.
    ("config.json", "the ECR password"),
    ("auth.json", "the ECR password"),
];

/// The leaks after a SIGKILL that docs/security.md does not know of.
pub(super) fn beyond_what_is_kept<'a>(play: &Play, leaks: &'a [Leak]) -> Vec<&'a Leak> {
    leaks.iter().filter(|leak| !is_kept(&play.world.agent.temp(), leak)).collect()
}

fn is_kept(temp: &Path, leak: &Leak) -> bool {
    let path = Path::new(&leak.place);
    let name = path.file_name().unwrap_or_default();
    let known = KEPT.iter().any(|(file, secret)| name == *file && leak.secret == *secret);
    known && path.starts_with(temp) && is_private(path, temp)
}

/// Whether nobody else can read the file: by its own mode, or that of a folder above it within the temp folder.
fn is_private(path: &Path, temp: &Path) -> bool {
    let closed = |path: &Path| fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 == 0);
    path.ancestors().take_while(|above| *above != temp).any(closed)
}

/// Files of other modes than docs/security.md says: what the task makes in the temp folder is its owner's alone.
pub(super) fn open_files(play: &Play) -> Vec<String> {
    let temp = play.world.agent.temp();
    let mut files = Vec::new();
    files_below(&temp, &mut files);
    // Summaries hold no value; the agent's own script files are the harness's.
    files.retain(|file| {
        !file.ends_with(".md") && !file.ends_with(".sh") && !is_private(Path::new(file), &temp)
    });
    files
}

/// The agent's files outside of what a pipeline itself writes, before anything ran.
pub(super) struct Before {
    files: BTreeSet<String>,
}

impl Before {
    pub(super) fn look(play: &Play) -> Self {
        Self { files: files_of(play) }
    }

    /// What has come since, and processes that still run in the agent's folders.
    pub(super) fn remains(&self, play: &Play) -> Vec<String> {
        let mut remains: Vec<String> = files_of(play).difference(&self.files).cloned().collect();
        remains.extend(processes_of(play.world.agent.root()));
        remains
    }
}

/// Home, work, tools and task folders. The sources are the pipeline's; the temp folder is looked at by itself.
fn files_of(play: &Play) -> BTreeSet<String> {
    let agent = &play.world.agent;
    let mut folders: Vec<PathBuf> = ["home", "agent", "tmp"].map(|below| agent.root().join(below)).to_vec();
    for entry in fs::read_dir(agent.root().join("_work")).into_iter().flatten().flatten() {
        folders.extend(Some(entry.path()).filter(|path| !path.ends_with("1") && *path != agent.temp()));
    }
    let mut files = Vec::new();
    folders.iter().for_each(|folder| files_below(folder, &mut files));
    files.into_iter().collect()
}

/// The command lines of processes that belong to an agent's folders; those that are just ending get a moment.
fn processes_of(root: &Path) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(3);
    loop {
        let found: Vec<String> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| belongs(&entry.path(), root))
            .collect();
        if found.is_empty() || Instant::now() > end {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn belongs(process: &Path, root: &Path) -> Option<String> {
    let name = root.to_string_lossy();
    let read = |file: &str| {
        fs::read(process.join(file)).map(|text| String::from_utf8_lossy(&text).replace('\0', " "))
    };
    let line = read("cmdline").ok().filter(|line| !line.is_empty())?;
    let inside = fs::read_link(process.join("cwd")).is_ok_and(|folder| folder.starts_with(root));
    let is_its = inside || line.contains(&*name) || read("environ").is_ok_and(|text| text.contains(&*name));
    is_its.then(|| format!("process {}", line.trim()))
}
