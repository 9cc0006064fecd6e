use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::Options;
use crate::objects::MadeUp;

/// A multipart upload that is not complete: its key, and its parts by number.
pub(crate) type OpenUpload = (String, BTreeMap<u32, Stored>);

/// What was put, and what happened.
pub(crate) struct State {
    pub(crate) latency_ms: u64,
    pub(crate) slow_down: f64,
    pub(crate) reset: f64,
    pub(crate) verify: bool,
    pub(crate) made_up: Option<std::sync::Arc<MadeUp>>,
    pub(crate) objects: Mutex<BTreeMap<String, Stored>>,
    /// Multipart uploads under way: their key and parts.
    pub(crate) uploads: Mutex<BTreeMap<String, OpenUpload>>,
    pub(crate) counts: Counts,
}

/// What is kept of an object or part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) bytes: u64,
    /// CRC-64/NVME, where it was verified.
    pub(crate) checksum: u64,
}

#[derive(Default)]
pub(crate) struct Counts {
    requests: AtomicU64,
    connections: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    slow_downs: AtomicU64,
    resets: AtomicU64,
    wrong_checksums: AtomicU64,
    under_way: AtomicU64,
    most_under_way: AtomicU64,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            latency_ms: options.latency_ms,
            slow_down: options.slow_down,
            reset: options.reset,
            verify: options.verify,
            made_up: options.objects.as_deref().map(MadeUp::parse),
            objects: Mutex::default(),
            uploads: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// The counts, as one line of JSON.
    pub(crate) fn describe(&self) -> String {
        let objects = self.objects.lock().unwrap().len();
        self.counts.describe(objects, self.uploads.lock().unwrap().len())
    }

    /// One object a line: size, checksum, key.
    pub(crate) fn describe_objects(&self) -> String {
        let objects = self.objects.lock().unwrap();
        let line =
            |(key, stored): (&String, &Stored)| format!("{} {:016x} {key}\n", stored.bytes, stored.checksum);
        objects.iter().map(line).collect()
    }
}

impl Counts {
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(crate) fn begin(&self) {
        self.requests.fetch_add(1, Relaxed);
        let now = self.under_way.fetch_add(1, Relaxed) + 1;
        self.most_under_way.fetch_max(now, Relaxed);
    }

    pub(crate) fn end(&self) {
        self.under_way.fetch_sub(1, Relaxed);
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.bytes_in.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn slowed_down(&self) {
        self.slow_downs.fetch_add(1, Relaxed);
    }

    pub(crate) fn cut(&self) {
        self.resets.fetch_add(1, Relaxed);
    }

    pub(crate) fn wrong_checksum(&self) {
        self.wrong_checksums.fetch_add(1, Relaxed);
    }

    fn describe(&self, objects: usize, open_uploads: usize) -> String {
        let get = |count: &AtomicU64| count.load(Relaxed);
        format!(
            "{{\"requests\":{},\"connections\":{},\"bytesIn\":{},\"bytesOut\":{},\"slowDowns\":{},\"resets\":{},\"wrongChecksums\":{},\"mostUnderWay\":{},\"objects\":{objects},\"openUploads\":{open_uploads}}}\n",
            get(&self.requests),
            get(&self.connections),
            get(&self.bytes_in),
            get(&self.bytes_out),
            get(&self.slow_downs),
            get(&self.resets),
            get(&self.wrong_checksums),
            get(&self.most_under_way),
        )
    }
}
