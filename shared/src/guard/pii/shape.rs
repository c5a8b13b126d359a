//! Numbers with a shape: how each is written, what makes it one, and how sure that is.

use super::Match;
use super::context::{near, says};
use super::table::SHAPES;
use crate::guard::{before, byte};
use std::sync::OnceLock;

/// Signs between the parts of a number.
const SIGNS: &[u8] = b" -./";
/// The most letters and digits a number has.
const LONGEST: usize = 24;

/// How a number is told.
pub(super) struct Shape {
    /// What it is.
    pub(super) class: &'static str,
    /// How it is written: `9` a digit, `A` a letter, `X` either, `*` any sign, `-` a sign that may be left
    /// out (` `, `-`, `.`, `/`, the same throughout), anything else itself in either case.
    pub(super) shape: &'static str,
    /// Whether its letters and digits, in upper case and without signs, are one.
    pub(super) check: fn(&[u8]) -> bool,
    /// What else must be there.
    pub(super) need: Need,
    /// Words that say what it is, divided by `|`.
    pub(super) words: &'static str,
}

/// What must be there beside shape and check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: by chance one in hundreds at the most.
    Nothing,
    /// Its signs, as people write it; without them a word.
    Signs,
    /// A word, or that it is all of a text.
    Word,
    /// A word: the check is hardly one.
    Said,
}

/// The first shape of the table that fits here and is good, or the longest.
pub(super) fn find(text: &[u8], at: usize) -> Option<Match> {
    if b"._+-".contains(&before(text, at)) && byte(text, at).is_ascii_digit() {
        return None;
    }
    let mut best: Option<Match> = None;
    let here = Places::of_text(text, at);
    for (shape, wanted) in SHAPES.iter().zip(wanted()) {
        if here.may_be(wanted)
            && let Some(end) = shape.fits(text, at)
            && best.as_ref().is_none_or(|best| end > best.1.end)
        {
            best = Some((shape.class, at..end));
        }
    }
    best
}

/// Which of the first letters and digits, signs between them left out, are which: a bit a place. Told once, it rules out nearly all
/// rows, which are many.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    digits: u32,
    letters: u32,
    /// Of a row: may be either.
    either: u32,
}

impl Places {
    fn of_text(text: &[u8], at: usize) -> Places {
        let mut places = Places::default();
        let (mut at, mut bit) = (at, 1);
        while bit < 1 << LONGEST {
            let b = byte(text, at);
            if b.is_ascii_digit() {
                places.digits |= bit;
            } else if b.is_ascii_alphabetic() {
                places.letters |= bit;
            } else if !SIGNS.contains(&b) || !byte(text, at + 1).is_ascii_alphanumeric() {
                break;
            } else {
                at += 1;
                continue;
            }
            at += 1;
            bit <<= 1;
        }
        places
    }

    /// Of a row, up to a sign that may stand nowhere else.
    fn of_shape(shape: &Shape) -> Places {
        let mut places = Places::default();
        let mut bit = 1;
        for b in shape.shape.bytes().filter(|b| !SIGNS.contains(b)) {
            match b {
                b'X' => places.either |= bit,
                b'0'..=b'9' => places.digits |= bit,
                b'A'..=b'Z' | b'a'..=b'z' => places.letters |= bit,
                _ => break,
            }
            bit <<= 1;
        }
        places
    }

    fn may_be(self, row: &Places) -> bool {
        let missing = (row.digits & !self.digits) | (row.letters & !self.letters);
        missing | (row.either & !(self.digits | self.letters)) == 0
    }
}

/// What each row wants.
fn wanted() -> &'static [Places] {
    static WANTED: OnceLock<Vec<Places>> = OnceLock::new();
    WANTED.get_or_init(|| SHAPES.iter().map(Places::of_shape).collect())
}

impl Shape {
    /// Where the number that begins here ends.
    fn fits(&self, text: &[u8], at: usize) -> Option<usize> {
        let mut compact = [0u8; LONGEST];
        let (mut place, mut count, mut sign, mut signs) = (at, 0, 0u8, 0);
        for wanted in self.shape.bytes() {
            let b = byte(text, place);
            let good = match wanted {
                b'9' => b.is_ascii_digit(),
                b'A' => b.is_ascii_alphabetic(),
                b'X' => b.is_ascii_alphanumeric(),
                b'*' => b.is_ascii_graphic(),
                b'-' => {
                    if SIGNS.contains(&b) && (sign == 0 || sign == b || b == b'/' || sign == b'.' || sign == b'/') {
                        sign = b;
                        signs += 1;
                        place += 1;
                    }
                    continue;
                }
                other => b.eq_ignore_ascii_case(&other),
            };
            if !good {
                return None;
            }
            if let Some(slot) = compact.get_mut(count) {
                *slot = b.to_ascii_uppercase();
            }
            count += 1;
            place += 1;
        }
        let places = self.shape.bytes().filter(|b| *b == b'-').count();
        let next = byte(text, place);
        // The number must end here, and not go on behind a sign as dates, versions and UUIDs do.
        let goes_on = next.is_ascii_alphanumeric()
            || next == b'_'
            || (b"-/:".contains(&next) && byte(text, place + 1).is_ascii_alphanumeric())
            || (next == b'.' && byte(text, place + 1).is_ascii_digit());
        // Its signs are all there, or none is.
        if goes_on || (signs != 0 && signs != places) || !(self.check)(compact.get(..count)?) {
            return None;
        }
        let sure = match self.need {
            Need::Nothing => true,
            Need::Signs => signs == places && places > 0,
            Need::Word | Need::Said => false,
        };
        let said = || match self.need {
            Need::Said => near(text, &(at..place), self.words),
            Need::Nothing | Need::Signs | Need::Word => says(text, &(at..place), self.words),
        };
        (sure || said()).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_a_row_is_ruled_out_however_it_is_written() {
        for (shape, wanted) in SHAPES.iter().zip(wanted()) {
            for (either, sign) in [('7', "-"), ('K', " "), ('7', ""), ('K', "/"), ('K', ".")] {
                let digits = shape.shape.replace('9', "1").replace('A', "B").replace('*', "+");
                let text = digits.replace('X', &either.to_string()).replace('-', sign);
                assert!(Places::of_text(text.as_bytes(), 0).may_be(wanted), "{}: {text}", shape.shape);
            }
        }
        let kept = |text: &str| wanted().iter().filter(|row| Places::of_text(text.as_bytes(), 0).may_be(row)).count();
        // Four digits could go on as `9999:9999:9999`.
        assert_eq!((kept("2026 was a year"), kept("12345"), kept("v1.2")), (1, 1, 0));
    }
}
