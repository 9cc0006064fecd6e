use std::fmt;

use crate::content::CHECKSUM;

/// One slice of a job that runs several times at once, each with its part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    position: u32,
    total: u32,
}

/// There is no such slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no slice {position} of {total}")]
pub struct InvalidShard {
    position: u32,
    total: u32,
}

/// Identifies a set of names and sizes: slices that print the same one have seen the same set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fingerprint(u64);

impl Shard {
    /// Slice `position` of `total`, counted from 1.
    pub fn new(position: u32, total: u32) -> Result<Self, InvalidShard> {
        if (1..=total).contains(&position) {
            Ok(Self { position, total })
        } else {
            Err(InvalidShard { position, total })
        }
    }

    /// Counted from 1.
    #[must_use]
    pub fn position(self) -> u32 {
        self.position
    }

    /// How many slices there are.
    #[must_use]
    pub fn total(self) -> u32 {
        self.total
    }

    /// Whether it is the one that does what must be done once.
    #[must_use]
    pub fn is_last(self) -> bool {
        self.position == self.total
    }

    /// Whether the file of this name belongs to this slice.
    ///
    /// That depends on the name and the number of slices alone: agents whose folders differ still agree on
    /// every file that they share, so none is left to nobody. Sizes therefore cannot be dealt out; they are
    /// even on average, the more so the more files there are.
    pub(crate) fn owns(self, name: &str) -> bool {
        hash(name) % u64::from(self.total) == u64::from(self.position - 1)
    }
}

impl Fingerprint {
    pub(crate) fn add(&mut self, name: &str, bytes: u64) {
        // Independent of the order, so that a listing and a walk of the same set agree.
        self.0 = self.0.wrapping_add(mix(hash(name) ^ mix(bytes)));
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// The same on every machine and in every version.
fn hash(name: &str) -> u64 {
    mix(crc_fast::checksum(CHECKSUM, name.as_bytes()))
}

/// The finalizer of `SplitMix64`: a checksum's bits are not spread evenly enough on their own.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files and bytes of each slice.
    fn slices(files: &[(String, u64)], total: u32) -> Vec<(usize, u64)> {
        let mut seen = vec![0; files.len()];
        let loads = (1..=total)
            .map(|position| {
                let shard = Shard::new(position, total).unwrap();
                let mine = files.iter().enumerate().filter(|(_, (name, _))| shard.owns(name));
                mine.fold((0, 0), |(count, load), (index, (_, bytes))| {
                    seen[index] += 1;
                    (count + 1, load + bytes)
                })
            })
            .collect();
        assert!(seen.iter().all(|count| *count == 1), "each file belongs to one slice");
        loads
    }

    /// 10,000 files as a web site with media has them: most of some KiB, one in a hundred of 1 to 64 MiB.
    fn mixed() -> Vec<(String, u64)> {
        let size = |index: u64| {
            let spread = mix(index.wrapping_mul(7919));
            if index.is_multiple_of(100) { (1 << 20) + spread % (63 << 20) } else { spread % (64 << 10) }
        };
        (0..10_000).map(|index| (format!("dir{}/file{index}.js", index % 97), size(index))).collect()
    }

    #[test]
    fn files_of_mixed_sizes_are_spread_evenly_on_average() {
        let files = mixed();
        let all: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        for (total, most_files, most_bytes) in
            [(1, 1.0, 1.0), (2, 1.05, 1.15), (3, 1.05, 1.25), (8, 1.1, 1.6)]
        {
            let loads = slices(&files, total);
            let files =
                loads.iter().map(|(count, _)| *count).max().unwrap() as f64 * f64::from(total) / 10_000.0;
            let bytes =
                loads.iter().map(|(_, load)| *load).max().unwrap() as f64 * f64::from(total) / all as f64;
            println!("{total} slices: the largest has {files:.3} of its share of files, {bytes:.3} of bytes");
            assert!(files <= most_files && bytes <= most_bytes, "{total}: {files} {bytes}");
        }
    }

    #[test]
    fn a_slice_is_the_same_in_every_version() {
        // Agents of one job may run different ones for a moment, and nobody's file may be nobody's.
        let owners: Vec<u32> = ["a", "b", "dir/c.js", "ü", ""]
            .into_iter()
            .map(|name| (1..=5).find(|position| Shard::new(*position, 5).unwrap().owns(name)).unwrap())
            .collect();
        assert_eq!(owners, [4, 2, 4, 3, 1]);
    }

    #[test]
    fn wrong_positions() {
        for (position, total) in [(0, 1), (2, 1), (0, 0), (1, 0)] {
            assert!(Shard::new(position, total).is_err(), "{position} of {total}");
        }
    }

    #[test]
    fn fingerprints_tell_sets_apart_and_not_orders() {
        let of = |files: &[(&str, u64)]| {
            let mut fingerprint = Fingerprint::default();
            files.iter().for_each(|(name, bytes)| fingerprint.add(name, *bytes));
            fingerprint
        };
        assert_eq!(of(&[("a", 1), ("b", 2)]), of(&[("b", 2), ("a", 1)]));
        assert_ne!(of(&[("a", 1), ("b", 2)]), of(&[("a", 2), ("b", 1)]));
    }
}
