//! CRC-32 as Ethernet, gzip and AWS have it: polynomial 0x04C11DB7, reflected.
//!
//! A table of our own: one kilobyte, where a crate brings tables and code for processors a Worker
//! never sees.

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut entries = table.as_mut_slice();
    let mut byte = 0;
    while let Some((entry, rest)) = entries.split_first_mut() {
        let mut remainder = byte;
        let mut bit = 0;
        while bit < 8 {
            remainder = if remainder & 1 == 1 { (remainder >> 1) ^ 0xEDB8_8320 } else { remainder >> 1 };
            bit += 1;
        }
        *entry = remainder;
        byte += 1;
        entries = rest;
    }
    table
}

/// The checksum of these bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        // The check value every catalogue of checksums gives for CRC-32.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!((crc32(b""), crc32(b"a")), (0, 0xE8B7_BE43));
    }
}
