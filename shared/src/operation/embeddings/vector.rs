//! A vector in the form the caller asked for: numbers, or their bytes in base64.

/// `numbers`, a JSON array, as OpenAI writes it. `None` where it is no array of numbers.
pub(super) fn write(numbers: &str, base64: bool) -> Option<Vec<u8>> {
    if !base64 {
        // The provider's own digits.
        crate::json::parse::<Vec<f64>>(numbers).ok()?;
        return Some(numbers.as_bytes().to_vec());
    }
    let numbers: Vec<f32> = crate::json::parse(numbers).ok()?;
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut out = Vec::with_capacity(bytes.len() / 3 * 4 + 6);
    out.push(b'"');
    encode(&bytes, &mut out);
    out.push(b'"');
    Some(out)
}

/// Base64 of RFC 4648, section 4, padded.
fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |bits: u32| match (bits & 63) as u8 {
        value @ 0..=25 => b'A' + value,
        value @ 26..=51 => b'a' + (value - 26),
        value @ 52..=61 => b'0' + (value - 52),
        62 => b'+',
        _ => b'/',
    };
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digits = [18, 12, 6, 0].map(|shift| digit(bits >> shift));
        let (said, padding) = digits.split_at(chunk.len() + 1);
        out.extend_from_slice(said);
        out.extend(padding.iter().map(|_| b'='));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_rfc_4648s_test_vectors() {
        for (text, want) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out = Vec::new();
            encode(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want);
        }
    }

    #[test]
    fn a_vector_is_its_little_endian_floats() {
        assert_eq!(write("[1, -2.5]", true).as_deref(), Some(&b"\"AACAPwAAIMA=\""[..]));
        assert_eq!(write("[0.10, 1e-7]", false).as_deref(), Some(&b"[0.10, 1e-7]"[..]));
        for bad in ["null", "[\"x\"]", "{}", "[1"] {
            assert_eq!((write(bad, false), write(bad, true)), (None, None), "{bad}");
        }
    }
}
