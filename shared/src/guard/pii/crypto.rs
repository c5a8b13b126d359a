//! Addresses of wallets: Bitcoin in base58 with its check sum and in bech32 (BIP 173, BIP 350), Ethereum.

use super::Match;
use crate::guard::{byte, run};
use sha2::{Digest, Sha256};

/// An address of any of them.
pub(super) fn find(text: &[u8], at: usize) -> Option<Match> {
    if !matches!(byte(text, at), b'0' | b'1' | b'3' | b'b' | b'B') {
        return None;
    }
    let length = run(text, at, |b| b.is_ascii_alphanumeric());
    let token = text.get(at..at + length)?;
    let found = match byte(text, at) {
        b'1' | b'3' => (26..=35).contains(&length) && is_base58_check(token),
        b'b' | b'B' => (14..=90).contains(&length) && is_bech32(token),
        b'0' => length == 42 && byte(text, at + 1) == b'x' && token.iter().skip(2).all(u8::is_ascii_hexdigit),
        _ => false,
    };
    found.then_some(("crypto_address", at..at + length))
}

const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

fn is_base58_check(token: &[u8]) -> bool {
    let mut bytes = [0u8; 25];
    for c in token {
        let Some(value) = BASE58.iter().position(|digit| digit == c) else { return false };
        let mut carry = value as u32;
        for slot in bytes.iter_mut().rev() {
            carry += u32::from(*slot) * 58;
            *slot = (carry & 0xFF) as u8;
            carry >>= 8;
        }
        if carry > 0 {
            return false;
        }
    }
    let (payload, sum) = bytes.split_at(21);
    Sha256::digest(Sha256::digest(payload)).starts_with(sum)
}

const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn is_bech32(token: &[u8]) -> bool {
    let lower = token.to_ascii_lowercase();
    // One case, or the other.
    if lower != token && token.to_ascii_uppercase() != token {
        return false;
    }
    let Some(data) = lower.strip_prefix(b"bc1") else { return false };
    let step = |sum: u32, value: u32| {
        const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let top = sum >> 25;
        let next = ((sum & 0x01ff_ffff) << 5) ^ value;
        GENERATOR.iter().enumerate().filter(|(i, _)| top >> i & 1 == 1).fold(next, |sum, (_, g)| sum ^ g)
    };
    // The prefix `bc`, expanded.
    let mut sum = [3, 3, 0, 2, 3].into_iter().fold(1, step);
    for c in data {
        let Some(value) = BECH32.iter().position(|digit| digit == c) else { return false };
        sum = step(sum, value as u32);
    }
    sum == 1 || sum == 0x2bc8_30a3
}
