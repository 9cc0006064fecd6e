use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::{CrcAlgorithm, Digest, checksum_combine};
use http::HeaderMap;

/// The checksums that S3 keeps of whole objects and that can be put together from those of their pieces.
const KINDS: [(&str, CrcAlgorithm); 3] = [
    ("x-amz-checksum-crc64nvme", CrcAlgorithm::Crc64Nvme),
    ("x-amz-checksum-crc32c", CrcAlgorithm::Crc32Iscsi),
    ("x-amz-checksum-crc32", CrcAlgorithm::Crc32IsoHdlc),
];

/// As digests are written: in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    text
}

/// Adds bytes to a text as digests are written.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// A checksum that S3 knows of a whole object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Known {
    pub(crate) algorithm: CrcAlgorithm,
    pub(crate) value: u64,
}

/// A checksum that is being made.
pub(crate) struct Checksum(Digest);

impl Known {
    /// Of an answer to a request with `x-amz-checksum-mode: ENABLED`. Checksums of checksums (`COMPOSITE`,
    /// written `…-3`) say nothing about the content as a whole.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if text("x-amz-checksum-type") == Some("COMPOSITE") {
            return None;
        }
        KINDS.iter().find_map(|(name, algorithm)| {
            let bytes = BASE64.decode(text(name)?).ok()?;
            matches!(bytes.len(), 4 | 8).then_some(())?;
            let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
            Some(Self { algorithm: *algorithm, value })
        })
    }

    pub(crate) fn is(&self, algorithm: CrcAlgorithm) -> bool {
        self.algorithm == algorithm
    }

    /// What S3 calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self.algorithm {
            CrcAlgorithm::Crc64Nvme => "CRC64NVME",
            CrcAlgorithm::Crc32Iscsi => "CRC32C",
            _ => "CRC32",
        }
    }
}

impl Checksum {
    pub(crate) fn new(algorithm: CrcAlgorithm) -> Self {
        Self(Digest::new(algorithm))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.finalize()
    }
}

/// The checksum of pieces one behind the other, from each one's checksum and size.
pub(crate) fn combine(algorithm: CrcAlgorithm, pieces: impl IntoIterator<Item = (u64, u64)>) -> u64 {
    let mut pieces = pieces.into_iter();
    let Some((first, _)) = pieces.next() else { return Digest::new(algorithm).finalize() };
    pieces.fold(first, |whole, (checksum, bytes)| checksum_combine(algorithm, whole, checksum, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums_are_those_of_the_check_values() {
        for (name, text) in [
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-crc32c", "4waSgw=="),
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, text.parse().unwrap());
            let known = Known::of(&headers).unwrap();
            let mut checksum = Checksum::new(known.algorithm);
            checksum.update(b"1234");
            checksum.update(b"56789");
            assert_eq!(checksum.value(), known.value, "{}", known.name());
            let of = |piece: &[u8]| (crc_fast::checksum(known.algorithm, piece), piece.len() as u64);
            assert_eq!(combine(known.algorithm, [of(b"1"), of(b"2345"), of(b"6789")]), known.value);
            headers.insert("x-amz-checksum-type", "COMPOSITE".parse().unwrap());
            assert_eq!(Known::of(&headers), None);
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-checksum-crc32", "y/Q5Jg==-2".parse().unwrap());
        assert_eq!(Known::of(&headers), None);
        assert_eq!(combine(CrcAlgorithm::Crc64Nvme, []), 0);
    }
}
