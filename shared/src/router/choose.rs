//! Draws that come out the same everywhere: from a number, or from a name.

/// A number made of another one and of what it is for (SplitMix64's finaliser).
pub(super) fn mix(seed: u64, salt: u64) -> u64 {
    let mut z = seed.wrapping_add(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number made of a name (FNV-1a, then mixed: its high bits alone are poor).
pub(super) fn hash(name: &str) -> u64 {
    let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    mix(name.bytes().fold(0xCBF2_9CE4_8422_2325, byte), 0)
}

/// A number as a part of one, below one. 53 bits are all a double holds.
pub(super) fn part(number: u64) -> f64 {
    (number >> 11) as f64 / (1u64 << 53) as f64
}

/// The place on which a draw falls among these weights, none of which is zero; 0 where there are none.
pub(super) fn draw(weights: &[f64], number: u64) -> usize {
    let mut point = part(number) * weights.iter().sum::<f64>();
    let fallen = weights.iter().position(|weight| {
        point -= weight;
        point < 0.0
    });
    fallen.unwrap_or(weights.len().saturating_sub(1))
}
