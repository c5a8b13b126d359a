//! Documents whose numbers have no check digit: passports, driving licences, accounts. Only a word beside
//! them tells.

use super::Match;
use super::context::Around;
use crate::guard::{before, byte, within};

/// What a word makes of letters and digits near it.
struct Document {
    class: &'static str,
    words: &'static str,
    /// How long the number is.
    length: std::ops::RangeInclusive<usize>,
    /// How many of it are digits, at least.
    digits: usize,
}

const DOCUMENTS: &[Document] = &[
    Document {
        class: "passport",
        words: "passport|reisepass|pass-nr|pasaporte|passeport|passaporto|passaporte|paspoort|pasaport|паспорт|여권|护照|パスポート",
        length: 7..=9,
        digits: 5,
    },
    Document {
        class: "driver_license",
        words: "driver's license|drivers license|driver license|driver's licence|driving licence|driving license|\
license number|licence number|führerschein|führerscheinnummer|permis de conduire|patente di guida|licencia de conducir|dl number",
        length: 6..=16,
        digits: 5,
    },
    Document {
        class: "bank_account",
        words: "account number|account no|acct|bank account|kontonummer|numéro de compte|numero de cuenta|sort code",
        length: 6..=17,
        digits: 6,
    },
    Document {
        class: "tax_number",
        words: "steuernummer|vat number|vat id|ust-id|ust-idnr|tin|tax number|gst number|p.iva|nif|rfc",
        length: 8..=15,
        digits: 7,
    },
    Document {
        class: "health_id",
        words: "medical record|mrn|patient id|health insurance number|versichertennummer|member id",
        length: 6..=14,
        digits: 5,
    },
];

/// As few digits as any of them has.
pub(super) const LEAST_DIGITS: usize = 5;

/// A word with its hyphens is none of them from so many bytes on.
pub(super) const LONGEST: usize = 64;

/// The number of a document that begins here.
pub(super) fn find(text: &[u8], at: usize) -> Option<Match> {
    if matches!(before(text, at), b'.' | b'_' | b'@' | b'/') {
        return None;
    }
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let mut length = within(text, at, LONGEST, good);
    if length == LONGEST {
        return None;
    }
    while length > 0 && byte(text, at + length - 1) == b'-' {
        length -= 1;
    }
    let token = text.get(at..at + length)?;
    let digits = token.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = token.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let next = byte(text, at + length);
    if digits < LEAST_DIGITS || digits + letters > 17 || letters > 6 || next == b'_' || next == b'@' {
        return None;
    }
    let is_date =
        token.split(|b| *b == b'-').count() == 3 && matches!(token.get(..2), Some(b"19" | b"20")) && letters == 0;
    if is_date {
        return None;
    }
    let mut around = None;
    let fits = |document: &&Document| {
        document.length.contains(&(digits + letters))
            && digits >= document.digits
            && around.get_or_insert_with(|| Around::of(text, &(at..at + length))).has(document.words)
    };
    let document = DOCUMENTS.iter().find(fits)?;
    Some((document.class, at..at + length))
}

/// The classes of this room.
pub(super) fn classes() -> impl Iterator<Item = &'static str> {
    DOCUMENTS.iter().map(|document| document.class)
}
