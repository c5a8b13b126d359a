//! Numbers with a shape: how each is written, what makes it one, and how sure that is.

use super::Match;
use super::context::{near, says};
use super::table::SHAPES;
use crate::guard::{before, byte, run};
use std::sync::OnceLock;

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
    let digits = run(text, at, |b| b.is_ascii_digit());
    for (shape, beginning) in SHAPES.iter().zip(beginnings()) {
        // Most rows are no match by how many digits they begin with.
        if *beginning > digits || (*beginning == 0 && digits > 0 && !shape.takes_a_digit()) {
            continue;
        }
        if let Some(end) = shape.fits(text, at)
            && best.as_ref().is_none_or(|best| end > best.1.end)
        {
            best = Some((shape.class, at..end));
        }
    }
    best
}

/// How many digits each row begins with.
fn beginnings() -> &'static [usize] {
    static BEGINNINGS: OnceLock<Vec<usize>> = OnceLock::new();
    let digits = |shape: &Shape| run(shape.shape.as_bytes(), 0, |b| b.is_ascii_digit());
    BEGINNINGS.get_or_init(|| SHAPES.iter().map(digits).collect())
}

impl Shape {
    /// Whether a number that does not begin with digits of its shape can begin with one.
    fn takes_a_digit(&self) -> bool {
        self.shape.starts_with(['X', '*'])
    }

    /// Where the number that begins here ends.
    fn fits(&self, text: &[u8], at: usize) -> Option<usize> {
        let mut compact = [0u8; 24];
        let (mut place, mut count, mut sign, mut signs) = (at, 0, 0u8, 0);
        for wanted in self.shape.bytes() {
            let b = byte(text, place);
            let good = match wanted {
                b'9' => b.is_ascii_digit(),
                b'A' => b.is_ascii_alphabetic(),
                b'X' => b.is_ascii_alphanumeric(),
                b'*' => b.is_ascii_graphic(),
                b'-' => {
                    if b" -./".contains(&b) && (sign == 0 || sign == b || b == b'/' || sign == b'.' || sign == b'/') {
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
