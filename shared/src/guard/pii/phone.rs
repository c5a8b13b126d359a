//! Telephone numbers, by how they are written.
//!
//! A number has no check digit, so its form must say it: a plus and a country's code, brackets around an
//! area, the groups of North America, a leading zero with groups. Bare digits, or groups that could be anything, are
//! one only where a word says so.

use super::Match;
use super::context::Around;
use crate::guard::{before, byte, run};
use std::ops::Range;

/// As few digits as a number has.
pub(super) const LEAST_DIGITS: usize = 7;

const WORDS: &str = "phone|telephone|tel|tel.|mobile|mob|cell|cellphone|call|dial|ring|text me|sms|fax|whatsapp|\
contact|hotline|telefon|telefono|teléfono|téléphone|handy|rufnummer|telefonnummer|telefonnumber|\
móvil|movil|portable|celular|telefone|telefoon|puhelin|numaram|电话|手机|電話|携帯|전화|телефон|phone number|office|reach me";

/// The number that begins here.
pub(super) fn find(text: &[u8], at: usize) -> Option<Match> {
    if matches!(before(text, at), b'.' | b'_' | b'-' | b'/' | b'#' | b'$' | b'=' | b'%' | b'&')
        || (before(text, at) == b'(' && byte(text, at) != b'(') && !bracketed(text, at)
    {
        return None;
    }
    let written = Written::read(text, at)?;
    let range = at..written.end;
    let next = byte(text, written.end);
    let goes_on = next.is_ascii_alphanumeric()
        || next == b'_'
        || (b".-/:,".contains(&next) && byte(text, written.end + 1).is_ascii_digit())
        || next == b'%';
    if goes_on || written.is_date(text, &range) {
        return None;
    }
    // On a card of business the word stands after the number, or before it with a colon.
    let is_said = || {
        let around = Around::of(text, &range);
        around.has(WORDS) || around.has("office|fax|mobile|cell|home|work|phone|direct|ext|ext.")
    };
    (written.is_telling() || (written.is_possible() && is_said())).then_some(("phone", range))
}

/// `(555 0100)`: the bracket is around all of it.
fn bracketed(text: &[u8], at: usize) -> bool {
    text.get(at..text.len().min(at + 24)).unwrap_or_default().iter().take_while(|b| **b != b'\n').any(|b| *b == b')')
}

/// A number as it is written.
struct Written {
    end: usize,
    /// How many digits each group has.
    groups: Vec<usize>,
    digits: Vec<u8>,
    plus: bool,
    brackets: bool,
    signs: Vec<u8>,
}

impl Written {
    fn read(text: &[u8], at: usize) -> Option<Written> {
        let mut it = Written {
            end: at,
            groups: Vec::new(),
            digits: Vec::new(),
            plus: false,
            brackets: false,
            signs: Vec::new(),
        };
        let mut place = at;
        if byte(text, place) == b'+' {
            it.plus = true;
            place += 1;
        }
        let mut open = false;
        loop {
            if byte(text, place) == b'(' && !open && !it.brackets {
                open = true;
                place += 1;
            }
            let group = run(text, place, |b| b.is_ascii_digit());
            if group == 0 {
                break;
            }
            it.digits.extend_from_slice(text.get(place..place + group)?);
            it.groups.push(group);
            place += group;
            if open && byte(text, place) == b')' {
                (open, it.brackets) = (false, true);
                place += 1;
            }
            it.end = place;
            if it.digits.len() > 15 {
                return None;
            }
            let sign = byte(text, place);
            let next = byte(text, place + 1);
            if b" -./".contains(&sign) && (next.is_ascii_digit() || next == b'(') {
                it.signs.push(sign);
                place += 1;
            } else if sign == b' '
                && next == b'-'
                && byte(text, place + 2) == b' '
                && byte(text, place + 3).is_ascii_digit()
            {
                it.signs.push(b'-');
                place += 3;
            } else if !(byte(text, place).is_ascii_digit() || (sign == b'(' && !it.brackets)) {
                break;
            }
        }
        (!open && it.digits.len() >= LEAST_DIGITS).then_some(it)
    }

    /// The form alone says that it is one.
    fn is_telling(&self) -> bool {
        let count = self.digits.len();
        let head = |at: usize| byte(&self.digits, at);
        let groups = self.groups.as_slice();
        let american = |groups: &[usize], from: usize| {
            groups == [3, 3, 4] && (b'2'..=b'9').contains(&head(from)) && (b'2'..=b'9').contains(&head(from + 3))
        };
        if self.plus {
            return (8..=15).contains(&count) && head(0) != b'0' && groups.len() <= 7;
        }
        if self.brackets {
            return (8..=15).contains(&count) && groups.len() <= 6;
        }
        match groups {
            [_] => false,
            [a, rest @ ..] if *a <= 3 && american(rest, *a) => true,
            groups if american(groups, 0) => true,
            [3, 3, 2, 2] => head(0) != b'0' && self.signs.windows(2).all(|pair| pair.first() == pair.last()),
            // A trunk zero and groups: `0490 75 40 81`, `09-7625400`. Groups of one kind only.
            [first, rest @ ..] => {
                let alike = self.signs.windows(2).all(|pair| pair.first() == pair.last());
                head(0) == b'0'
                    && (9..=13).contains(&count)
                    && (1..=6).contains(first)
                    && rest.iter().all(|size| (2..=8).contains(size))
                    && alike
                    && !self.signs.contains(&b'/')
            }
            [] => false,
        }
    }

    /// With a word beside it, it is one.
    fn is_possible(&self) -> bool {
        (LEAST_DIGITS..=15).contains(&self.digits.len()) && self.groups.len() <= 6 && !self.signs.contains(&b'/')
    }

    /// Dates, times and spans of years are written in groups, too.
    fn is_date(&self, text: &[u8], range: &Range<usize>) -> bool {
        let year = |part: &[u8]| matches!(part.get(..2), Some(b"19" | b"20"));
        let parts: Vec<&[u8]> = text
            .get(range.clone())
            .unwrap_or_default()
            .split(|b| !b.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .collect();
        match parts.as_slice() {
            [a, b, c] if a.len() == 4 && b.len() <= 2 && c.len() <= 2 => year(a),
            [a, b, c] if a.len() <= 2 && b.len() <= 2 && c.len() == 4 => year(c),
            [a, b, c, ..] if a.len() == 4 && b.len() == 2 && c.len() == 2 && year(a) => true,
            [a, b] if a.len() == 4 && b.len() == 4 => year(a) && year(b),
            [..] => false,
        }
    }
}
