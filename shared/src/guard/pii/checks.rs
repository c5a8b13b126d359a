//! Check digits, as their standards and countries define them. Each takes letters and digits, in upper
//! case and without signs, of a length its shape has made sure of.

mod europe;
mod world;

pub(super) use europe::*;
pub(super) use world::*;

/// The value of a digit; 0 for what is none.
pub(super) fn value(b: u8) -> u32 {
    char::from(b).to_digit(10).unwrap_or(0)
}

/// The number some digits spell.
pub(super) fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, b| sum.wrapping_mul(10).wrapping_add(u64::from(value(*b))))
}

/// The digits, each times its weight, added up.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(b, weight)| value(*b) * weight).sum()
}

/// The digit at a place.
pub(super) fn digit(digits: &[u8], at: usize) -> u32 {
    digits.get(at).map_or(0, |b| value(*b))
}

/// Digits between two places as a number.
pub(super) fn part(digits: &[u8], from: usize, to: usize) -> u64 {
    number(digits.get(from..to).unwrap_or_default())
}

/// Luhn's digit (ISO/IEC 7812-1, annex B), over values.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (u32::from(*digit), at % 2) {
            (digit, 0) => digit,
            (digit, _) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Luhn's digit, over text.
pub(super) fn luhn_text(text: &[u8]) -> bool {
    luhn(&text.iter().map(|b| value(*b) as u8).collect::<Vec<_>>())
}

/// ISO 7064 modulo 97-10, as accounts use it: the first four go last, letters are two digits.
pub(super) fn mod97(text: &[u8]) -> bool {
    let (head, rest) = text.split_at(text.len().min(4));
    let step = |sum: u32, b: &u8| match char::from(*b).to_digit(36) {
        Some(value @ 0..=9) => (sum * 10 + value) % 97,
        Some(value) => (sum * 100 + value) % 97,
        None => sum,
    };
    rest.iter().chain(head).fold(0, step) == 1
}

/// ISO 7064 modulo 11, 10: the German tax number, the Croatian one.
pub(super) fn mod11_10(text: &[u8]) -> bool {
    let (last, head) = text.split_last().unwrap_or((&b'0', &[]));
    let carry = head.iter().fold(10, |carry, b| {
        let sum = (value(*b) + carry) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - carry) % 10 == value(*last)
}

/// Verhoeff's digit, which finds every exchange of two neighbours: Aadhaar.
pub(super) fn verhoeff(text: &[u8]) -> bool {
    const INVERSE_STEP: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // The dihedral group of ten elements: rotations 0 to 4, reflections 5 to 9.
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - b) % 5,
        (false, false) => (a + 10 - b) % 5,
    };
    let permuted = |mut value: u32, times: usize| {
        for _ in 0..times % 8 {
            value = INVERSE_STEP.get(value as usize).copied().unwrap_or(0);
        }
        value
    };
    text.iter().rev().enumerate().fold(0, |sum, (at, b)| times(sum, permuted(value(*b), at))) == 0
}

/// Whether day and month can be those of a date.
pub(super) fn is_day(month: u64, day: u64) -> bool {
    let longest = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=longest).contains(&day)
}

/// Whether all digits are the same: nobody's number.
pub(super) fn is_one_digit(text: &[u8]) -> bool {
    text.windows(2).all(|pair| pair.first() == pair.last())
}

/// Anything of the shape.
pub(super) fn any(_: &[u8]) -> bool {
    true
}
