//! Addresses of machines: IPv4 and IPv6 as the standard library reads them, MAC as IEEE 802 writes them.

use super::Match;
use super::context::near;
use crate::guard::{before, byte, within};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Four octets with dots.
pub(super) fn ipv4(text: &[u8], at: usize) -> Option<Match> {
    let length = within(text, at, 32, |b| b.is_ascii_digit() || b == b'.');
    if length < "0.0.0.0".len() || matches!(before(text, at), b'.' | b'-') {
        return None;
    }
    let mut end = at + length;
    while end > at && byte(text, end - 1) == b'.' {
        end -= 1;
    }
    let token = str::from_utf8(text.get(at..end)?).ok()?;
    let is_whole = !byte(text, end).is_ascii_alphanumeric() && byte(text, end) != b'-';
    let address = token.parse::<Ipv4Addr>().ok().filter(|_| is_whole)?;
    // A version number of four parts is none.
    let is_version = address.octets().first() == Some(&0) && !address.is_unspecified();
    (!is_version && !near(text, &(at..end), "version|ver|release|v")).then_some(("ip_address", at..end))
}

/// Eight groups, or fewer with a gap; with an IPv4 address in the end, or a zone.
pub(super) fn ipv6(text: &[u8], at: usize) -> Option<Match> {
    // A group of at most four, and a colon.
    let group = within(text, at, 5, |b| b.is_ascii_hexdigit());
    if before(text, at) == b':' || byte(text, at + group) != b':' {
        return None;
    }
    let good = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
    let length = within(text, at, 46, good);
    let mut end = at + length;
    while end > at
        && (byte(text, end - 1) == b'.' || (byte(text, end - 1) == b':' && byte(text, end.wrapping_sub(2)) != b':'))
    {
        end -= 1;
    }
    let token = text.get(at..end)?;
    let colons = token.iter().filter(|b| **b == b':').count();
    if !(2..=8).contains(&colons) || length > 45 || byte(text, end).is_ascii_alphanumeric() {
        return None;
    }
    str::from_utf8(token).ok()?.parse::<Ipv6Addr>().ok().filter(|address| !address.is_unspecified())?;
    // `abc::def` is a path in several languages of programming.
    token.iter().any(u8::is_ascii_digit).then_some(("ip_address", at..end))
}

/// Six pairs with one kind of sign between, or three groups of four with dots.
pub(super) fn mac(text: &[u8], at: usize) -> Option<Match> {
    if !b":-".contains(&byte(text, at + 2)) && byte(text, at + 4) != b'.' {
        return None;
    }
    let length = within(text, at, 18, |b| b.is_ascii_hexdigit() || b":-.".contains(&b));
    let token = text.get(at..at + length)?;
    let shape = |groups: usize, size: usize, sign: u8| {
        let parts: Vec<&[u8]> = token.split(|b| *b == sign).collect();
        let last =
            parts.len() == groups || (parts.len() == groups + 1 && parts.last().is_some_and(|part| part.is_empty()));
        last && parts.iter().take(groups).all(|part| part.len() == size && part.iter().all(u8::is_ascii_hexdigit))
    };
    let end = if shape(6, 2, b':') || shape(6, 2, b'-') {
        at + 17
    } else if shape(3, 4, b'.') {
        at + 14
    } else {
        return None;
    };
    let token = text.get(at..end)?;
    let same = |c: u8| token.iter().filter(|b| b.is_ascii_hexdigit()).all(|b| b.eq_ignore_ascii_case(&c));
    let nobodys = same(b'f') || same(b'0');
    let is_whole = !byte(text, end).is_ascii_alphanumeric() && !b":-".contains(&byte(text, end));
    // Twelve digits in pairs can be anything; a letter, or the word, tells.
    let telling = token.iter().any(u8::is_ascii_alphabetic) || near(text, &(at..end), "mac|ethernet|hardware|physical");
    (!nobodys && is_whole && telling).then_some(("mac_address", at..end))
}
