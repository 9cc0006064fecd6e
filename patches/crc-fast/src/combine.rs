//! Checksums as polynomials over the field of two elements. A reflected CRC's highest bit is the coefficient of x^0.

use crate::CrcAlgorithm;

/// Polynomials modulo that of a CRC.
pub(crate) struct Field {
    /// The CRC's polynomial without its highest term, reflected.
    polynomial: u64,
    /// x^0.
    one: u64,
}

pub(crate) const fn field(algorithm: CrcAlgorithm) -> Field {
    match algorithm {
        CrcAlgorithm::Crc32Iscsi => Field { polynomial: 0x82f6_3b78, one: 1 << 31 },
        CrcAlgorithm::Crc32IsoHdlc => Field { polynomial: 0xedb8_8320, one: 1 << 31 },
        CrcAlgorithm::Crc64Nvme => Field { polynomial: 0x9a6c_9329_ac4b_c9b5, one: 1 << 63 },
    }
}

impl Field {
    /// What `checksum` becomes when `bytes` bytes follow: it times x^(8·bytes).
    pub(crate) fn shift(&self, checksum: u64, mut bytes: u64) -> u64 {
        let mut shifted = checksum;
        let mut power = self.one >> 8;
        while bytes > 0 {
            if bytes & 1 == 1 {
                shifted = self.multiply(shifted, power);
            }
            power = self.multiply(power, power);
            bytes >>= 1;
        }
        shifted
    }

    fn multiply(&self, a: u64, mut b: u64) -> u64 {
        let mut product = 0;
        let mut term = self.one;
        while term > 0 {
            if a & term > 0 {
                product ^= b;
            }
            b = if b & 1 == 1 { b >> 1 ^ self.polynomial } else { b >> 1 };
            term >>= 1;
        }
        product
    }
}
