//! What uploads and downloads have in common: inputs, progress, and the words of the report.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use causeway_agent::{Console, InputError, Inputs};
use causeway_transfer::{
    DeleteRemoved, Failure, Fingerprint, PatternList, Shard, Slow, SseCustomerKey, TransferProgress,
};
use secrecy::SecretString;

use crate::step::Step;

/// So many objects are listed by name; beyond that the log would be a flood.
pub(super) const LISTED: usize = 200;

/// What to do when patterns that name folders do not fit files without folders.
pub(super) const FLAT_PATTERNS: &str =
    "; use patterns such as **/*.js, or do not set flattenFolders together with deleteRemoved";

/// A file that took less is not slow.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// So many failures stand in the error itself.
const NAMED: usize = 10;

/// The input `name`, a folder of the agent's machine: where it is relative, in the folder that the agent starts
/// scripts in.
pub(super) fn local_folder(step: &Step, name: &'static str) -> Result<PathBuf> {
    let given = step.inputs().text(name).map(Path::new);
    let base = step.variables().public("System.DefaultWorkingDirectory").map(Path::new);
    match (base, given) {
        (Some(base), given) => Ok(base.join(given.unwrap_or(Path::new("")))),
        (None, Some(given)) => Ok(given.to_owned()),
        (None, None) => Err(InputError::Missing { name, context: "" }.into()),
    }
}

/// Where uploads under way are noted. The run that finds the notes of a killed one is mostly that of another job, so
/// they lie where the agent does not clean up after each; in a container that may not be writable.
pub(super) fn journal_folders(step: &Step) -> Vec<PathBuf> {
    let work = step.variables().public("Agent.WorkFolder").map(PathBuf::from);
    let folders = work.into_iter().chain(step.temp_directory().ok());
    folders.map(|folder| folder.join("_causeway-s3")).collect()
}

pub(super) fn patterns(inputs: &Inputs<'_>) -> Result<Option<PatternList>> {
    let lines = inputs.lines("globExpressions");
    if lines.is_empty() {
        return Ok(None);
    }
    Ok(Some(PatternList::parse(lines).context("input globExpressions")?))
}

pub(super) fn parallelism(inputs: &Inputs<'_>) -> Result<Option<NonZeroUsize>> {
    Ok(inputs.parsed("parallelism")?)
}

/// The key of `keyManagement: customerManaged`; it is masked from here on.
pub(super) fn customer_key(step: &Step) -> Result<SseCustomerKey> {
    let key = step.inputs().required_with("customerKey", " with keyManagement customerManaged")?;
    let key = SecretString::from(key);
    step.console().mask(&key);
    SseCustomerKey::from_hex(&key).context("input customerKey")
}

pub(super) fn delete_removed(inputs: &Inputs<'_>) -> Result<Option<DeleteRemoved>> {
    if !inputs.flag("deleteRemoved", false)? {
        return Ok(None);
    }
    Ok(Some(DeleteRemoved {
        even_if_empty: inputs.flag("deleteWhenEmpty", false)?,
        even_in_whole_bucket: inputs.flag("deleteInBucketRoot", false)?,
    }))
}

/// With `shard: auto` the part of the work that falls to this job of `strategy: parallel`.
pub(super) fn shard(step: &Step) -> Result<Option<Shard>> {
    let kinds = [("none", false), ("auto", true)];
    if !step.inputs().choice("shard", &kinds)?.unwrap_or(false) {
        return Ok(None);
    }
    let number = |name: &str| step.variables().public(name).and_then(|text| text.parse::<u32>().ok());
    match (number("System.JobPositionInPhase"), number("System.TotalJobsInPhase")) {
        (_, None | Some(0 | 1)) => Ok(None),
        (Some(position), Some(total)) => Ok(Some(Shard::new(position, total)?)),
        (None, Some(total)) => Err(anyhow!(
            "input shard: the agent says that there are {total} jobs, and not which one this is (System.JobPositionInPhase)"
        )),
    }
}

/// Which slice this is; slices that print the same set have together the whole of it.
pub(super) fn tell_shard(console: &Console, shard: Option<Shard>, mine: usize, all: usize, set: Fingerprint) {
    if let Some(shard) = shard {
        let (position, total) = (shard.position(), shard.total());
        console.info(&format!("Slice {position} of {total}: {mine} of {all} files (set {set})"));
    }
}

pub(super) fn tell_list<T: Display>(console: &Console, lines: impl ExactSizeIterator<Item = T>) {
    let count = lines.len();
    lines.take(LISTED).for_each(|line| console.info(&line.to_string()));
    if count > LISTED {
        console.info(&format!("and {} more", count - LISTED));
    }
}

