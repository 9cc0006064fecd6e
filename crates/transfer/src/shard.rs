use std::fmt;

use crate::content::CHECKSUM;

/// Files that make up more than this share of a slice are dealt out by size; the many others by their hash.
const LARGE_SHARE: u64 = 64;

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

    /// For each of these names and sizes whether it belongs to this slice.
    ///
    /// Every slice that sees the same set comes to the same answer, and each name belongs to exactly one. The
    /// few large files are dealt out largest first, each to the slice with the least; small ones go by a hash
    /// of their name, which does not depend on the others.
    pub(crate) fn mine(self, files: &[(&str, u64)]) -> Vec<bool> {
        let all: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        let large = (all / u64::from(self.total) / LARGE_SHARE).max(1).next_power_of_two();
        let mut loads = vec![0_u64; self.total as usize];
        let mut owners = vec![0_usize; files.len()];
        let mut dealt = Vec::new();
        for (index, (name, bytes)) in files.iter().enumerate() {
            if *bytes > large {
                dealt.push(index);
            } else {
                let owner = usize::try_from(hash(name) % u64::from(self.total)).unwrap_or(0);
                owners[index] = owner;
                loads[owner] += bytes;
            }
        }
        dealt.sort_by_key(|index| (std::cmp::Reverse(files[*index].1), hash(files[*index].0)));
        for index in dealt {
            let least = loads.iter().enumerate().min_by_key(|(_, load)| **load).map_or(0, |(slice, _)| slice);
            owners[index] = least;
            loads[least] += files[index].1;
        }
        owners.into_iter().map(|owner| owner + 1 == self.position as usize).collect()
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

    fn slices(files: &[(&str, u64)], total: u32) -> Vec<u64> {
        let mut seen = vec![0; files.len()];
        let loads = (1..=total)
            .map(|position| {
                let mine = Shard::new(position, total).unwrap().mine(files);
                mine.iter().enumerate().filter(|(_, mine)| **mine).fold(0, |load, (index, _)| {
                    seen[index] += 1;
                    load + files[index].1
                })
            })
            .collect();
        assert!(seen.iter().all(|count| *count == 1), "each file belongs to one slice");
        loads
    }

    #[test]
    fn many_small_files_and_a_few_large_ones_are_spread_evenly() {
        let names: Vec<String> = (0..10_000).map(|index| format!("dir/{index}.js")).collect();
        let mut files: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 5000)).collect();
        for (index, bytes) in [90_000_000, 1, 44_000_000, 46_000_000, 0].into_iter().enumerate() {
            files[index].1 = bytes;
        }
        for total in [1, 2, 3] {
            let loads = slices(&files, total);
            let (most, least) = (loads.iter().max().unwrap(), loads.iter().min().unwrap());
            let largest = if total == 3 { 1.9 } else { 1.1 };
            assert!(*most as f64 <= *least as f64 * largest, "{loads:?}");
        }
    }

    #[test]
    fn a_small_file_stays_where_it_is_when_others_come() {
        let files = [("a", 1), ("b", 1), ("c", 1)];
        let more = [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)];
        let shard = Shard::new(1, 2).unwrap();
        assert_eq!(shard.mine(&files), shard.mine(&more)[..3]);
    }

    #[test]
    fn empty_sets_and_wrong_positions() {
        assert!(Shard::new(1, 4).unwrap().mine(&[]).is_empty());
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
