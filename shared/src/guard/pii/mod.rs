//! Personal data: what can be told from its form and its check digits in a millisecond.
//!
//! A look at each place where a word begins, and the recognizers for what could begin there: addresses of
//! mail, machines and wallets each in a room, numbers on cards and accounts, the identity numbers of some
//! forty countries as a table of shapes with their checks (`table`), telephone numbers by how they are
//! written (`phone`). Where a form says little (nine bare digits), the words around decide (`context`).

mod checks;
mod context;
mod crypto;
mod date;
mod ids;
mod mail;
mod net;
mod numbers;
mod phone;
mod shape;
mod table;

use super::plain::Plain;
use super::{Found, before, byte, run, within};
use std::ops::Range;

/// Which classes are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    #[default]
    All,
    /// These. Names of [`classes`].
    Only(Vec<String>),
}

impl Wanted {
    fn has(&self, class: &str) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Only(classes) => classes.iter().any(|name| name == class),
        }
    }
}

/// The names of everything that is told apart, in alphabetical order.
pub fn classes() -> Vec<&'static str> {
    let mut all: Vec<&'static str> = table::SHAPES.iter().map(|shape| shape.class).collect();
    all.extend(ids::classes());
    all.extend(["card", "crypto_address", "date_of_birth", "email", "iban", "ip_address", "mac_address", "phone"]);
    crate::sorted::sort(&mut all);
    all.dedup();
    all
}

/// Whether all bytes are the same.
pub(crate) fn is_same(text: &[u8]) -> bool {
    text.windows(2).all(|pair| pair.first() == pair.last())
}

/// A match before it is known whether anybody wants it.
pub(super) type Match = (&'static str, Range<usize>);

/// Finds personal data in a plain text. Places are of the plain text.
pub fn find(plain: &Plain<'_>, wanted: &Wanted, out: &mut Vec<Found>) {
    let text = plain.bytes();
    let (mut at, mut last) = (0, 0u8);
    // Where the last finding ended; addresses of mail are found in their middle and look back to here.
    let mut done = 0;
    while let Some(&b) = text.get(at) {
        let begins = !last.is_ascii_alphanumeric();
        let found = match b {
            b'@' => mail::at_sign(text, at, done),
            b'0'..=b'9' if begins => number(text, at),
            b'a'..=b'z' | b'A'..=b'Z' if begins => word(text, at),
            b'+' | b'(' if begins => phone::find(text, at),
            b':' if begins && last != b':' => net::ipv6(text, at),
            _ => None,
        };
        let Some((class, range)) = found else {
            (at, last) = (at + 1, b);
            continue;
        };
        at = range.end.max(at + 1);
        last = before(text, at);
        done = at;
        if wanted.has(class) {
            out.push(Found::new(class, range));
        }
    }
}

/// How long the word with its hyphens is that begins here, and how many digits it has.
fn measure(text: &[u8], at: usize) -> (usize, usize) {
    let mut digits = 0;
    let length = within(text, at, ids::LONGEST, |b| {
        digits += usize::from(b.is_ascii_digit());
        b.is_ascii_alphanumeric() || b == b'-'
    });
    (length, digits)
}

/// What begins with this letter: the longest of all that could. Most words can be the beginning of nothing.
fn word(text: &[u8], at: usize) -> Option<Match> {
    let (length, digits) = measure(text, at);
    let mut best = None;
    // Everything looked for here has a digit near its beginning, but for what follows below.
    if text.get(at..text.len().min(at + 8)).unwrap_or_default().iter().any(u8::is_ascii_digit) {
        longer(&mut best, numbers::iban(text, at));
        longer(&mut best, shape::find(text, at));
        longer(&mut best, crypto::find(text, at));
    }
    let is_address = byte(text, at).is_ascii_hexdigit()
        && (matches!(byte(text, at + length), b':' | b'.') || matches!(byte(text, at + 2), b':' | b'-' | b'.'));
    if is_address {
        longer(&mut best, net::mac(text, at));
        longer(&mut best, net::ipv6(text, at));
    }
    if date::is_month(text, at) {
        longer(&mut best, date::birth(text, at));
    }
    if digits >= ids::LEAST_DIGITS {
        longer(&mut best, ids::find(text, at));
    }
    best
}

/// What begins with this digit: the longest of all that could.
fn number(text: &[u8], at: usize) -> Option<Match> {
    // So many digits follow, whatever is between them: most numbers are too short for most.
    let mut ahead = 0;
    run(text, at, |b| {
        ahead += usize::from(b.is_ascii_digit());
        ahead < numbers::LEAST_OF_CARD && matches!(b, b'0'..=b'9' | b' ' | b'-' | b'.' | b'/' | b'(' | b')')
    });
    let mut best = None;
    if ahead >= numbers::LEAST_OF_CARD {
        longer(&mut best, numbers::card(text, at));
    }
    longer(&mut best, shape::find(text, at));
    longer(&mut best, crypto::find(text, at));
    longer(&mut best, net::mac(text, at));
    longer(&mut best, net::ipv6(text, at));
    longer(&mut best, net::ipv4(text, at));
    longer(&mut best, date::birth(text, at));
    if ahead >= phone::LEAST_DIGITS {
        longer(&mut best, phone::find(text, at));
    }
    if measure(text, at).1 >= ids::LEAST_DIGITS {
        longer(&mut best, ids::find(text, at));
    }
    best
}

/// The first wins among equals: a check digit says more than a way of writing.
fn longer(best: &mut Option<Match>, found: Option<Match>) {
    if let Some(found) = found
        && best.as_ref().is_none_or(|best| found.1.end > best.1.end)
    {
        *best = Some(found);
    }
}

/// From where on personal data could still grow when the text goes on: the start of the last group of words
/// that hold digits, signs or capitals, with what could be its context after it.
pub fn unfinished(plain: &Plain<'_>) -> usize {
    let text = plain.bytes();
    let mut from = text.len();
    // Words at the end, back to one that no number can hold or be decided by.
    let mut at = text.len();
    while at > 0 && text.len() - at < super::LONGEST {
        let end = at;
        while at > 0 && !before(text, at).is_ascii_whitespace() {
            at -= 1;
        }
        let word = text.get(at..end).unwrap_or_default();
        let last = end == text.len();
        let telling = word.iter().any(|b| b.is_ascii_digit() || b"@+(:".contains(b));
        let short = word.len() <= 5 && word.iter().any(u8::is_ascii_uppercase);
        if last || telling || (short && from < text.len()) {
            from = at;
        } else if text.len() - at > super::AHEAD + 8 {
            // Far enough from the end: what follows decides nothing here any more.
            break;
        }
        while at > 0 && before(text, at).is_ascii_whitespace() {
            at -= 1;
        }
    }
    from
}

#[cfg(test)]
mod tests;
