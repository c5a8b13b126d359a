//! From digits to the nearest binary fraction.
//!
//! The standard library does it by a table of ten kilobytes that no compression shrinks, for a speed that nobody waits for here. Nearly every number is one
//! division of 128 bits; the others are divided as whole numbers of any length.

/// Digits that fit in 64 bits, whatever they are; and the largest power of ten that does.
const SHORT: usize = 19;
/// No digits after these can tell which of two fractions is nearer, but for whether there are any.
const LONG: usize = 770;

/// Reads `-12.5e-3`: digits, perhaps a sign before them, a point among them, an exponent behind. What is too large is infinite.
pub(crate) fn float(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.as_bytes() {
        [b'-', unsigned @ ..] => (-1.0, unsigned),
        [b'+', unsigned @ ..] => (1.0, unsigned),
        unsigned => (1.0, unsigned),
    };
    let mut exponent = 0_i64;
    let mut digits = Vec::new();
    let (mut any, mut after_point) = (false, false);
    let mut rest = unsigned.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                exponent -= i64::from(after_point);
                // Zeros before the first digit say nothing.
                if digits.len() < LONG && (*byte != b'0' || !digits.is_empty()) {
                    digits.push(byte - b'0');
                } else if !digits.is_empty() {
                    exponent += 1;
                    if let (Some(last), true) = (digits.last_mut(), *byte != b'0') {
                        *last |= 1;
                    }
                }
            }
            b'.' if !after_point => after_point = true,
            b'e' | b'E' if any => {
                exponent = exponent.saturating_add(power(rest.as_slice())?);
                break;
            }
            _ => return None,
        }
    }
    any.then(|| sign * nearest(&digits, exponent))
}

