use crate::limits::TransferLimits;

/// How many parts a multipart upload may have (S3 User Guide, "Amazon S3 multipart upload limits").
const MAX_PARTS: u64 = 10_000;
/// The largest part.
const MAX_PART_BYTES: u64 = 5 << 30;
/// The largest object that fits into parts.
pub(crate) const MAX_OBJECT_BYTES: u64 = MAX_PARTS * MAX_PART_BYTES;
const MEBIBYTE: u64 = 1 << 20;

/// A piece of a file: one part of a multipart upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Counted from 1.
    pub(crate) number: i32,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// Divides a file into parts of equal size, the last one smaller, so that 10,000 suffice.
pub(crate) fn divide(bytes: u64, limits: &TransferLimits) -> impl Iterator<Item = Part> + use<> {
    let size = part_bytes(bytes, limits.part_bytes);
    (0..bytes.div_ceil(size)).zip(1..).map(move |(index, number)| {
        let offset = index * size;
        Part { number, offset, bytes: size.min(bytes - offset) }
    })
}

/// The configured size, or where that would make too many parts the next whole MiB that does not.
fn part_bytes(bytes: u64, configured: u64) -> u64 {
    let needed = bytes.div_ceil(MAX_PARTS);
    if needed <= configured {
        configured.max(1)
    } else {
        needed.next_multiple_of(MEBIBYTE).min(MAX_PART_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bytes: u64) -> (usize, u64, u64) {
        let parts: Vec<Part> = divide(bytes, &TransferLimits::default()).collect();
        let mut offset = 0;
        for (part, number) in parts.iter().zip(1..) {
            assert_eq!((part.number, part.offset), (number, offset));
            offset += part.bytes;
        }
        assert_eq!(offset, bytes);
        (parts.len(), parts[0].bytes, parts.last().unwrap().bytes)
    }

    #[test]
    fn parts_cover_the_file_and_never_exceed_ten_thousand() {
        assert_eq!(sizes(40 << 20), (5, 8 << 20, 8 << 20));
        assert_eq!(sizes((40 << 20) + 1), (6, 8 << 20, 1));
        assert_eq!(sizes(MAX_PARTS * (8 << 20)), (10_000, 8 << 20, 8 << 20));
        assert_eq!(sizes(MAX_PARTS * (8 << 20) + 1).1, 9 << 20);
        let (count, first, _) = sizes(5 << 40);
        assert_eq!((count, first), (9_987, 525 << 20));
        assert_eq!(sizes(MAX_OBJECT_BYTES), (10_000, MAX_PART_BYTES, MAX_PART_BYTES));
    }
}
