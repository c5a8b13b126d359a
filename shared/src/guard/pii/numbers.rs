//! Numbers on cards (ISO/IEC 7812, with Luhn's digit) and of accounts (ISO 13616, modulo 97).

use super::Match;
use super::checks::{luhn, mod97};
use crate::guard::{before, byte};

/// Digits from here on, with single spaces or hyphens between groups: the digits, and where each ended.
fn digits(text: &[u8], at: usize, most: usize) -> Vec<(u8, usize)> {
    let mut all = Vec::with_capacity(most);
    let (mut place, mut sign) = (at, 0);
    while all.len() <= most {
        let b = byte(text, place);
        if b.is_ascii_digit() {
            all.push((b - b'0', place + 1));
            place += 1;
        } else if (b == b' ' || b == b'-')
            && (sign == 0 || sign == b)
            && byte(text, place + 1).is_ascii_digit()
            && !all.is_empty()
        {
            sign = b;
            place += 1;
        } else {
            break;
        }
    }
    all
}

/// As few digits as a card has.
pub(super) const LEAST_OF_CARD: usize = 12;

/// The number of a payment card.
pub(super) fn card(text: &[u8], at: usize) -> Option<Match> {
    let begins = byte(text, at).is_ascii_digit() && !b".-_+".contains(&before(text, at));
    if !begins {
        return None;
    }
    let all = digits(text, at, 19);
    // The longest that is a card's: a number may be followed by another.
    (LEAST_OF_CARD..=19).rev().filter(|length| *length <= all.len()).find_map(|length| {
        let number: Vec<u8> = all.iter().take(length).map(|(digit, _)| *digit).collect();
        let end = all.get(length - 1)?.1;
        let next = byte(text, end);
        let follows = byte(text, end + 1);
        let goes_on = next.is_ascii_alphanumeric()
            || next == b'_'
            || (next == b'.' && follows.is_ascii_digit())
            || (next == b'-' && follows.is_ascii_alphanumeric());
        let whole = !goes_on;
        let groups = end - at - length;
        // Groups of a card are written four and four, or four, six and five.
        let written = groups <= 4 && (groups == 0 || at + 4 < end && !byte(text, at + 4).is_ascii_digit());
        (whole && written && is_issued(&number) && luhn(&number)).then_some(("card", at..end))
    })
}

/// Whether a network issues numbers that begin like this and are so long.
fn is_issued(number: &[u8]) -> bool {
    let head = |count: usize| number.iter().take(count).fold(0u32, |sum, digit| sum * 10 + u32::from(*digit));
    let (one, two, three, four, six) = (head(1), head(2), head(3), head(4), head(6));
    match number.len() {
        12 | 17 => matches!(two, 50 | 56..=69),
        13 => one == 4 || matches!(two, 50 | 56..=69),
        14 => matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37) || matches!(four, 1800 | 2131) || two == 12,
        16 => {
            one == 4
                || matches!(two, 35 | 51..=55 | 60 | 62 | 64 | 65 | 50 | 56..=59 | 63 | 67 | 30 | 36 | 38 | 39 | 81 | 82)
                || matches!(four, 2221..=2720 | 2200..=2204 | 9792)
        }
        18 | 19 => one == 4 || matches!(two, 50 | 56..=69) || matches!(six, 622_126..=622_925),
        _ => false,
    }
}

/// The number of an account, in one piece or in groups.
pub(super) fn iban(text: &[u8], at: usize) -> Option<Match> {
    let &[a, b, c, d] = text.get(at..at + 4)? else { return None };
    let (a, b) = (a.to_ascii_uppercase(), b.to_ascii_uppercase());
    if !(a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit()) {
        return None;
    }
    let length = usize::from(LENGTHS.iter().find(|(country, _)| country.as_bytes() == [a, b])?.1);
    let (mut number, mut place, mut sign) = (Vec::with_capacity(length), at, 0);
    while number.len() < length {
        let b = byte(text, place);
        if b.is_ascii_alphanumeric() {
            number.push(b.to_ascii_uppercase());
        } else if !((b == b' ' || b == b'-')
            && (sign == 0 || sign == b)
            && byte(text, place + 1).is_ascii_alphanumeric())
        {
            return None;
        } else {
            sign = b;
        }
        place += 1;
    }
    let whole = !byte(text, place).is_ascii_alphanumeric();
    (whole && mod97(&number)).then_some(("iban", at..place))
}

/// How long an account's number is in each country (SWIFT's registry of 2025).
const LENGTHS: &[(&str, u8)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];
