use std::any::Any;
use std::fs;
use std::path::Path;

use causeway_harness::agent::{Job, Outcome};
use causeway_harness::chaos::Chaos;
use causeway_harness::leak::Holder;
use causeway_harness::pipeline::{Pipeline, PipelineRun, Runner, Trigger};
use causeway_harness::proxy::NamingProxy;
use causeway_harness::registry::Registry;
use causeway_harness::world::{World, workspace};

use crate::consumers;

/// A pipeline in its surroundings, and what must have arrived when it succeeds.
pub(crate) struct Play {
    pub(crate) world: World,
    pub(crate) registry: Option<Registry>,
    /// The company's proxy, through which everything goes.
    pub(crate) proxy: Option<NamingProxy>,
    /// The dice of whatever stands on the way already; calm unless a test begins it.
    pub(crate) chaos: Chaos,
    pub(crate) file: &'static str,
    pub(crate) trigger: Trigger,
    /// Lays out the sources, before every run.
    pub(crate) sources: fn(&Play),
    /// Says what is missing.
    pub(crate) arrived: fn(&Play, &PipelineRun) -> Result<(), String>,
    /// Values that the two above share.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Servers that live as long as the play.
    pub(crate) kept: Vec<Box<dyn Any>>,
}

impl Play {
    /// A pipeline without surroundings of its own: the AWS CLI is on `PATH`, and temporary files go where they are searched.
    pub(crate) fn new(mut world: World, file: &'static str) -> Self {
        world.user_key_holder = Holder::Nobody;
        let temporary = world.agent.root().join("tmp");
        fs::create_dir_all(&temporary).unwrap();
        for (name, value) in [
            ("PATH", consumers::path()),
            ("TMPDIR", temporary.display().to_string()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ] {
            world.agent.machine.push((name.to_owned(), value));
        }
        Self {
            world,
            registry: None,
            proxy: None,
            chaos: Chaos::default(),
            file,
            trigger: Trigger::push("main"),
            sources: |_| {},
            arrived: |_, _| Ok(()),
            facts: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// The pipeline's text.
    pub(crate) fn yaml(&self) -> String {
        let path = workspace().join("tests/pipelines").join(format!("{}.yml", self.file));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Runs it, and fails when a secret is found anywhere.
    #[track_caller]
    pub(crate) fn run(&self) -> PipelineRun {
        (self.sources)(self);
        self.world.pipeline(&self.yaml(), &self.trigger)
    }

    /// Runs it with each job changed before it begins; secrets that were found are in the result.
    pub(crate) fn run_with(&self, change: impl Fn(&str, &mut Job)) -> PipelineRun {
        (self.sources)(self);
        let pipeline = Pipeline::parse(&self.yaml()).unwrap();
        Runner { world: &self.world, trigger: self.trigger.clone(), change: Some(Box::new(change)) }
            .run(&pipeline)
    }

    /// Runs it; it must succeed with everything in place.
    #[track_caller]
    pub(crate) fn passes(&self) -> PipelineRun {
        let run = self.run();
        assert_eq!(run.outcome, Outcome::Succeeded, "{}", run.log());
        if let Err(missing) = (self.arrived)(self, &run) {
            panic!("{missing}\n{}", run.log());
        }
        self.assert_clean(&run);
        run
    }

    /// That nothing stays: temporary files, processes.
    #[track_caller]
    pub(crate) fn assert_clean(&self, run: &PipelineRun) {
        let left = self.leftovers(run);
        assert!(left.is_empty(), "{left:#?}\n{}", run.log());
    }

    /// What stays after a run that should not.
    pub(crate) fn leftovers(&self, run: &PipelineRun) -> Vec<String> {
        let mut left: Vec<String> = run.results().flat_map(|job| job.orphans.clone()).collect();
        files_below(&self.world.agent.root().join("tmp"), &mut left);
        files_below(&self.world.agent.temp(), &mut left);
        // The agent takes summaries from where they lie, in its own time.
        left.retain(|file| !file.ends_with(".md"));
        left
    }

    pub(crate) fn fact(&self, name: &str) -> &str {
        &self.facts.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.world.agent.sources().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A file in the sources that a step has written.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.world.agent.sources().join(name)).unwrap_or_default().trim().to_owned()
    }
}

pub(crate) fn files_below(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path.display().to_string());
        }
    }
}

/// A secret that no other world has, so that tests that run side by side do not find each other's.
pub(crate) fn unique(text: &str) -> String {
    format!("{text}{:09}", fastrand::u32(..))
}

/// `Err` with the message unless it holds.
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err(format!($($message)+));
        }
    };
}
pub(crate) use ensure;
