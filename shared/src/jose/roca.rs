//! RSA keys of chips whose generator was broken (ROCA, CVE-2017-15361): their private half can be computed.
//!
//! Such a modulus is, modulo every small prime, a power of 65537. For a sound one that holds for all these primes
//! together with a chance of about one in 2^27.

const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether a modulus bears the mark.
pub(super) fn is_likely(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let rest = modulus.iter().fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % prime);
        let generator = 65_537 % prime;
        let mut power = 1;
        // The powers come round to 1 in fewer steps than the prime counts.
        (0..*prime).any(|_| {
            let found = power == rest;
            power = power * generator % prime;
            found
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_the_generator_bears_the_mark_and_its_neighbour_does_not() {
        // 65537^4, big-endian: 1 at every power of 2^16 with the binomial coefficients.
        let power = [0, 1, 0, 4, 0, 6, 0, 4, 0, 1];
        assert!(is_likely(&power));
        assert!(!is_likely(&[0, 1, 0, 4, 0, 6, 0, 4, 0, 2]));
    }
}
