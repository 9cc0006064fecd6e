//! Takes the place of the crate [crc-fast](https://crates.io/crates/crc-fast), which aws-smithy-checksums depends on.
//!
//! That crate carries lookup tables of all 50 CRCs that it knows, 0.57 MiB that hardly compress, six times in the
//! extension, and has no switch to leave them out. S3 knows three of them ("Checking object integrity", Amazon S3 user
//! guide). This has the same interface for those three, over a well-kept library each: all reflected, and all with
//! ones as initial value and final mask, which [`checksum_combine`] builds on.
//!
//! An AWS SDK that asks for more of crc-fast does not compile any more: add what it asks for, or, once crc-fast can leave
//! its tables out, remove this crate and the `[patch.crates-io]` that names it.

mod combine;

use crc32fast::Hasher as Crc32;
use crc64fast_nvme::Digest as Crc64Nvme;

/// A cyclic redundancy check, by its name in the catalogue of parametrised CRC algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// CRC-32/ISCSI, which S3 calls CRC32C.
    Crc32Iscsi,
    /// CRC-32/ISO-HDLC, which S3 calls CRC32.
    Crc32IsoHdlc,
    /// CRC-64/NVME, which S3 calls CRC64NVME.
    Crc64Nvme,
}

/// A checksum that is being made, piece by piece.
#[derive(Clone)]
pub struct Digest(State);

#[derive(Clone)]
enum State {
    Crc32Iscsi(u32),
    Crc32IsoHdlc(Crc32),
    Crc64Nvme(Crc64Nvme),
}

impl Digest {
    /// Of nothing yet.
    #[must_use]
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        Self(match algorithm {
            CrcAlgorithm::Crc32Iscsi => State::Crc32Iscsi(0),
            CrcAlgorithm::Crc32IsoHdlc => State::Crc32IsoHdlc(Crc32::new()),
            CrcAlgorithm::Crc64Nvme => State::Crc64Nvme(Crc64Nvme::new()),
        })
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Crc32Iscsi(checksum) => *checksum = crc32c::crc32c_append(*checksum, bytes),
            State::Crc32IsoHdlc(hasher) => hasher.update(bytes),
            State::Crc64Nvme(digest) => digest.write(bytes),
        }
    }

    /// The checksum of all bytes so far; those of 32 bits stand in the lower half.
    #[must_use]
    pub fn finalize(&self) -> u64 {
        match &self.0 {
            State::Crc32Iscsi(checksum) => u64::from(*checksum),
            State::Crc32IsoHdlc(hasher) => u64::from(hasher.clone().finalize()),
            State::Crc64Nvme(digest) => digest.sum64(),
        }
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Digest({:#x})", self.finalize())
    }
}

/// The checksum of `bytes`.
#[must_use]
pub fn checksum(algorithm: CrcAlgorithm, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(algorithm);
    digest.update(bytes);
    digest.finalize()
}

/// The checksum of two contents one behind the other, from each one's checksum and the second one's size in bytes.
#[must_use]
pub fn checksum_combine(algorithm: CrcAlgorithm, first: u64, second: u64, second_bytes: u64) -> u64 {
    combine::field(algorithm).shift(first, second_bytes) ^ second
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [CrcAlgorithm; 3] =
        [CrcAlgorithm::Crc32Iscsi, CrcAlgorithm::Crc32IsoHdlc, CrcAlgorithm::Crc64Nvme];

    /// Bit by bit, as the catalogue defines it.
    fn slowly(algorithm: CrcAlgorithm, bytes: &[u8]) -> u64 {
        let (polynomial, ones) = match algorithm {
            CrcAlgorithm::Crc32Iscsi => (0x82f6_3b78, u64::from(u32::MAX)),
            CrcAlgorithm::Crc32IsoHdlc => (0xedb8_8320, u64::from(u32::MAX)),
            CrcAlgorithm::Crc64Nvme => (0x9a6c_9329_ac4b_c9b5, u64::MAX),
        };
        let mut state = ones;
        for byte in bytes {
            state ^= u64::from(*byte);
            for _ in 0..8 {
                state = if state & 1 == 1 { state >> 1 ^ polynomial } else { state >> 1 };
            }
        }
        state ^ ones
    }

    fn some_bytes(count: usize) -> Vec<u8> {
        (0..count).map(|at| (at * at / 3 + at / 251) as u8).collect()
    }

    #[test]
    fn checks_are_those_of_the_catalogue() {
        assert_eq!(checksum(CrcAlgorithm::Crc32Iscsi, b"123456789"), 0xe306_9283);
        assert_eq!(checksum(CrcAlgorithm::Crc32IsoHdlc, b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(CrcAlgorithm::Crc64Nvme, b"123456789"), 0xae8b_1486_0a79_9888);
    }

    #[test]
    fn every_length_alignment_and_division_gives_what_the_definition_gives() {
        let bytes = some_bytes(1200);
        for algorithm in ALL {
            for end in (0..700).chain([1023, 1024, 1025, 1200]) {
                let start = end % 17;
                let content = &bytes[start.min(end)..end];
                let expected = slowly(algorithm, content);
                assert_eq!(checksum(algorithm, content), expected, "{algorithm:?} {start}..{end}");
                let (first, second) = content.split_at(content.len() * 2 / 5);
                let mut digest = Digest::new(algorithm);
                digest.update(first);
                digest.update(second);
                assert_eq!(digest.finalize(), expected, "{algorithm:?} {start}..{end} in two");
                let combined = checksum_combine(
                    algorithm,
                    checksum(algorithm, first),
                    checksum(algorithm, second),
                    second.len() as u64,
                );
                assert_eq!(combined, expected, "{algorithm:?} {start}..{end} combined");
            }
        }
    }

    #[test]
    fn what_is_longer_than_memory_is_combined_too() {
        // 5 TiB of zeros behind one byte, as ten steps of half of it each would give.
        for algorithm in ALL {
            let zeros = |bytes: u64| {
                let mib = checksum(algorithm, &vec![0; 1 << 20]);
                let mut whole = 0;
                for _ in 0..bytes >> 20 {
                    whole = checksum_combine(algorithm, whole, mib, 1 << 20);
                }
                whole
            };
            let tib = (0..10).fold((zeros(1 << 30), 1_u64 << 30), |(sum, bytes), _| {
                (checksum_combine(algorithm, sum, sum, bytes), bytes * 2)
            });
            assert_eq!(tib.1, 1 << 40);
            let at_once = checksum_combine(algorithm, checksum(algorithm, b"a"), tib.0, tib.1);
            let (half, bytes) = (0..9).fold((zeros(1 << 30), 1_u64 << 30), |(sum, bytes), _| {
                (checksum_combine(algorithm, sum, sum, bytes), bytes * 2)
            });
            let first = checksum_combine(algorithm, checksum(algorithm, b"a"), half, bytes);
            assert_eq!(checksum_combine(algorithm, first, half, bytes), at_once, "{algorithm:?}");
        }
    }
}