/// Every one by name, however many there are: what did not arrive must be known.
pub(super) fn tell_failures(console: &Console, failures: &[Failure]) {
    failures.iter().for_each(|failure| console.info(&format!("FAILED {failure}")));
}

pub(super) fn tell_slowest(console: &Console, slowest: &[Slow]) {
    for slow in slowest.iter().filter(|slow| slow.took >= WORTH_TELLING) {
        console.info(&format!(
            "slowest: {} ({}) {:.1} s",
            slow.path,
            size(slow.bytes),
            slow.took.as_secs_f64()
        ));
    }
}

/// The first of the failures, and how many there are besides.
pub(super) fn named(failures: &[Failure], missing: usize) -> String {
    let named: Vec<String> = failures.iter().take(NAMED).map(ToString::to_string).collect();
    let more = missing.saturating_sub(named.len());
    let more =
        if more > 0 { format!("; and {more} more, listed in the log or not tried") } else { String::new() };
    named.join("; ") + &more
}

/// The first of these keys, and how many there are besides.
pub(super) fn first_of(keys: &[String]) -> String {
    let more = keys.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    keys[..keys.len().min(NAMED)].join(", ") + &more
}

/// `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

/// `12.3 s, 45.6 MiB/s`.
pub(super) fn speed(bytes: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    format!("{seconds:.1} s, {}/s", size((bytes as f64 / seconds) as u64))
}

/// One line and one percentage every few seconds, whether something has ended meanwhile or not.
pub(super) struct Progress<'a> {
    console: &'a Console,
    began: Instant,
    pause: Duration,
    known: Mutex<TransferProgress>,
}

impl<'a> Progress<'a> {
    const PAUSE: Duration = Duration::from_secs(5);

    pub(super) fn new(console: &'a Console) -> Self {
        Self { console, began: Instant::now(), pause: Self::PAUSE, known: Mutex::default() }
    }

    /// Takes in how far it is.
    pub(super) fn note(&self, now: TransferProgress) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Does `work` and tells meanwhile how far it is.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(self.pause, &mut work).await {
                Ok(done) => return done,
                Err(_) => self.tell(),
            }
        }
    }

    fn tell(&self) {
        let now = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if now.files_total == 0 {
            // It looks around still.
            return;
        }
        let share = share(now);
        self.console.progress((share * 100.0) as u8);
        self.console.info(&line(now, share, self.began.elapsed()));
    }
}

/// How much is done, by bytes and by files: with many small files the bytes alone say little.
fn share(now: TransferProgress) -> f64 {
    let part = |done: f64, all: f64| if all > 0.0 { (done / all).min(1.0) } else { 1.0 };
    let bytes = part(now.bytes_done as f64, now.bytes_total as f64);
    f64::midpoint(bytes, part(now.files_done as f64, now.files_total as f64))
}

fn line(now: TransferProgress, share: f64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    let left = if share > 0.0 { seconds / share - seconds } else { 0.0 };
    format!(
        "{} of {} files, {} of {}, {}/s, {left:.0} s left",
        now.files_done,
        now.files_total,
        size(now.bytes_done),
        size(now.bytes_total),
        size((now.bytes_done as f64 / seconds.max(0.001)) as u64)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (5 << 20, "5.0 MiB"),
            (5 << 40, "5.0 TiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    /// What a console has printed.
    #[derive(Clone, Default)]
    struct Printed(std::sync::Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Printed {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn it_is_told_though_nothing_ends() {
        let printed = Printed::default();
        let environment = causeway_agent::Environment::default();
        let console = Console::new(&environment, Box::new(printed.clone()));
        let progress = Progress { pause: Duration::from_millis(40), ..Progress::new(&console) };
        let work = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let mut now = TransferProgress::default();
            (now.files_total, now.bytes_total) = (1, 4 << 30);
            progress.note(now);
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        progress.beside(work).await;
        let text = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
        let lines = text.matches("0 of 1 files, 0 bytes of 4.0 GiB").count();
        assert!((2..=8).contains(&lines), "{text}");
        assert_eq!(text.matches("task.setprogress").count(), lines, "{text}");
    }

    #[test]
    fn the_time_left_follows_from_files_and_bytes() {
        let mut now = TransferProgress::default();
        (now.files_done, now.files_total, now.bytes_done, now.bytes_total) = (1, 4, 3 << 20, 4 << 20);
        let line = line(now, share(now), Duration::from_secs(10));
        assert_eq!(line, "1 of 4 files, 3.0 MiB of 4.0 MiB, 307.2 KiB/s, 10 s left");
    }
}
