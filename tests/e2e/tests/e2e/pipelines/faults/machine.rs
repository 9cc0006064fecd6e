//! What goes wrong beside the throw of the dice: on the agent's own machine, its clock, its names.

use std::sync::Mutex;
use std::time::Duration;

use causeway_harness::agent::{Action, Cancel, Job};

use super::disk::Disk;
use crate::company::{AZURE, STS};
use crate::pipelines::Play;

/// What goes wrong, if anything.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Machine {
    /// Only the network does.
    Well,
    /// After so many requests, one is never answered.
    Silent(usize),
    /// A server's name is not known any more.
    NoName(Name),
    /// The work folder's disk has so many bytes left.
    DiskFull(u64),
    /// A signal ends a step, so long after it began.
    Struck(Cancel),
    /// The clocks of AWS and Azure DevOps are so many seconds ahead.
    Clock(i64),
}

/// Whose name is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// All of AWS.
    Aws,
    /// One service, as in `AWS_ENDPOINT_URL_<SERVICE>`.
    Service(&'static str),
    AzureDevOps,
    Registry,
}

/// Whom each pipeline calls by a name that can be lost, beside all of AWS.
const NAMES: [(&str, &[Name]); 10] = [
    ("01-classic", &[Name::AzureDevOps, Name::Service("SSM"), Name::Service("ECR"), Name::Registry]),
    ("02-first-time", &[Name::AzureDevOps, Name::Service("STS")]),
    ("03-keys-and-role", &[Name::Service("STS")]),
    ("04-accounts", &[Name::AzureDevOps, Name::Service("SSM"), Name::Service("STS")]),
    ("05-terraform", &[Name::AzureDevOps, Name::Service("S3")]),
    ("06-deploy-tools", &[Name::AzureDevOps, Name::Service("S3"), Name::Service("SSM")]),
    ("07-artifacts", &[Name::AzureDevOps, Name::Service("S3")]),
    ("08-self-hosted", &[Name::AzureDevOps, Name::Registry]),
    ("09-release", &[Name::AzureDevOps, Name::Service("SECRETS_MANAGER"), Name::Service("S3")]),
    (
        "10-migration",
        &[Name::Service("SSM"), Name::Service("SECRETS_MANAGER"), Name::Service("S3"), Name::Registry],
    ),
];

/// The pipelines with two jobs of the task; the others have one.
const TWO_JOBS: [&str; 4] = ["02-first-time", "04-accounts", "05-terraform", "07-artifacts"];

impl Machine {
    /// In turn, so that so many seeds one after the other meet each kind; the rest is chance.
    pub(super) const TURNS: u64 = 18;

    pub(super) fn choose(turn: u64, play: &Play, random: &mut fastrand::Rng) -> Self {
        // As many short moments as long ones: 3 ms to 1.5 s.
        let moment = Duration::from_secs_f64(0.003 * 500_f64.powf(random.f64()));
        match turn % Self::TURNS {
            0 | 3 | 6 | 9 | 12 | 15 => Self::Well,
            1 => Self::Silent(random.usize(0..10)),
            2 | 10 => {
                let (_, names) = NAMES.iter().find(|(file, _)| *file == play.file).expect("a pipeline");
                let at = random.usize(0..=names.len());
                Self::NoName(names.get(at).copied().unwrap_or(Name::Aws))
            }
            4 | 13 => Self::DiskFull(random.u64(0..60) << 12),
            5 | 11 | 17 => Self::Struck(Cancel::Killed(moment)),
            7 => Self::Struck(Cancel::After(moment)),
            8 => Self::Struck(Cancel::Terminated(moment)),
            14 => Self::Clock(600),
            _ => Self::Clock(-600),
        }
    }

    /// The share of requests that meet a mishap besides.
    pub(super) fn share(&self, random: &mut fastrand::Rng) -> f64 {
        if *self == Self::Well { 0.05 + random.f64() * 0.35 } else { random.f64() * 0.1 }
    }

