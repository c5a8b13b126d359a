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
use super::{Found, before, byte, run};
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

/// A match before it is known whether anybody wants it.
/// Whether all bytes are the same.
pub(crate) fn is_same(text: &[u8]) -> bool {
    text.windows(2).all(|pair| pair.first() == pair.last())
}

pub(super) type Match = (&'static str, Range<usize>);

/// Finds personal data in a plain text. Places are of the plain text.
pub fn find(plain: &Plain<'_>, wanted: &Wanted, out: &mut Vec<Found>) {
    let text = plain.bytes();
    let mut at = 0;
    // Where the last finding ended; addresses of mail are found in their middle and look back to here.
    let mut done = 0;
    while at < text.len() {
        let b = byte(text, at);
        let begins = !before(text, at).is_ascii_alphanumeric();
        let found = match b {
            b'@' => mail::at_sign(text, at, done),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' if begins => word(text, at),
            b'+' | b'(' if begins => phone::find(text, at),
            b':' if begins && before(text, at) != b':' => net::ipv6(text, at),
            _ => None,
        };
        let Some((class, range)) = found else {
            at += 1;
            continue;
        };
        at = range.end.max(at + 1);
        done = at;
        if wanted.has(class) {
            out.push(Found::new(class, range));
        }
    }
}

/// What begins with this letter or digit: the longest of all that could.
fn word(text: &[u8], at: usize) -> Option<Match> {
    // Everything looked for here has a digit near its beginning; most words have none.
    let near = text.get(at..text.len().min(at + 8)).unwrap_or_default();
    if !near.iter().any(u8::is_ascii_digit) {
        // And of those that have none, few can be the beginning of anything.
        let first = byte(text, at).to_ascii_lowercase();
        let length = run(text, at, |b| b.is_ascii_alphanumeric() || b == b'-');
        let goes_on = b":.".contains(&byte(text, at + length));
        let is_address = first.is_ascii_hexdigit() && (goes_on || b":-.".contains(&byte(text, at + 2)));
        let is_month = date::is_month(text, at);
        let is_document = length > 8;
        if !(is_address || is_month || is_document) {
            return None;
        }
        return net::mac(text, at)
            .or_else(|| net::ipv6(text, at))
            .or_else(|| date::birth(text, at))
            .or_else(|| ids::find(text, at));
    }
    let mut best: Option<Match> = None;
    let recognizers = [
        numbers::card,
        numbers::iban,
        shape::find,
        crypto::find,
        net::mac,
        net::ipv6,
        net::ipv4,
        date::birth,
        phone::find,
        ids::find,
    ];
    for recognize in recognizers {
        // The first wins among equals: a check digit says more than a way of writing.
        if let Some(found) = recognize(text, at)
            && best.as_ref().is_none_or(|best| found.1.end > best.1.end)
        {
            best = Some(found);
        }
    }
    best
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
