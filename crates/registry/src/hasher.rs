use sha2::{Digest as _, Sha256, Sha512};

use crate::Digest;

/// Computes digests of one algorithm.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// For comparing with `digest`: the same algorithm.
    pub(crate) fn like(digest: &Digest) -> Self {
        match digest.algorithm() {
            "sha512" => Self::Sha512(Sha512::new()),
            _ => Self::default(),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn digest(self) -> Digest {
        match self {
            Self::Sha256(hasher) => written("sha256", &hasher.finalize()),
            Self::Sha512(hasher) => written("sha512", &hasher.finalize()),
        }
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::Sha256(Sha256::new())
    }
}

/// Whether bytes in memory have a digest.
pub(crate) fn has_digest(bytes: &[u8], digest: &Digest) -> bool {
    let mut hasher = Hasher::like(digest);
    hasher.update(bytes);
    hasher.digest() == *digest
}

/// The SHA-256 of bytes in memory.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.digest()
}

fn written(algorithm: &str, hash: &[u8]) -> Digest {
    let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.map(|half| char::from(b"0123456789abcdef"[usize::from(half)]));
    Digest::of_checked(format!("{algorithm}:{}", digits.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_both_algorithms_are_checked() {
        let sha512 = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        let sha256 = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for text in [sha512, sha256] {
            let digest: Digest = text.parse().unwrap();
            assert!(has_digest(b"abc", &digest));
            assert!(!has_digest(b"abd", &digest));
        }
    }
}
