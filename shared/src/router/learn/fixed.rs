//! Arithmetic that is the same on every platform: integers and tables, where a library's `exp` and
//! `ln` may differ in the last bit between a Worker and a function.
//!
//! A *score* is a logit in Q16: 65,536 is one unit of log-odds. A *share* is a probability in parts of
//! 65,536.

/// One, in Q16.
pub const ONE: i32 = 1 << 16;

/// The logistic function in Q16 at 0, ½, 1 … 12. It ends below certainty: nothing here is ever certain.
const SIGMOID: [u16; 25] = [
    32768, 40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65486,
    65486, 65486, 65486, 65486, 65486, 65486, 65486, 65486, 65486,
];

/// The probability a logit stands for: the logistic function, interpolated between halves.
pub fn sigmoid(score: i32) -> i32 {
    let size = score.unsigned_abs() as usize;
    let half = (ONE / 2) as usize;
    let (at, within) = (size / half, (size % half) as i64);
    let last = i64::from(SIGMOID.last().copied().unwrap_or(u16::MAX));
    let value = |at: usize| SIGMOID.get(at).map_or(last, |value| i64::from(*value));
    let share = value(at) + (value(at + 1) - value(at)) * within / half as i64;
    let share = share as i32;
    if score < 0 { ONE - share } else { share }
}

/// Sixteen times the binary logarithm of `1 + count`, rounded down and linear between powers of two.
pub fn lg16(count: u32) -> i32 {
    let value = u64::from(count) + 1;
    let whole = value.ilog2();
    let rest = ((value - (1 << whole)) << 4) >> whole;
    (whole * 16 + rest as u32) as i32
}

/// The binary logarithm in Q16, bit by bit; 0 for 0.
pub fn log2(value: u64) -> i32 {
    let Some(whole) = value.checked_ilog2() else { return 0 };
    // The mantissa as Q31, 1 to 2: squaring it moves the next bit of its logarithm before the point.
    let mut mantissa = if whole > 31 { value >> (whole - 31) } else { value << (31 - whole) };
    let mut fraction = 0;
    for _ in 0..16 {
        mantissa = (mantissa * mantissa) >> 31;
        let bit = mantissa >> 32;
        mantissa >>= bit;
        fraction = (fraction << 1) | bit as i32;
    }
    ((whole as i32) << 16) | fraction
}

/// The natural log-odds of `won` against `lost`, in Q16.
pub fn logit(won: u64, lost: u64) -> i32 {
    // ln 2 in Q16.
    ((i64::from(log2(won)) - i64::from(log2(lost))) * 45_426 / i64::from(ONE)) as i32
}

/// The square root in Q8.
pub fn sqrt_q8(value: u32) -> i64 {
    (u64::from(value) << 16).isqrt() as i64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_logistic_function() {
        for step in -300..300 {
            let score = step * 3_277;
            let exact = 1.0 / (1.0 + (-f64::from(score) / 65_536.0).exp());
            assert!((f64::from(sigmoid(score)) / 65_536.0 - exact).abs() < 0.004, "{score}");
        }
        assert!((-200_000..200_000).step_by(997).all(|score| sigmoid(score) <= sigmoid(score + 997)));
        assert_eq!(sigmoid(i32::MIN) + sigmoid(i32::MAX), ONE);
    }

    #[test]
    fn logarithms_and_roots_are_close_and_monotonic() {
        assert_eq!((lg16(0), lg16(1), lg16(3), lg16(5)), (0, 16, 32, 40));
        assert_eq!((sqrt_q8(0), sqrt_q8(4), sqrt_q8(2)), (0, 512, 362));
        assert!(lg16(u32::MAX) == 512);
        for value in [1_u64, 2, 3, 10, 1_000, 65_537, 1 << 40, u64::MAX] {
            assert!((f64::from(log2(value)) / 65_536.0 - (value as f64).log2()).abs() < 1e-4, "{value}");
        }
        assert!((f64::from(logit(3, 1)) / 65_536.0 - 3_f64.ln()).abs() < 1e-3);
        assert_eq!(logit(5, 5), 0);
    }
}