    pub(super) fn begin(&self, play: &mut Play, random: &mut fastrand::Rng) -> Held {
        let mut held = Held::default();
        match self {
            Self::Silent(requests) => match &play.registry {
                Some(registry) if random.bool() => registry.front.silence_after(*requests),
                _ => play.chaos.silence_after(*requests),
            },
            Self::NoName(name) => held.names = lose(play, *name),
            Self::DiskFull(free) => held.disk = Disk::mount(play, *free),
            Self::Clock(seconds) => {
                play.world.gateway.shift_clock(*seconds);
                play.world.azure_devops.change(|organization| organization.clock = *seconds);
            }
            Self::Struck(cancel) => {
                let jobs = if TWO_JOBS.contains(&play.file) { 2 } else { 1 };
                *held.strike.get_mut().unwrap() = Some(Strike {
                    cancel: cancel.clone(),
                    job: random.usize(0..jobs),
                    step: random.usize(..),
                });
            }
            Self::Well => {}
        }
        held
    }
}

/// A blow that is still to come.
struct Strike {
    cancel: Cancel,
    /// So many jobs of the task come before the one that is hit.
    job: usize,
    /// Which of its steps, modulo their number.
    step: usize,
}

/// What lasts as long as the faulted run.
#[derive(Default)]
pub(super) struct Held {
    strike: Mutex<Option<Strike>>,
    disk: Option<Disk>,
    names: Lost,
}

impl Held {
    /// Strikes a step if it is this job's turn, and fills the disk.
    pub(super) fn strike(&self, job: &mut Job) {
        let mut tasks: Vec<_> =
            job.steps.iter_mut().filter(|step| matches!(step.action, Action::Task { .. })).collect();
        let mut strike = self.strike.lock().unwrap();
        if let Some(blow) = strike.as_mut().filter(|_| !tasks.is_empty()) {
            if blow.job > 0 {
                blow.job -= 1;
            } else if let Some(Strike { cancel, step, .. }) = strike.take() {
                let at = step % tasks.len();
                tasks[at].cancel = Some(cancel);
            }
        }
        if let Some(disk) = &self.disk {
            disk.fill();
        }
    }

    /// Whether what was chosen was also done; a step that has ended before its blow was not struck.
    pub(super) fn was_possible(&self, machine: &Machine) -> bool {
        !matches!(machine, Machine::DiskFull(_)) || self.disk.is_some()
    }

    pub(super) fn end(&self, play: &mut Play) {
        self.names.give_back(play);
        if let Some(disk) = &self.disk {
            disk.empty();
        }
    }
}

/// What is to be put back.
#[derive(Default)]
struct Lost {
    variables: usize,
    azure: Option<String>,
}

fn lose(play: &mut Play, name: Name) -> Lost {
    let mut lost = Lost::default();
    // Where there is a company's proxy, it is the one that knows the names.
    let proxy = play.proxy.as_ref();
    match (name, proxy) {
        (Name::Aws | Name::Service(_), Some(proxy)) => proxy.lose(Some(STS)),
        (Name::AzureDevOps, Some(proxy)) => proxy.lose(Some(AZURE)),
        (Name::Registry, Some(proxy)) => proxy.lose(Some("amazonaws.com")),
        (Name::Registry, None) => {
            play.registry.as_ref().expect("a registry").proxy().lose(Some("amazonaws.com"));
        }
        (Name::AzureDevOps, None) => {
            lost.azure = Some(play.world.azure_devops.reached_at());
            play.world.azure_devops.reach_at("https://azure.causeway.invalid");
        }
        (Name::Aws, None) => lost.point(play, "AWS_ENDPOINT_URL"),
        (Name::Service(service), None) => lost.point(play, &format!("AWS_ENDPOINT_URL_{service}")),
    }
    lost
}

impl Lost {
    fn point(&mut self, play: &mut Play, variable: &str) {
        self.variables += 1;
        play.world.agent.machine.push((variable.to_owned(), "https://aws.causeway.invalid".to_owned()));
    }

    fn give_back(&self, play: &mut Play) {
        for _ in 0..self.variables {
            play.world.agent.machine.pop();
        }
        if let Some(url) = &self.azure {
            play.world.azure_devops.reach_at(url);
        }
        let registry = play.registry.as_ref().map(|registry| registry.proxy());
        play.proxy.iter().chain(registry).for_each(|proxy| proxy.lose(None));
    }
}
