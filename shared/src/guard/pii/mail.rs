//! Addresses of mail: RFC 5321 as it is used, with domains that have a top level of letters.

use super::Match;
use crate::guard::{byte, run};

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"._%+-'/!#$&*=?^`{|}~".contains(&b) || b >= 0x80
}

/// The address around an `@`; none of it before `done`.
pub(super) fn at_sign(text: &[u8], at: usize, done: usize) -> Option<Match> {
    let head = text.get(done..at)?;
    let mut start = at - head.iter().rev().take(64).take_while(|b| is_local(**b)).count();
    // Signs that may stand in an address but hardly begin one: quotes, a path, `mailto=`.
    while start < at
        && !(byte(text, start).is_ascii_alphanumeric() || byte(text, start) >= 0x80 || byte(text, start) == b'_')
    {
        start += 1;
    }
    // `email=ana@b.org`, `to/ana@b.org`: the last such sign divides.
    if let Some(cut) = text.get(start..at)?.iter().rposition(|b| b"=/|{}`'?&#!$*^".contains(b)) {
        start += cut + 1;
    }
    // In the middle of a character there is no beginning.
    while start < at && byte(text, start) & 0xC0 == 0x80 {
        start += 1;
    }
    if start == at || byte(text, at.wrapping_sub(1)) == b'.' {
        return None;
    }
    let letter = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80;
    let domain = run(text, at + 1, |b| letter(b) || b == b'-' || b == b'.').min(255);
    let mut end = at + 1 + domain;
    // A label may be in any script; behind the top level another sentence may begin without a space.
    while end > at + 1 && (b".-".contains(&byte(text, end - 1)) || byte(text, end - 1) >= 0x80) {
        end -= 1;
    }
    let domain = text.get(at + 1..end)?;
    let mut labels = domain.rsplit(|b| *b == b'.');
    let top = labels.next()?;
    let good = |label: &[u8]| !label.is_empty() && label.len() <= 63 && !label.starts_with(b"-");
    let is_top = top.len() >= 2 && (top.iter().all(u8::is_ascii_alphabetic) || top.starts_with(b"xn--"));
    let mut count = 0;
    let all = labels.all(|label| {
        count += 1;
        good(label)
    });
    (is_top && all && count > 0).then_some(("email", start..end))
}