/// The exponent that is written; of one that is beyond everything only the sign matters.
fn power(digits: &[u8]) -> Option<i64> {
    let (negative, digits) = match digits {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let power = digits.iter().fold(0_i64, |power, digit| (power * 10 + i64::from(digit - b'0')).min(1 << 40));
    Some(if negative { -power } else { power })
}

/// The fraction nearest to `digits` times a power of ten; of two that are equally near the even one.
fn nearest(digits: &[u8], exponent: i64) -> f64 {
    let end = digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
    let exponent = exponent.saturating_add((digits.len() - end) as i64);
    let digits = digits.get(..end).unwrap_or_default();
    let magnitude = exponent.saturating_add(end as i64);
    if digits.is_empty() || magnitude < -330 {
        return 0.0;
    }
    if magnitude > 310 {
        return f64::INFINITY;
    }
    if end <= SHORT && exponent.unsigned_abs() <= SHORT as u64 {
        return short(digits.iter().fold(0, |whole, digit| whole * 10 + u64::from(*digit)), exponent);
    }
    long(digits, exponent)
}

/// Neither the product nor the quotient loses a bit that rounding looks at: what remains is told by the last one.
fn short(whole: u64, exponent: i64) -> f64 {
    let power = 10_u128.pow(exponent.unsigned_abs() as u32);
    if exponent >= 0 {
        return (u128::from(whole) * power) as f64;
    }
    let shift = 64 + whole.leading_zeros();
    let scaled = u128::from(whole) << shift;
    let quotient = (scaled / power) | u128::from(!scaled.is_multiple_of(power));
    quotient as f64 / (1_u128 << shift) as f64
}

fn long(digits: &[u8], exponent: i64) -> f64 {
    let mut above = Natural::default();
    digits.iter().for_each(|digit| above.times_and(10, u32::from(*digit)));
    let mut below = Natural(vec![1]);
    let scaled = if exponent < 0 { &mut below } else { &mut above };
    (0..exponent.unsigned_abs()).for_each(|_| scaled.times_and(10, 0));
    // Both of one length, then 64 bits of the quotient; it is between a half and two.
    let shift = above.bits() - below.bits();
    let shifted = if shift < 0 { &mut above } else { &mut below };
    shifted.shift(shift.unsigned_abs());
    let (mut quotient, mut power) = (0_u64, shift + 1);
    while quotient >> 63 == 0 {
        quotient <<= 1;
        quotient |= u64::from(above.take(&below));
        above.shift(1);
        power -= 1;
    }
    rounded(quotient, !above.is_zero(), power)
}

/// The fraction nearest to `quotient`, whose first bit is set, and perhaps a little `more`, times a power of two.
fn rounded(quotient: u64, more: bool, power: i64) -> f64 {
    // What is too small for a first bit of its own has the smallest exponent.
    let exponent = (power + 63).max(-1022);
    let spare = 11 + (exponent - power - 63);
    if spare > 64 {
        return 0.0;
    }
    let quotient = u128::from(quotient);
    let (kept, half) = (quotient >> spare, 1_u128 << (spare - 1));
    let lost = quotient & ((half << 1) - 1);
    let up = lost > half || lost == half && (more || kept & 1 == 1);
    // The first bit is told by the exponent, which it raises from none to the smallest; so does a carry.
    let bits = (((exponent + 1022) as u64) << 52) + kept as u64 + u64::from(up);
    f64::from_bits(bits.min(f64::INFINITY.to_bits()))
}

/// A whole number of any length, its smallest 32 bits first.
#[derive(Default)]
struct Natural(Vec<u32>);

impl Natural {
    fn times_and(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift(&mut self, bits: u64) {
        for _ in 0..bits / 32 {
            self.0.insert(0, 0);
        }
        (0..bits % 32).for_each(|_| self.times_and(2, 0));
    }

    fn bits(&self) -> i64 {
        self.0.last().map_or(0, |limb| self.0.len() as i64 * 32 - i64::from(limb.leading_zeros()))
    }

    fn is_zero(&self) -> bool {
        self.0.iter().all(|limb| *limb == 0)
    }

    /// Takes another away, where it is not larger.
    fn take(&mut self, other: &Natural) -> bool {
        let limb = |natural: &Natural, at: usize| natural.0.get(at).copied().unwrap_or(0);
        let length = self.0.len().max(other.0.len());
        let order = (0..length).rev().map(|at| limb(self, at).cmp(&limb(other, at))).find(|order| order.is_ne());
        if order.is_some_and(|order| order.is_lt()) {
            return false;
        }
        let mut borrow = 0_i64;
        for (at, limb_of) in self.0.iter_mut().enumerate() {
            borrow += i64::from(*limb_of) - i64::from(limb(other, at));
            *limb_of = borrow as u32;
            borrow >>= 32;
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(text: &str) {
        let (read, standard) = (float(text).unwrap(), text.parse::<f64>().unwrap());
        assert_eq!(read.to_bits(), standard.to_bits(), "{text}: {read:e}, not {standard:e}");
    }

    #[test]
    fn the_nearest_fraction_is_found_where_it_is_hard_to_tell() {
        for text in [
            "0",
            "-0.0",
            "1",
            "0.1",
            "+.5",
            "5.",
            "007.50",
            "123456789012345678",
            "18446744073709551615",
            "9007199254740993",
            "9007199254740992.99999999999999999999",
            "1e22",
            "1e23",
            "8.5e19",
            "1e-19",
            "1e-20",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "-1e999",
            "1e-999",
            "1e99999999999999999999",
            "0e99999999999999999999",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "2.225073858507201136057409796709131975934819546351645648023426109724822222021076945516529e-308",
            "6929495644600919.5",
            "3.518437208883201171875e13",
            "0.3e-322",
            "-0.31725305318832397",
            "1e-330",
            "7e-325",
        ] {
            same(text);
        }
        // Half way between two, and a little more far behind.
        for zeros in [0, 700, 800, 2_000] {
            same(&format!("9007199254740993.{}1", "0".repeat(zeros)));
            same(&format!("0.{}9007199254740993{}1e400", "0".repeat(zeros), "0".repeat(900)));
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", "-", ".", "e5", "1e", "1e+", "1.2.3", "1_0", " 1", "1 ", "inf", "nan", "0x10", "--1", "1e5.0",
            "\u{661}",
        ] {
            assert_eq!(float(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_fraction_is_read_as_the_standard_library_reads_it(bits: u64) {
            let value = f64::from_bits(bits & !(1 << 63));
            if value.is_finite() {
                same(&format!("{value:e}"));
                same(&format!("{value}"));
                // Its exact half way to the next one.
                same(&format!("{value:.800}"));
            }
        }

        #[test]
        fn every_text_is_read_as_the_standard_library_reads_it(text in "[+-]?[0-9]{1,40}(\\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?") {
            same(&text);
        }
    }
}
