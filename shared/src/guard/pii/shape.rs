//! Numbers with a shape: how each is written, what makes it one, and how sure that is.

use super::Match;
use super::context::{near, says};
use super::table::SHAPES;
use crate::guard::{before, byte, run};
use std::sync::OnceLock;

/// Signs between the parts of a number.
fn is_sign(b: u8) -> bool {
    matches!(b, b' ' | b'-' | b'.' | b'/')
}

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
    if matches!(before(text, at), b'.' | b'_' | b'+' | b'-') && byte(text, at).is_ascii_digit() {
        return None;
    }
    let mut best: Option<Match> = None;
    for row in possible(text, at) {
        if let Some(end) = row.shape.fits(text, at)
            && best.as_ref().is_none_or(|best| end > best.1.end)
        {
            best = Some((row.shape.class, at..end));
        }
    }
    best
}

/// The rows that what begins here could be of.
fn possible(text: &[u8], at: usize) -> impl Iterator<Item = &'static Row> {
    let begins = Places::of_text(text, at, BEGIN);
    let whole = begins.digits | begins.letters == (1 << BEGIN) - 1;
    let mut rows = rows().get(begins.digits as usize).filter(|_| whole).map(Vec::as_slice).unwrap_or_default();
    let is_long = || {
        let piece = text.get(..text.len().min(at + LONG)).unwrap_or_default();
        run(piece, at, |b| b.is_ascii_alphanumeric()) == LONG
    };
    // Nearly always: words have such a beginning, and are shorter.
    if rows.iter().all(|row| row.is_long) && !(rows.is_empty() || is_long()) {
        rows = &[];
    }
    let here = if rows.is_empty() { Places::default() } else { Places::of_text(text, at, LONGEST) };
    rows.iter().filter(move |row| here.may_be(row.wanted))
}

/// How many places sort the rows.
const BEGIN: usize = 4;
/// Numbers of which any place may be a letter or a digit have no signs and are so long.
const LONG: usize = 16;

/// A row of the table, and what can be told of it beforehand.
struct Row {
    shape: &'static Shape,
    wanted: Places,
    is_long: bool,
}

/// The rows a number can be of, by which of its first places are digits: letters are in the others.
fn rows() -> &'static [Vec<Row>] {
    static ROWS: OnceLock<Vec<Vec<Row>>> = OnceLock::new();
    let beginning = |digits: u32| {
        let begins = Places { digits, letters: !digits, either: 0 };
        let row = |shape: &'static Shape| {
            let wanted = Places::of_shape(shape);
            let is_long = shape.shape.bytes().take_while(|b| b.is_ascii_alphanumeric()).count() >= LONG;
            begins.may_be(wanted.first(BEGIN)).then_some(Row { shape, wanted, is_long })
        };
        SHAPES.iter().filter_map(row).collect()
    };
    ROWS.get_or_init(|| (0..1 << BEGIN).map(beginning).collect())
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
    fn of_text(text: &[u8], at: usize, most: usize) -> Places {
        let mut places = Places::default();
        let (mut at, mut bit) = (at, 1);
        while bit < 1 << most {
            let b = byte(text, at);
            if b.is_ascii_digit() {
                places.digits |= bit;
            } else if b.is_ascii_alphabetic() {
                places.letters |= bit;
            } else if !is_sign(b) || !byte(text, at + 1).is_ascii_alphanumeric() {
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
        for b in shape.shape.bytes().filter(|b| !is_sign(*b)) {
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

    /// Those of so many places.
    fn first(self, count: usize) -> Places {
        let those = (1 << count) - 1;
        Places { digits: self.digits & those, letters: self.letters & those, either: self.either & those }
    }

    fn may_be(self, row: Places) -> bool {
        let missing = (row.digits & !self.digits) | (row.letters & !self.letters);
        missing | (row.either & !(self.digits | self.letters)) == 0
    }
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
                    if is_sign(b) && (sign == 0 || sign == b || b == b'/' || sign == b'.' || sign == b'/') {
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
        for shape in SHAPES {
            for (either, sign) in [('7', "-"), ('K', " "), ('7', ""), ('K', "/"), ('K', ".")] {
                let digits = shape.shape.replace('9', "1").replace('A', "B").replace('*', "+");
                let text = digits.replace('X', &either.to_string()).replace('-', sign);
                let is_possible = possible(text.as_bytes(), 0).any(|row| row.shape.shape == shape.shape);
                assert!(is_possible, "{}: {text}", shape.shape);
            }
        }
        let kept = |text: &str| possible(text.as_bytes(), 0).count();
        // Four digits could go on as `9999:9999:9999`.
        assert_eq!((kept("2026 was a year"), kept("12345"), kept("v1.2")), (1, 1, 0));
    }
}
