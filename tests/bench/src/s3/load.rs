use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::client::Way;

/// Files or objects, all of one size.
pub(super) struct Load {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) way: Way,
    pub(super) count: u64,
    pub(super) bytes: u64,
}

pub(super) const LOADS: [Load; 5] = [
    Load { name: "small", title: "upload 10,000 × 4 KiB", way: Way::Up, count: 10_000, bytes: 4 << 10 },
    Load { name: "medium", title: "upload 1,000 × 1 MiB", way: Way::Up, count: 1000, bytes: 1 << 20 },
    Load { name: "large", title: "upload 4 GiB", way: Way::Up, count: 1, bytes: 4 << 30 },
    Load { name: "large-down", title: "download 4 GiB", way: Way::Down, count: 1, bytes: 4 << 30 },
    Load {
        name: "medium-down",
        title: "download 1,000 × 1 MiB",
        way: Way::Down,
        count: 1000,
        bytes: 1 << 20,
    },
];

impl Load {
    /// As the sink's option wants it.
    pub(super) fn objects(&self) -> String {
        format!("{}x{}", self.count, self.bytes)
    }

    /// Writes the files of an upload.
    pub(super) fn make(&self, folder: &Path) -> PathBuf {
        let source = folder.join(self.name);
        std::fs::create_dir_all(&source).expect("the load");
        if self.way == Way::Up {
            make_files(&source, self.count, self.bytes);
        }
        source
    }

    /// That a download brought everything.
    pub(super) fn check(&self, target: &Path) {
        let sizes: Vec<u64> = std::fs::read_dir(target)
            .expect("the target")
            .map(|entry| entry.and_then(|entry| entry.metadata()).expect("a file"))
            .filter(std::fs::Metadata::is_file)
            .map(|metadata| metadata.len())
            .collect();
        assert_eq!(sizes.len() as u64, self.count, "files are missing");
        assert!(sizes.iter().all(|size| *size == self.bytes), "a file has another size");
    }
}

/// Files no two of which are alike, in folders of a thousand.
pub(super) fn make_files(folder: &Path, count: u64, bytes: u64) {
    let mut random = fastrand::Rng::with_seed(11);
    let block: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take((1 << 20) + 4096).collect();
    for index in 0..count {
        let below = folder.join(format!("folder-{:03}", index / 1000));
        std::fs::create_dir_all(&below).expect("a folder");
        let mut file = File::create(below.join(format!("file-{index:06}.bin"))).expect("a file");
        let mut left = bytes;
        while left > 0 {
            let from = random.usize(..4096);
            let size = usize::try_from(left.min(1 << 20)).unwrap();
            file.write_all(&block[from..from + size]).expect("a file");
            left -= size as u64;
        }
    }
}
